//! Where the three databases differ.

use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};

/// Which SQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    MySql,
    Postgres,
}

impl Dialect {
    /// The room's own statements are written with `?`, which PostgreSQL calls `$1`, `$2`, …; they hold no other `?`,
    /// because values are always bound.
    pub(crate) fn sql(self, text: &str) -> SqlStr {
        if self != Dialect::Postgres {
            return AssertSqlSafe(text.to_owned()).into_sql_str();
        }
        let mut numbered = String::with_capacity(text.len() + 8);
        let mut parts = text.split('?');
        numbered.push_str(parts.next().unwrap_or(""));
        for (index, part) in parts.enumerate() {
            numbered.push('$');
            numbered.push_str(&(index + 1).to_string());
            numbered.push_str(part);
        }
        AssertSqlSafe(numbered).into_sql_str()
    }

    /// Locks the rows read until the end of the transaction. SQLite's writers are alone anyway.
    pub(crate) fn for_update(self) -> &'static str {
        if self == Dialect::Sqlite { "" } else { " FOR UPDATE" }
    }

    /// Begins a transaction that will write. SQLite must take its write lock at once: a reader that becomes a writer
    /// while another writes is refused.
    pub(crate) fn begin(self) -> &'static str {
        if self == Dialect::Sqlite { "BEGIN IMMEDIATE" } else { "BEGIN" }
    }

    /// Run on every new connection.
    pub(crate) fn on_connect(self) -> &'static [&'static str] {
        match self {
            // FULL: a journal entry is on disk before its step acts. WAL: readers and other processes go on meanwhile.
            // The limit keeps the log that one large write made long from staying so. Half a megabyte of cache for each
            // connection, in place of two: the system holds the file in memory as well.
            Dialect::Sqlite => &[
                "PRAGMA busy_timeout = 10000",
                "PRAGMA journal_mode = WAL",
                "PRAGMA synchronous = FULL",
                "PRAGMA foreign_keys = ON",
                "PRAGMA journal_size_limit = 4194304",
                "PRAGMA cache_size = -512",
            ],
            // As PostgreSQL's default: what a lock waited for is seen. And a process whose network swallows everything leaves its
            // transaction open, with the lease's row locked: the server must end it, or nobody takes the job over for hours.
            Dialect::MySql => {
                &["SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED", "SET SESSION wait_timeout = 30"]
            }
            Dialect::Postgres => &["SET idle_in_transaction_session_timeout = '30s'"],
        }
    }

    /// Counts one more job on a day.
    pub(crate) fn count_up(self) -> &'static str {
        match self {
            Dialect::MySql => "INSERT INTO job_days (day, made) VALUES (?, 1) ON DUPLICATE KEY UPDATE made = made + 1",
            Dialect::Sqlite | Dialect::Postgres => {
                "INSERT INTO job_days (day, made) VALUES (?, 1) ON CONFLICT (day) DO UPDATE SET made = job_days.made + 1"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_numbered_for_postgresql_only() {
        let text = "SELECT a FROM t WHERE b = ? AND c IN (?, ?)";
        assert_eq!(Dialect::MySql.sql(text).as_str(), text);
        assert_eq!(Dialect::Postgres.sql(text).as_str(), "SELECT a FROM t WHERE b = $1 AND c IN ($2, $3)");
    }
}
