//! The release build of the tool, as its users start it.

use serde_json::Value;
use std::{
    path::{Path, PathBuf},
    process::Stdio,
};
use testkit::{PASSWORD, USER};
use tokio::process::Command;
use types::Address;

/// `drydock` in a home of its own; `$DRYDOCK_BIN`, else `target/release/drydock`.
pub fn drydock(home: &Path) -> Command {
    let built = PathBuf::from(std::env::var("DRYDOCK_BIN").unwrap_or_else(|_| "target/release/drydock".into()));
    let mut command = Command::new(built.canonicalize().expect("build drydock first, or set DRYDOCK_BIN"));
    command.current_dir(home).env("RECYCLER_DB_PASSWORD", PASSWORD).stdin(Stdio::null());
    command
}

/// `drydock recycle` on a member, thresholds near zero.
pub fn recycle(member: &Address, home: &Path) -> Command {
    let mut command = drydock(home);
    command.args(["recycle", "--host", &member.host, "--port", &member.port.to_string(), "--user", USER, "--yes"]);
    command.args(["--threshold-mb", "1", "--threshold-percent", "1"]);
    command
}

/// Finds a field of a table anywhere in a plan or report.
pub fn of_table<'a>(report: &'a Value, table: &str, field: &str) -> Option<&'a Value> {
    match report {
        Value::Object(map) if map.get("table").and_then(Value::as_str) == Some(table) && map.contains_key(field) => {
            map.get(field)
        }
        Value::Object(map) => map.values().find_map(|value| of_table(value, table, field)),
        Value::Array(list) => list.iter().find_map(|value| of_table(value, table, field)),
        _ => None,
    }
}

/// Seconds a table's statement took, by a report.
pub fn seconds_of(report: &Value, table: &str) -> Option<f64> {
    of_table(report, table, "seconds").and_then(Value::as_f64)
}
