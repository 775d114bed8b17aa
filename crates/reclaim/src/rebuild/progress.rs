//! How far a running statement is: stage events on MySQL, growth of the new file everywhere.
//!
//! MariaDB's own percentage stays at 0 in the process list for an in-place rebuild and ends near a quarter in
//! `Innodb_onlineddl_pct_progress`; MySQL's stage events reach 100 % after 60 % of the time and their consumer is off by
//! default. The new file's size against the predicted one needs neither, so it is the base; a stage event that knows a
//! later phase raises it.

use super::file;
use mysql::{Capabilities, Session, SqlError};
use types::TableName;

/// Phases of MySQL's online loader: share of the wall time before each, and its own share.
const PHASES: [(&str, f64, f64); 6] = [
    ("read PK and internal sort", 0.0, 0.55),
    ("merge sort", 0.55, 0.15),
    ("insert", 0.70, 0.20),
    ("flush", 0.90, 0.04),
    ("log apply", 0.94, 0.04),
    ("end", 0.98, 0.02),
];

/// The most a statement that still runs is said to have done.
const CEILING: f64 = 0.99;

/// What is being watched.
pub(crate) struct Watched<'a> {
    /// The table.
    pub table: &'a TableName,
    /// Connection that rebuilds it.
    pub connection: u32,
    /// Predicted size of the new file.
    pub predicted_bytes: u64,
    /// Tablespaces the table had before.
    pub known_spaces: &'a [u64],
}

/// Fraction done, 0 to 1; `None` if nothing can be seen yet.
pub(crate) async fn fraction(
    session: &mut Session,
    capabilities: &Capabilities,
    watched: &Watched<'_>,
) -> Result<Option<f64>, SqlError> {
    let staged = if capabilities.is_mariadb() { None } else { stages(session, watched.connection).await? };
    let grown = grown(session, capabilities, watched).await?;
    let by_size = grown.map(|bytes| bytes as f64 / watched.predicted_bytes.max(1) as f64);
    Ok(staged.into_iter().chain(by_size).reduce(f64::max).map(|value| value.clamp(0.0, CEILING)))
}

async fn stages(session: &mut Session, connection: u32) -> Result<Option<f64>, SqlError> {
    let sql = format!(
        "SELECT s.EVENT_NAME AS e, s.WORK_COMPLETED AS d, s.WORK_ESTIMATED AS n \
         FROM performance_schema.events_stages_current s JOIN performance_schema.threads t USING (THREAD_ID) \
         WHERE t.PROCESSLIST_ID = {connection} AND s.WORK_ESTIMATED > 0"
    );
    match session.rows(&sql).await {
        Ok(rows) => Ok(rows
            .iter()
            .filter_map(|row| Some(phase(&row.text("e")?, row.parse("d")?, row.parse("n")?)))
            .reduce(f64::max)),
        Err(error) if error.is_unknown_statement() || error.is_denied() => Ok(None),
        Err(error) => Err(error),
    }
}

fn phase(event: &str, done: f64, estimated: f64) -> f64 {
    let within = (done / estimated.max(1.0)).clamp(0.0, 1.0);
    if event.contains("copy to tmp table") {
        return within;
    }
    let known = PHASES.iter().find(|(name, _, _)| event.contains(&format!("({name}")));
    known.map_or(0.0, |(_, before, share)| before + share * within)
}

/// Size of the file being written: a temporary tablespace of this connection, or the table's name with a new id.
async fn grown(
    session: &mut Session,
    capabilities: &Capabilities,
    watched: &Watched<'_>,
) -> Result<Option<u64>, SqlError> {
    let temporary: u64 = file::orphans(session, capabilities)
        .await?
        .iter()
        .filter(|(name, _)| belongs(name, watched.connection))
        .map(|(_, bytes)| bytes)
        .sum();
    let under_own_name: u64 = file::spaces(session, capabilities, watched.table)
        .await?
        .iter()
        .filter(|(id, _, _)| !watched.known_spaces.contains(id))
        .map(|(_, _, bytes)| bytes)
        .sum();
    let bytes = temporary.max(under_own_name);
    Ok((bytes > 0).then_some(bytes))
}

/// `db/#sql-alter-<pid>-<connection>` (MariaDB) and `db/#sql-<pid>_<connection>` (copy): both in hexadecimal.
fn belongs(name: &str, connection: u32) -> bool {
    let id = format!("{connection:x}");
    let last = name.split('#').nth(1).unwrap_or_default().rsplit(['-', '_']).next();
    last == Some(id.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phases_are_weighed() {
        let read = phase("stage/innodb/alter table (read PK and internal sort)", 50.0, 100.0);
        let flush = phase("stage/innodb/alter table (flush)", 50.0, 100.0);
        assert!((read - 0.275).abs() < 1e-9 && (flush - 0.92).abs() < 1e-9);
        assert!((phase("stage/sql/copy to tmp table", 30.0, 100.0) - 0.3).abs() < 1e-9);
        assert!(phase("stage/innodb/buffer pool load", 1.0, 1.0).abs() < 1e-9);
    }

    #[test]
    fn a_temporary_file_names_its_connection() {
        assert!(belongs("t/#sql-alter-5c65-10", 16));
        assert!(belongs("t/#sql-5c66_1d", 29));
        assert!(!belongs("t/#sql-5c66_1d", 30));
        assert!(belongs("t/#sql-5c66_1d#p#p0", 29));
    }
}
