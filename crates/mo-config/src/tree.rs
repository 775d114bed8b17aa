//! A TOML text as a tree whose keys are in lower case: `[LogService]` and `[logservice.BootstrapConfig]` are one table.

use crate::finding::{Finding, Weight};
use std::collections::BTreeMap;
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

/// A value and its line.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    pub(crate) line: usize,
    pub(crate) what: What,
}

/// What a value is. Dates have no place in these files and stay apart as such.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum What {
    Table(Table),
    List(Vec<Node>),
    Text(String),
    Whole(Option<i64>),
    Decimal,
    Flag(bool),
    Date,
}

/// Entries by their name in lower case.
pub(crate) type Table = BTreeMap<String, Entry>;

/// A key as it was spelled, its line, its value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    pub(crate) spelled: String,
    pub(crate) line: usize,
    pub(crate) node: Node,
}

/// Reads a text. One that is no TOML gives an empty tree and the places where it breaks.
pub(crate) fn read(file: &str, text: &str) -> (Table, Vec<Finding>) {
    let mut reader = Reader { file, starts: starts(text), findings: Vec::new() };
    let (root, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        let line = error.span().map(|span| reader.line(span.start));
        let what = format!("this is not valid TOML: {}", error.message());
        reader.add(line, String::new(), what, "correct the line");
    }
    if !errors.is_empty() {
        return (Table::new(), reader.findings);
    }
    let table = reader.table("", root.get_ref());
    (table, reader.findings)
}

/// Where each line begins.
fn starts(text: &str) -> Vec<usize> {
    text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1).collect()
}

struct Reader<'a> {
    file: &'a str,
    starts: Vec<usize>,
    findings: Vec<Finding>,
}

impl Reader<'_> {
    fn line(&self, offset: usize) -> usize {
        self.starts.partition_point(|start| *start <= offset) + 1
    }

    fn add(&mut self, line: Option<usize>, key: String, what: String, next: &str) {
        let (file, next) = (self.file.to_owned(), next.to_owned());
        self.findings.push(Finding { weight: Weight::Error, file, line, key, what, next });
    }

    fn table(&mut self, path: &str, table: &DeTable<'_>) -> Table {
        let mut entries: Vec<_> = table.iter().collect();
        entries.sort_by_key(|(key, _)| key.span().start);
        let mut read = Table::new();
        for (key, value) in entries {
            let spelled = key.get_ref().to_string();
            let path = join(path, &spelled);
            let entry = Entry { line: self.line(key.span().start), node: self.node(&path, value), spelled };
            self.put(&path, &mut read, entry);
        }
        read
    }

    fn node(&mut self, path: &str, value: &Spanned<DeValue<'_>>) -> Node {
        let what = match value.get_ref() {
            DeValue::Table(table) => What::Table(self.table(path, table)),
            DeValue::Array(list) => What::List(list.iter().map(|value| self.node(path, value)).collect()),
            DeValue::String(text) => What::Text(text.to_string()),
            DeValue::Integer(number) => What::Whole(i64::from_str_radix(number.as_str(), number.radix()).ok()),
            DeValue::Float(_) => What::Decimal,
            DeValue::Boolean(flag) => What::Flag(*flag),
            DeValue::Datetime(_) => What::Date,
        };
        Node { line: self.line(value.span().start), what }
    }

    /// Two spellings of a table are one table; two of a value contradict each other.
    fn put(&mut self, path: &str, table: &mut Table, entry: Entry) {
        let name = entry.spelled.to_lowercase();
        let Some(old) = table.get_mut(&name) else {
            table.insert(name, entry);
            return;
        };
        match (&mut old.node.what, entry.node.what) {
            (What::Table(known), What::Table(more)) => {
                for (_, entry) in more {
                    self.put(&join(path, &entry.spelled), known, entry);
                }
            }
            (What::List(known), What::List(more)) if all_tables(known) && all_tables(&more) => {
                known.extend(more);
                known.sort_by_key(|node| node.line);
            }
            _ => {
                let what = format!("stands here a second time: it is also in line {}", old.line);
                self.add(Some(entry.line), path.to_owned(), what, "remove one of the two; keys are read in any case");
            }
        }
    }
}

fn all_tables(list: &[Node]) -> bool {
    list.iter().all(|node| matches!(node.what, What::Table(_)))
}

/// A path one step longer.
pub(crate) fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}
