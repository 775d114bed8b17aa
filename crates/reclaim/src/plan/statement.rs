//! The exact statements of a rebuild, as they will run. Pure.

use super::facts::{Settings, UndoSettings};
use crate::undo;
use api::{Algorithm, LockClass, Strategy, WorkMode};
use mysql::{Capabilities, Version, ident, literal, table_ident};
use types::TableName;

/// What stands for the job's name in a plan that is no job yet.
pub const PLACEHOLDER: &str = "<job>";

/// Percent of each segment a rebuild leaves empty, lowered for the rebuild: the least the server takes.
pub const RESERVE_PERCENT: &str = "0.03";

/// The comment every statement of ours carries: how it is found again in the process list.
pub fn marker(job: &str, number: usize) -> String {
    format!("/* drydock {job} {number} */")
}

/// The statement that rebuilds. Never a bare `OPTIMIZE`: that falls back to a blocking copy without a word and reports
/// failure as a result row; here a way the server cannot go is an error (1845, 1846).
pub fn alter(
    capabilities: &Capabilities,
    marker: &str,
    table: &TableName,
    strategy: &Strategy,
    lock: LockClass,
) -> Option<String> {
    let name = table_ident(table);
    let lock = match lock {
        LockClass::None => "NONE",
        LockClass::Shared => "SHARED",
        LockClass::Exclusive => "EXCLUSIVE",
    };
    let algorithm = |algorithm| match algorithm {
        Algorithm::Inplace => "INPLACE",
        Algorithm::Copy => "COPY",
    };
    match strategy {
        Strategy::Undo { .. } | Strategy::Skip { .. } => None,
        Strategy::InPlace => {
            let algorithm = algorithm(Algorithm::Inplace);
            Some(format!("ALTER {marker} TABLE {name} FORCE, ALGORITHM={algorithm}, LOCK={lock}"))
        }
        Strategy::Copy { .. } => {
            let algorithm = algorithm(Algorithm::Copy);
            Some(format!("ALTER {marker} TABLE {name} FORCE, ALGORITHM={algorithm}, LOCK={lock}"))
        }
        Strategy::Partitions { names } => {
            let names = names.iter().map(|name| ident(name)).collect::<Vec<_>>().join(", ");
            // MariaDB takes neither clause beside a partition's; it reads on and blocks writes, as LOCK=SHARED does.
            if capabilities.is_mariadb() {
                return Some(format!("ALTER {marker} TABLE {name} REBUILD PARTITION {names}"));
            }
            let algorithm = algorithm(Algorithm::Inplace);
            Some(format!("ALTER {marker} TABLE {name} ALGORITHM={algorithm}, LOCK={lock}, REBUILD PARTITION {names}"))
        }
    }
}

/// Settings of the statement's own session, set before it.
///
/// `sql_mode` is emptied but for old dates: a rebuild changes no value, and must not fail on one that today's mode would
/// refuse. MariaDB's `max_statement_time` would kill a long rebuild.
pub fn session(capabilities: &Capabilities, mode: WorkMode, seconds: f64) -> Vec<String> {
    let mut all = Vec::new();
    if mode == WorkMode::BinlogOff {
        all.push("SET SESSION sql_log_bin = 0".to_owned());
    }
    all.push(format!("SET SESSION lock_wait_timeout = {}", patience(seconds)));
    all.push("SET SESSION sql_mode = 'ALLOW_INVALID_DATES'".to_owned());
    if capabilities.is_mariadb() {
        all.push("SET SESSION max_statement_time = 0".to_owned());
    }
    all
}

/// Seconds to wait for the metadata lock at either end. Others queue behind us meanwhile, so little; but at the end of a
/// long rebuild all its work hangs on it, so a sixtieth of the work.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 2..=50")]
pub fn patience(seconds: f64) -> u32 {
    (seconds / 60.0).clamp(2.0, 50.0) as u32
}

/// A global setting that is changed for the rebuild and put back after it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Change {
    /// Variable.
    pub name: String,
    /// Value for the rebuild, as SQL.
    pub value: String,
    /// Value before, as SQL.
    pub old: String,
}

impl Change {
    /// The statement that changes it.
    pub fn arm(&self) -> String {
        format!("SET GLOBAL {} = {}", self.name, self.value)
    }

    /// The statement that puts it back.
    pub fn restore(&self) -> String {
        format!("SET GLOBAL {} = {}", self.name, self.old)
    }
}

