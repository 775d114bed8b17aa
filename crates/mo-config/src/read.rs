//! From a tree to values: each key held against the schema, with the nearest known key where one is unknown.

use crate::{
    finding::Finding,
    schema::{Found, Schema},
    source::Source,
    tree::{self, Entry, Node, Table, What, join},
    value::Value,
};
use std::{collections::BTreeMap, time::Duration};

/// Likeness above which a key is worth suggesting; the same as for the other files and requests.
const LIKE: f64 = 0.7;

/// What a file says, by the path of each key in lower case, over the schema's defaults.
pub(crate) struct Values {
    schema: Schema,
    said: BTreeMap<String, Value>,
}

/// Reads a text against a schema; the source learns where everything stands.
pub(crate) fn read(schema: Schema, source: &mut Source, text: &str) -> (Values, Vec<Finding>) {
    let (table, findings) = tree::read(&source.file, text);
    let mut reader = Reader { schema, source, findings, said: BTreeMap::new() };
    reader.table(&Place::default(), &table);
    let (said, findings) = (reader.said, reader.findings);
    (Values { schema, said }, findings)
}

/// One place by its three names: in the schema, in the file's tree, and as the reader of a finding knows it.
#[derive(Default, Clone)]
struct Place {
    known: String,
    real: String,
    shown: String,
}

impl Place {
    fn step(&self, name: &str, entry: &Entry) -> Place {
        // `[dn]` is what files from before the rename say.
        let name = if self.known.is_empty() && name == "dn" { "tn" } else { name };
        let shown = join(&self.shown, &entry.spelled);
        Place { known: join(&self.known, name), real: join(&self.real, name), shown }
    }

    fn element(&self, index: usize) -> Place {
        let nth = |text: &str| format!("{text}[{index}]");
        Place { known: format!("{}[]", self.known), real: nth(&self.real), shown: nth(&self.shown) }
    }
}

struct Reader<'a> {
    schema: Schema,
    source: &'a mut Source,
    findings: Vec<Finding>,
    said: BTreeMap<String, Value>,
}

impl Reader<'_> {
    fn table(&mut self, at: &Place, table: &Table) {
        for (name, entry) in table {
            let place = at.step(name, entry);
            if self.source.says(&place.real) {
                self.error(entry.line, &place, "`[tn]` and `[dn]` are two names of one table", "keep one of them");
                continue;
            }
            self.source.lines.insert(place.real.clone(), entry.line);
            self.entry(at, &place, entry);
        }
    }

    fn entry(&mut self, at: &Place, place: &Place, entry: &Entry) {
        match self.schema.find(&place.known) {
            Found::Ignored => {}
            Found::Nothing => self.unknown(at, place, entry),
            Found::Value(key) => match key.kind.read(&entry.node) {
                Some(value) => {
                    self.said.insert(place.real.clone(), value);
                }
                None => self.wrong(place, entry, &format!("must be {}", key.kind.expected())),
            },
            Found::Table => match &entry.node.what {
                What::Table(table) => self.table(place, table),
                _ => self.wrong(place, entry, "must be a table with keys"),
            },
            Found::Tables => self.tables(place, entry),
        }
    }

    fn tables(&mut self, place: &Place, entry: &Entry) {
        match &entry.node.what {
            What::List(list) => list.iter().enumerate().for_each(|(index, node)| self.one(place, entry, index, node)),
            _ => self.wrong(place, entry, &format!("must be written `[[{}]]`, once for each", entry.spelled)),
        }
    }

    fn one(&mut self, place: &Place, entry: &Entry, index: usize, node: &Node) {
        let element = place.element(index);
        match &node.what {
            What::Table(table) => {
                self.source.lines.insert(element.real.clone(), node.line);
                self.table(&element, table);
            }
            _ => self.wrong(place, entry, "must hold tables only"),
        }
    }

    fn wrong(&mut self, place: &Place, entry: &Entry, what: &str) {
        self.error(entry.line, place, what, "correct the value; docs/mo-service.md lists every key");
    }

    fn unknown(&mut self, at: &Place, place: &Place, entry: &Entry) {
        let here = nearest(&entry.spelled, &self.schema.names(&at.known));
        let next = match self.schema.elsewhere(&entry.spelled).or(here.as_deref()) {
            Some(name) => format!("did you mean {name}?"),
            None => "remove the line; docs/mo-service.md lists every key".to_owned(),
        };
        self.error(entry.line, place, "unknown key", &next);
    }

    fn error(&mut self, line: usize, place: &Place, what: &str, next: &str) {
        let mut finding = self.source.error(&place.shown, what, next);
        finding.line = Some(line);
        self.findings.push(finding);
    }
}

/// The most alike name, if any is alike at all.
pub(crate) fn nearest(name: &str, known: &[String]) -> Option<String> {
    let lower = name.to_lowercase();
    let scored = known.iter().map(|key| (strsim::jaro_winkler(&lower, &key.to_lowercase()), key));
    let best = scored.max_by(|left, right| left.0.total_cmp(&right.0))?;
    (best.0 > LIKE).then(|| best.1.clone())
}

impl Values {
    /// The value of a key of the schema; asking for another is a fault of this crate that its tests find.
    fn get(&self, path: &str) -> Option<Value> {
        let said = self.said.get(&path.to_lowercase()).cloned();
        said.or_else(|| {
            let key = self.schema.key(&without_index(path));
            debug_assert!(key.is_some(), "{path} is not in the schema");
            key.and_then(|key| key.kind.default(key.default))
        })
    }

    pub(crate) fn text(&self, path: &str) -> String {
        if let Some(Value::Text(text)) = self.get(path) { text } else { String::new() }
    }

    pub(crate) fn texts(&self, path: &str) -> Vec<String> {
        if let Some(Value::Texts(texts)) = self.get(path) { texts } else { Vec::new() }
    }

    pub(crate) fn flag(&self, path: &str) -> bool {
        matches!(self.get(path), Some(Value::Flag(true)))
    }

    pub(crate) fn whole(&self, path: &str) -> u64 {
        if let Some(Value::Whole(number)) = self.get(path) { number } else { 0 }
    }

    pub(crate) fn port(&self, path: &str) -> u16 {
        u16::try_from(self.whole(path)).unwrap_or(0)
    }

    pub(crate) fn span(&self, path: &str) -> Duration {
        if let Some(Value::Span(span)) = self.get(path) { span } else { Duration::ZERO }
    }

    /// The default of a key, as the schema says it.
    pub(crate) fn usual(&self, path: &str) -> &'static str {
        self.schema.key(path).map_or("", |key| key.default)
    }
}

/// `fileservice[3].name` as the schema names it.
fn without_index(path: &str) -> String {
    match (path.find('['), path.find(']')) {
        (Some(open), Some(close)) => format!("{}{}", &path[..=open], &path[close..]),
        _ => path.to_owned(),
    }
}
