//! A table's full name, and how a person writes one.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A database and a table, as the server stores them: unquoted, any Unicode.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TableName {
    /// Database (schema).
    pub database: String,
    /// Table without partition.
    pub table: String,
}

/// Why a text is no table name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a table name: write table, database.table, or quote each part with backticks")]
pub struct TableNameError(pub String);

impl TableName {
    /// A name from its parts.
    pub fn new(database: impl Into<String>, table: impl Into<String>) -> Self {
        Self { database: database.into(), table: table.into() }
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.database, self.table)
    }
}