/// Global settings a rebuild changes on a node.
pub fn changes(settings: &Settings, strategy: &Strategy, row_log: Option<u64>) -> Vec<Change> {
    let mut all = Vec::new();
    if matches!(strategy, Strategy::Skip { .. }) {
        return all;
    }
    if settings.super_read_only {
        all.push(change("super_read_only", "OFF".into(), "ON".into()));
    }
    if let (Strategy::Undo { .. }, undo) = (strategy, settings.undo) {
        all.extend(undo.into_iter().flat_map(undo_changes));
        return all;
    }
    if let Some(percent) = settings.reserve_percent.filter(|_| settings.lowers_reserve()) {
        all.push(change("innodb_segment_reserve_factor", RESERVE_PERCENT.into(), percent.to_string()));
    }
    if let (Some(limit), Strategy::InPlace) = (row_log, strategy) {
        all.push(change("innodb_online_alter_log_max_size", limit.to_string(), settings.row_log_limit.to_string()));
    }
    all
}

fn change(name: &str, value: String, old: String) -> Change {
    Change { name: name.to_owned(), value, old }
}

/// What makes the purge of a `MariaDB` truncate every undo tablespace that is larger than a new one.
fn undo_changes(now: UndoSettings) -> Vec<Change> {
    let least = undo::MARIADB_BYTES;
    let limit = change("innodb_max_undo_log_size", least.to_string(), now.limit.to_string());
    let truncate = change("innodb_undo_log_truncate", "ON".into(), "OFF".into());
    [(now.limit != least, limit), (!now.truncates, truncate)]
        .into_iter()
        .filter_map(|(needed, change)| needed.then_some(change))
        .collect()
}

/// `STOP` and `START` of the applier, of one channel or of all. The receiver goes on, so that nothing is missed.
pub fn applier(capabilities: &Capabilities, channel: Option<&str>) -> (String, String) {
    // `REPLICA` is understood from 8.0.22 on, channels from 5.7.6 on.
    let word = if capabilities.is_mariadb() || capabilities.version < Version(8, 0, 22) { "SLAVE" } else { "REPLICA" };
    let rest = match channel {
        None if capabilities.is_mariadb() => "ALL SLAVES SQL_THREAD".to_owned(),
        Some(name) if capabilities.is_mariadb() => format!("{word} {} SQL_THREAD", literal(name)),
        Some(name) if capabilities.version >= Version(5, 7, 6) => {
            format!("{word} SQL_THREAD FOR CHANNEL {}", literal(name))
        }
        _ => format!("{word} SQL_THREAD"),
    };
    (format!("STOP {rest}"), format!("START {rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_break_out() {
        let table = TableName::new("a`b", "t; DROP TABLE x");
        let server = |flavor| Capabilities {
            flavor,
            version: mysql::Version(9, 7, 4),
            version_text: String::new(),
            version_comment: String::new(),
        };
        let mysql = server(mysql::Flavor::MySql);
        let sql = alter(&mysql, &marker("j", 1), &table, &Strategy::InPlace, LockClass::None).expect("a statement");
        assert_eq!(sql, "ALTER /* drydock j 1 */ TABLE `a``b`.`t; DROP TABLE x` FORCE, ALGORITHM=INPLACE, LOCK=NONE");
        let names = vec!["p0".to_owned(), "p`1".to_owned()];
        let parts = Strategy::Partitions { names };
        let sql = alter(&mysql, "", &table, &parts, LockClass::Shared).expect("a statement");
        assert!(sql.ends_with("ALGORITHM=INPLACE, LOCK=SHARED, REBUILD PARTITION `p0`, `p``1`"), "{sql}");
        let sql = alter(&server(mysql::Flavor::MariaDb), "", &table, &parts, LockClass::Shared).expect("a statement");
        assert!(sql.ends_with("TABLE `a``b`.`t; DROP TABLE x` REBUILD PARTITION `p0`, `p``1`"), "{sql}");
        assert_eq!(alter(&mysql, "", &table, &Strategy::Skip { reason: String::new() }, LockClass::None), None);
    }

    #[test]
    fn the_applier_is_named_as_the_version_knows_it() {
        let server = |flavor, version| Capabilities {
            flavor,
            version,
            version_text: String::new(),
            version_comment: String::new(),
        };
        let start = |flavor, version, channel| applier(&server(flavor, version), channel).1;
        let my = mysql::Flavor::MySql;
        assert_eq!(start(my, Version(9, 7, 0), None), "START REPLICA SQL_THREAD");
        assert_eq!(start(my, Version(8, 0, 22), Some("a-b")), "START REPLICA SQL_THREAD FOR CHANNEL 'a-b'");
        assert_eq!(start(my, Version(8, 0, 21), Some("")), "START SLAVE SQL_THREAD FOR CHANNEL ''");
        assert_eq!(start(my, Version(5, 7, 44), None), "START SLAVE SQL_THREAD");
        assert_eq!(start(mysql::Flavor::MariaDb, Version(10, 11, 19), Some("b")), "START SLAVE 'b' SQL_THREAD");
        assert_eq!(start(mysql::Flavor::MariaDb, Version(10, 11, 19), None), "START ALL SLAVES SQL_THREAD");
    }

    #[test]
    fn patience_grows_with_the_work_at_stake() {
        assert_eq!((patience(1.0), patience(600.0), patience(1e6)), (2, 10, 50));
    }
}
