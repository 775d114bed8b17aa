//! Gate `metadata_lock`: someone uses the table in a way the rebuild would have to wait for, or waits for it already.
//!
//! The rebuild needs an exclusive metadata lock for a moment at both ends. A pending exclusive lock stops every later
//! statement on the table, so nothing is started while another session holds a lock inside an open transaction or waits for one;
//! what the gate misses is caught by a short `lock_wait_timeout` with back-off. Nobody's session is ever killed.

use super::{unanswered, wait};
use api::GateVerdict;
use mysql::{Row, Session, SqlError, literal};
use std::collections::BTreeMap;
use types::TableName;

/// One lock in the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Connection id; 0 if unknown.
    pub connection: u64,
    /// What is known of it: lock type, statement.
    pub what: String,
}

/// Locks on tables held or awaited by other sessions, by table: one question for the whole server.
pub async fn probe_all(session: &mut Session) -> Result<BTreeMap<TableName, Vec<Holder>>, SqlError> {
    for sql in [PERFORMANCE_SCHEMA, LOCK_INFO] {
        match session.rows(sql).await {
            // An empty answer from a performance schema that is switched off (MariaDB's default) says nothing.
            Ok(rows) if rows.is_empty() => {}
            Ok(rows) => return Ok(by_table(&rows)),
            Err(error) if error.is_unknown_statement() => {}
            Err(error) => return Err(error),
        }
    }
    Ok(BTreeMap::new())
}

/// Locks on one table. Where no view shows locks, somebody who queues for one and names the table is taken for a sign.
pub async fn probe(session: &mut Session, table: &TableName) -> Result<Vec<Holder>, SqlError> {
    match probe_all(session).await?.remove(table) {
        Some(holders) => Ok(holders),
        None => waiting(session, table).await,
    }
}

fn by_table(rows: &[Row]) -> BTreeMap<TableName, Vec<Holder>> {
    let mut all: BTreeMap<TableName, Vec<Holder>> = BTreeMap::new();
    for row in rows {
        let (Some(database), Some(table)) = (row.text("d"), row.text("t")) else { continue };
        let connection = row.parse("c").unwrap_or(0);
        let holder = Holder { connection, what: row.text("w").unwrap_or_default() };
        all.entry(TableName::new(database, table)).or_default().push(holder);
    }
    all
}

/// The applier does not count: its transactions are short, and an old one is the `long_transaction` gate's business.
/// A granted lock counts when its session sleeps on it or has run for two seconds; one of a statement's length is gone
/// in a moment, and the short lock wait covers it.
const PERFORMANCE_SCHEMA: &str = "SELECT l.OBJECT_SCHEMA AS d, l.OBJECT_NAME AS t, t.PROCESSLIST_ID AS c, \
     CONCAT(LOWER(l.LOCK_TYPE), ', ', LOWER(l.LOCK_STATUS)) AS w \
     FROM performance_schema.metadata_locks l \
     LEFT JOIN performance_schema.threads t ON t.THREAD_ID = l.OWNER_THREAD_ID \
     WHERE l.OBJECT_TYPE = 'TABLE' AND COALESCE(t.PROCESSLIST_ID, 0) <> CONNECTION_ID() \
     AND l.OBJECT_SCHEMA NOT IN ('mysql', 'performance_schema', 'sys') \
     AND COALESCE(t.NAME, '') NOT LIKE 'thread/sql/replica%' AND COALESCE(t.NAME, '') NOT LIKE 'thread/sql/slave%' \
     AND (l.LOCK_STATUS = 'PENDING' OR t.PROCESSLIST_COMMAND = 'Sleep' OR COALESCE(t.PROCESSLIST_TIME, 0) >= 2)";

const LOCK_INFO: &str = "SELECT l.TABLE_SCHEMA AS d, l.TABLE_NAME AS t, l.THREAD_ID AS c, LOWER(l.LOCK_MODE) AS w \
     FROM information_schema.METADATA_LOCK_INFO l \
     LEFT JOIN information_schema.PROCESSLIST p ON p.ID = l.THREAD_ID \
     WHERE l.LOCK_TYPE = 'Table metadata lock' AND l.THREAD_ID <> CONNECTION_ID() AND l.TABLE_SCHEMA <> 'mysql' \
     AND COALESCE(p.USER, '') <> 'system user' \
     AND (p.COMMAND = 'Sleep' OR COALESCE(p.TIME, 2) >= 2)";

async fn waiting(session: &mut Session, table: &TableName) -> Result<Vec<Holder>, SqlError> {
    session.sees_everybody().await?;
    let sql = format!(
        "SELECT ID AS c, LEFT(INFO, 60) AS w FROM information_schema.PROCESSLIST \
         WHERE STATE = 'Waiting for table metadata lock' AND ID <> CONNECTION_ID() AND LOCATE({}, INFO) > 0",
        literal(&table.table)
    );
    let holder = |row: &Row| Holder {
        connection: row.parse("c").unwrap_or(0),
        what: format!("waits for it: {}", row.text("w").unwrap_or_default()),
    };
    Ok(session.rows(&sql).await?.iter().map(holder).collect())
}

/// The gate.
pub fn verdict(holders: &Result<Vec<Holder>, SqlError>) -> GateVerdict {
    match holders {
        Err(error) => unanswered("the metadata locks", error),
        Ok(holders) => match holders.first() {
            None => GateVerdict::Pass,
            Some(first) => wait(format!(
                "metadata lock: connection {} ({}) is in the way{}",
                first.connection,
                first.what,
                if holders.len() > 1 { format!(" and {} more", holders.len() - 1) } else { String::new() }
            )),
        },
    }
}
