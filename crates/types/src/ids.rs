//! Identifiers that travel between rooms.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A job's name, `job-YYYYMMDD-NNN` (seed 002 §3.2.2); the number restarts each UTC day and grows past three digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JobId(pub String);

impl JobId {
    /// The name of the `number`-th job of a day given as `YYYYMMDD`.
    pub fn of_day(day: &str, number: u64) -> Self {
        Self(format!("job-{day}-{number:03}"))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
