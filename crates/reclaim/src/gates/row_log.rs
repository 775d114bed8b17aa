//! Gate `row_log`: changes made beside an online rebuild are kept in a log of bounded size; a full one (1799) throws all
//! work away. The log's need is the table's measured write rate times the predicted time.

use super::wait;
use api::GateVerdict;
use mysql::{Capabilities, Session, SqlError};
use runtime::{Clock, Instant};
use std::collections::BTreeMap;
use types::TableName;

/// Bytes of row log a changed row takes beyond its own: header, keys of both images.
const ROW_OVERHEAD: f64 = 64.0;

/// Most the log may be raised to: it is replayed under an exclusive lock at the end.
pub const CEILING: u64 = 4 << 30;

/// Rows changed so far, as counters, at a moment.
#[derive(Debug, Clone)]
pub struct Counts {
    /// Table by table; `None` where the server counts only for all together.
    tables: Option<BTreeMap<TableName, u64>>,
    all: u64,
    at: Instant,
}

/// Reads how many rows of each table were ever changed; on a server that does not count so, those of all together.
pub async fn counts(session: &mut Session, caps: &Capabilities, clock: &Clock) -> Result<Counts, SqlError> {
    let tables = if caps.is_mariadb() { None } else { per_table(session).await? };
    Ok(Counts { tables, all: all_tables(session).await?, at: clock.instant() })
}

async fn per_table(session: &mut Session) -> Result<Option<BTreeMap<TableName, u64>>, SqlError> {
    let sql = "SELECT OBJECT_SCHEMA AS d, OBJECT_NAME AS t, COUNT_INSERT + COUNT_UPDATE + COUNT_DELETE AS n \
               FROM performance_schema.table_io_waits_summary_by_table \
               WHERE OBJECT_TYPE = 'TABLE' AND OBJECT_SCHEMA NOT IN ('mysql', 'performance_schema', 'sys')";
    match session.rows(sql).await {
        // An empty answer is a performance schema that is switched off, not a server at rest.
        Ok(rows) if rows.is_empty() => Ok(None),
        Ok(rows) => Ok(Some(
            rows.iter()
                .filter_map(|row| Some((TableName::new(row.text("d")?, row.text("t")?), row.parse("n")?)))
                .collect(),
        )),
        Err(error) if error.is_unknown_statement() => Ok(None),
        Err(error) => Err(error),
    }
}

/// MariaDB has counted InnoDB's rows no more since 10.6 or so; what handlers wrote, internal temporary tables aside, is
/// never less. A server that counts in neither way is no server at rest.
async fn all_tables(session: &mut Session) -> Result<u64, SqlError> {
    let sql = "SHOW GLOBAL STATUS WHERE Variable_name IN \
               ('Innodb_rows_inserted', 'Innodb_rows_updated', 'Innodb_rows_deleted', \
               'Handler_write', 'Handler_update', 'Handler_delete')";
    let rows = session.rows(sql).await?;
    let sum = |prefix: &str| {
        let named = |row: &&mysql::Row| row.text("Variable_name").is_some_and(|name| name.starts_with(prefix));
        let counts: Vec<u64> = rows.iter().filter(named).filter_map(|row| row.parse("Value")).collect();
        (counts.len() == 3).then(|| counts.iter().sum())
    };
    sum("Innodb_rows_").or_else(|| sum("Handler_")).ok_or_else(|| SqlError::Shape {
        address: session.address().clone(),
        column: "Handler_write".to_owned(),
        statement: sql.to_owned(),
    })
}

/// Rows of one table changed per second between two readings; where only all tables together are counted, their sum,
/// which is never too little.
#[allow(clippy::cast_precision_loss, reason = "a rate")]
pub fn rate(earlier: &Counts, later: &Counts, table: &TableName, clock: &Clock) -> f64 {
    let seconds = clock.since(earlier.at).as_secs_f64() - clock.since(later.at).as_secs_f64();
    let of = |counts: &Counts| match &counts.tables {
        Some(tables) => tables.get(table).copied().unwrap_or(0),
        None => counts.all,
    };
    if seconds <= 0.0 { 0.0 } else { of(later).saturating_sub(of(earlier)) as f64 / seconds }
}

/// Bytes the log will need.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a size in bytes, rounded up")]
pub fn needed(rows_per_second: f64, row_bytes: f64, seconds: f64) -> u64 {
    (rows_per_second * (row_bytes + ROW_OVERHEAD) * seconds).ceil().max(0.0) as u64
}

/// What the limit must be for a need: twice the need, as the rate may rise; `None` if the limit in force will do.
pub fn raised(needed: u64, limit: u64) -> Option<u64> {
    let wanted = needed.saturating_mul(2);
    (wanted > limit).then(|| wanted.min(CEILING))
}

/// The gate: waits for a calmer hour if even the most the log may be would overflow.
pub fn verdict(needed: u64, most: u64) -> GateVerdict {
    if needed > most {
        let [needed, most] = [needed, most].map(|bytes| bytes / (1 << 20));
        return wait(format!("the rebuild would log {needed} MB of concurrent changes; {most} MB is the most it may"));
    }
    GateVerdict::Pass
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_raised_only_as_far_as_needed() {
        let limit = 128 << 20;
        assert_eq!(raised(10 << 20, limit), None);
        assert_eq!(raised(100 << 20, limit), Some(200 << 20));
        assert_eq!(raised(CEILING, limit), Some(CEILING));
        assert!(matches!(verdict(CEILING + 1, CEILING), GateVerdict::Wait { .. }));
        assert!(matches!(verdict(limit + 1, limit), GateVerdict::Wait { .. }), "the limit in force counts");
        assert_eq!(verdict(limit, limit), GateVerdict::Pass);
    }

    #[test]
    fn need_grows_with_rate_and_time() {
        assert_eq!(needed(0.0, 100.0, 1e6), 0);
        assert_eq!(needed(1000.0, 136.0, 100.0), 20_000_000);
    }
}
