//! A result row read by column name, never by position.

use std::sync::Arc;

/// One row of a text-protocol result; names compare without case.
#[derive(Debug, Clone)]
pub struct Row {
    columns: Arc<[String]>,
    values: Vec<Option<Vec<u8>>>,
}

impl Row {
    /// A row from its parts; both have the same length.
    pub fn new(columns: Arc<[String]>, values: Vec<Option<Vec<u8>>>) -> Self {
        Self { columns, values }
    }

    /// Column names as the server gave them.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// True if the row has such a column, NULL included.
    pub fn has(&self, column: &str) -> bool {
        self.index(column).is_some()
    }

    fn index(&self, column: &str) -> Option<usize> {
        self.columns.iter().position(|name| name.eq_ignore_ascii_case(column))
    }

    /// Raw bytes; `None` if NULL or absent.
    pub fn bytes(&self, column: &str) -> Option<&[u8]> {
        self.values.get(self.index(column)?)?.as_deref()
    }

    /// Text; `None` if NULL or absent; bytes that are not UTF-8 are replaced.
    pub fn text(&self, column: &str) -> Option<String> {
        self.bytes(column).map(|bytes| String::from_utf8_lossy(bytes).into_owned())
    }

    /// The first of several spellings the row has, such as `Source_Host` then `Master_Host`.
    pub fn first(&self, columns: &[&str]) -> Option<String> {
        columns.iter().find(|column| self.has(column)).and_then(|column| self.text(column))
    }

    /// Anything that parses from its text.
    pub fn parse<T: std::str::FromStr>(&self, column: &str) -> Option<T> {
        self.text(column)?.trim().parse().ok()
    }

    /// `ON`, `YES`, `1` or `TRUE`; `None` if NULL, absent or none of the eight words.
    pub fn flag(&self, column: &str) -> Option<bool> {
        match self.text(column)?.to_ascii_uppercase().as_str() {
            "ON" | "YES" | "1" | "TRUE" => Some(true),
            "OFF" | "NO" | "0" | "FALSE" => Some(false),
            _ => None,
        }
    }

    /// The first column as text.
    pub fn only(&self) -> Option<String> {
        self.values.first()?.as_ref().map(|bytes| String::from_utf8_lossy(bytes).into_owned())
    }
}
