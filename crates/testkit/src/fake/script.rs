//! What a pretending server answers to what.

use super::plugin_of;
use std::{collections::HashMap, time::Duration};
use wire::{Answer, Plugin, Rows};

/// Variables by name, answers by statement; everything else is a syntax error.
#[derive(Debug, Clone)]
pub struct Script {
    variables: HashMap<String, String>,
    answers: HashMap<String, Answer>,
    /// Proof asked for first.
    pub plugin: Plugin,
    /// How long each answer takes.
    pub delay: Duration,
}

/// Statements compare without case, and with any white space.
fn key(statement: &str) -> String {
    let words: Vec<&str> = statement.trim().trim_end_matches(';').split_whitespace().collect();
    words.join(" ").to_ascii_lowercase()
}

impl Script {
    /// A server of that version that knows nothing but its variables.
    pub fn new(version: &str, comment: &str) -> Self {
        let script = Self {
            variables: HashMap::new(),
            answers: HashMap::new(),
            plugin: plugin_of(version),
            delay: Duration::ZERO,
        };
        let defaults = [("version", version), ("version_comment", comment), ("max_allowed_packet", "67108864")];
        defaults
            .into_iter()
            .chain([("wait_timeout", "28800")])
            .fold(script, |script, (name, value)| script.variable(name, value))
    }

    /// Sets a variable, for `SELECT @@name` and `SHOW GLOBAL VARIABLES`.
    #[must_use]
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Answers a statement.
    #[must_use]
    pub fn reply(mut self, statement: &str, answer: Answer) -> Self {
        self.answers.insert(key(statement), answer);
        self
    }

    /// Answers a statement with rows.
    #[must_use]
    pub fn rows(self, statement: &str, columns: &[&str], rows: Vec<Vec<Option<String>>>) -> Self {
        self.reply(statement, Answer::Rows(Rows::new(columns, rows)))
    }

    pub(crate) fn version(&self) -> &str {
        self.variables.get("version").map_or("", String::as_str)
    }

    /// The answer to a statement.
    pub fn answer(&self, sql: &str) -> Answer {
        let key = key(sql);
        let scripted = self.answers.get(&key).cloned();
        scripted.or_else(|| self.show_variables(&key)).or_else(|| self.select_variables(&key)).unwrap_or_else(|| {
            Answer::error(1064, "42000", format!("You have an error in your SQL syntax near '{}'", sql.trim()))
        })
    }

    /// `SHOW GLOBAL VARIABLES …`: those the statement names.
    fn show_variables(&self, key: &str) -> Option<Answer> {
        let named = key.strip_prefix("show global variables")?;
        let mut rows: Vec<(&String, &String)> =
            self.variables.iter().filter(|(name, _)| named.contains(&format!("'{name}'"))).collect();
        rows.sort();
        let cells = |(name, value): (&String, &String)| vec![Some(name.clone()), Some(value.clone())];
        Some(Answer::Rows(Rows::new(&["Variable_name", "Value"], rows.into_iter().map(cells).collect())))
    }

    /// `SELECT @@a, @@global.b AS c`; a name it does not have is 1193, as on a real server.
    fn select_variables(&self, key: &str) -> Option<Answer> {
        let list = key.strip_prefix("select ")?;
        let (mut columns, mut row) = (Vec::new(), Vec::new());
        for item in list.split(',') {
            let (expression, alias) = item.trim().split_once(" as ").unwrap_or((item.trim(), item.trim()));
            let name = expression.strip_prefix("@@")?.trim_start_matches("global.").trim_start_matches("session.");
            let Some(value) = self.variables.get(name) else {
                return Some(Answer::error(1193, "HY000", format!("Unknown system variable '{name}'")));
            };
            columns.push(alias.trim());
            row.push(Some(value.clone()));
        }
        Some(Answer::Rows(Rows::new(&columns, vec![row])))
    }
}
