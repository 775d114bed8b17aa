//! Locks as a server shows them: `performance_schema.metadata_locks`, or MariaDB's plugin `metadata_lock_info`.

use super::{Holder, MOMENT};
use mysql::{Row, Session, SqlError};
use types::TableName;

/// One lock on a table.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Lock {
    pub table: TableName,
    /// Who holds or wants it; `None` is nobody who is still there, such as a prepared XA transaction.
    pub connection: Option<u64>,
    /// `SHARED_READ` and the like.
    pub kind: String,
    /// Wanted, not held.
    pub pending: bool,
    /// Held beyond statement and transaction, such as by `HANDLER`.
    pub explicit: bool,
    /// Seconds it has been held.
    pub seconds: Option<f64>,
    /// Seconds the transaction of its session has been open.
    pub transaction: Option<f64>,
    /// Seconds its session has been at a statement; `None` if it is at none.
    pub statement: Option<f64>,
}

/// What a statement that reads or changes rows takes. Every other kind is a `LOCK TABLES` or another DDL.
const PLAIN: [&str; 5] = ["SHARED", "SHARED_HIGH_PRIO", "SHARED_READ", "SHARED_WRITE", "SHARED_WRITE_LOW_PRIO"];

impl Lock {
    pub(super) fn is_in_the_way(&self) -> bool {
        let plain = PLAIN.contains(&self.kind.as_str());
        // One whose age nobody knows may stay for ever.
        self.pending || self.explicit || !plain || self.age().is_none_or(|age| age >= MOMENT)
    }

    /// Seconds it has been held, as far as that is known: no longer than its transaction, or than its statement where there
    /// is no transaction.
    fn age(&self) -> Option<f64> {
        let transaction = self.transaction.map(|seconds| seconds.max(self.statement.unwrap_or(0.0)));
        self.seconds.or(transaction).or(self.statement)
    }

    pub(super) fn holder(self) -> Holder {
        let status = if self.pending { "pending" } else { "granted" };
        let age = self.age().map(|age| format!(", {age:.0} s")).unwrap_or_default();
        let gone = if self.connection.is_none() { ", of no session that is there" } else { "" };
        let what = format!("{}, {status}{age}{gone}", self.kind.to_lowercase());
        Holder { connection: self.connection.unwrap_or(0), what }
    }
}

/// What both views are asked beside their own columns: who it is, and since when.
fn lock(row: &Row) -> Lock {
    let plain = |column: &str| row.text(column).unwrap_or_default().trim_start_matches("MDL_").to_owned();
    let asleep = row.text("command").is_none_or(|command| command == "Sleep");
    let trx = row.parse::<f64>("trx");
    Lock {
        table: TableName::new(row.text("d").unwrap_or_default(), row.text("t").unwrap_or_default()),
        connection: row.parse("c").filter(|id| *id != 0),
        kind: plain("kind"),
        pending: row.text("status").is_some_and(|status| status == "PENDING"),
        explicit: plain("duration") == "EXPLICIT",
        seconds: row.parse::<f64>("LOCK_TIME_MS").map(|milliseconds| milliseconds / 1000.0),
        transaction: row.parse::<f64>("event").map(|event| event.max(trx.unwrap_or(0.0))).or(trx),
        statement: row.parse("s").filter(|_| !asleep),
    }
}

/// The applier does not count: its transactions are short, and an old one is the `long_transaction` gate's business.
///
/// Our own lock on the view is asked for as well: it must be there. The age of a transaction comes from whoever knows it.
const PERFORMANCE_SCHEMA: &str = "SELECT l.OBJECT_SCHEMA AS d, l.OBJECT_NAME AS t, t.PROCESSLIST_ID AS c, \
     COALESCE(t.PROCESSLIST_ID = CONNECTION_ID(), 0) AS own, l.LOCK_TYPE AS kind, l.LOCK_DURATION AS duration, \
     l.LOCK_STATUS AS status, t.PROCESSLIST_COMMAND AS command, t.PROCESSLIST_TIME AS s, \
     e.TIMER_WAIT / 1000000000000 AS event, TIMESTAMPDIFF(SECOND, x.trx_started, NOW()) AS trx \
     FROM performance_schema.metadata_locks l \
     LEFT JOIN performance_schema.threads t ON t.THREAD_ID = l.OWNER_THREAD_ID \
     LEFT JOIN performance_schema.events_transactions_current e \
     ON e.THREAD_ID = l.OWNER_THREAD_ID AND e.STATE = 'ACTIVE' \
     LEFT JOIN information_schema.INNODB_TRX x ON x.trx_mysql_thread_id = t.PROCESSLIST_ID \
     WHERE l.OBJECT_TYPE = 'TABLE' AND (t.PROCESSLIST_ID = CONNECTION_ID() \
     OR l.OBJECT_SCHEMA NOT IN ('mysql', 'performance_schema', 'sys')) \
     AND COALESCE(t.NAME, '') NOT LIKE 'thread/sql/replica%' AND COALESCE(t.NAME, '') NOT LIKE 'thread/sql/slave%' \
     AND COALESCE(t.PROCESSLIST_USER, '') <> 'system user'";

/// The plugin's own columns come last: not every version has the same.
const LOCK_INFO: &str = "SELECT l.TABLE_SCHEMA AS d, l.TABLE_NAME AS t, l.THREAD_ID AS c, l.LOCK_MODE AS kind, \
     l.LOCK_DURATION AS duration, p.COMMAND AS command, p.TIME AS s, \
     TIMESTAMPDIFF(SECOND, x.trx_started, NOW()) AS trx, l.* \
     FROM information_schema.METADATA_LOCK_INFO l \
     LEFT JOIN information_schema.PROCESSLIST p ON p.ID = l.THREAD_ID \
     LEFT JOIN information_schema.INNODB_TRX x ON x.trx_mysql_thread_id = l.THREAD_ID AND l.THREAD_ID <> 0 \
     WHERE l.LOCK_TYPE = 'Table metadata lock' AND l.THREAD_ID <> CONNECTION_ID() AND l.TABLE_SCHEMA <> 'mysql' \
     AND COALESCE(p.USER, '') <> 'system user'";

/// Every lock that is held, by MariaDB's plugin; `None` where it is not loaded.
pub(super) async fn by_lock_info(session: &mut Session) -> Result<Option<Vec<Lock>>, SqlError> {
    Ok(answer(session.rows(LOCK_INFO).await)?.map(|rows| rows.iter().map(lock).collect()))
}

/// What was seen, and why that cannot be all.
type Partial = (Vec<Lock>, &'static str);

/// Every lock held or wanted; or what could be seen and why that is not to be trusted to be all.
pub(super) async fn by_performance_schema(session: &mut Session) -> Result<Result<Vec<Lock>, Partial>, SqlError> {
    let Some(rows) = answer(session.rows(PERFORMANCE_SCHEMA).await)? else {
        return Ok(Err((Vec::new(), "this server has no view of its metadata locks")));
    };
    let (own, others): (Vec<Row>, Vec<Row>) = rows.into_iter().partition(|row| row.flag("own") == Some(true));
    let locks = others.iter().map(lock).collect();
    // The schema may be switched off, or not told to watch locks: MariaDB's and MySQL 5.7's default.
    if own.is_empty() {
        return Ok(Err((locks, "its performance_schema does not watch metadata locks")));
    }
    let lost = session.row("SHOW GLOBAL STATUS LIKE 'Performance_schema_metadata_lock_lost'").await?;
    if lost.is_some_and(|row| row.parse::<u64>("Value") != Some(0)) {
        return Ok(Err((locks, "its performance_schema had no room for all metadata locks")));
    }
    Ok(Ok(locks))
}

/// `None` where the server has no such view.
fn answer(rows: Result<Vec<Row>, SqlError>) -> Result<Option<Vec<Row>>, SqlError> {
    match rows {
        Ok(rows) => Ok(Some(rows)),
        Err(error) if error.is_unknown_statement() => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A lock of a session that sleeps in a transaction of this age.
    fn idle(transaction: Option<f64>) -> Lock {
        Lock {
            table: TableName::new("d", "t"),
            connection: Some(7),
            kind: "SHARED_READ".into(),
            pending: false,
            explicit: false,
            seconds: None,
            transaction,
            statement: None,
        }
    }

    #[test]
    fn what_is_gone_in_a_moment_is_not_waited_for() {
        let short = [
            idle(Some(0.3)),
            Lock { statement: Some(0.0), ..idle(Some(1.9)) },
            Lock { statement: Some(1.0), ..idle(None) },
            Lock { seconds: Some(0.7), statement: Some(50.0), ..idle(Some(60.0)) },
            // MariaDB's purge, which holds a table for a batch.
            Lock { connection: None, kind: "SHARED".into(), seconds: Some(0.7), ..idle(None) },
        ];
        for lock in short {
            assert!(!lock.is_in_the_way(), "{lock:?}");
        }
    }

    #[test]
    fn what_stays_is_waited_for_whatever_its_session_does() {
        let long = [
            idle(Some(2.0)),
            // A short statement in a long transaction.
            Lock { statement: Some(0.0), ..idle(Some(30.0)) },
            Lock { statement: Some(2.0), ..idle(None) },
            Lock { seconds: Some(2.5), ..idle(None) },
            // LOCK TABLES is no transaction; nor is HANDLER.
            Lock { kind: "SHARED_READ_ONLY".into(), statement: Some(0.0), ..idle(None) },
            Lock { kind: "SHARED_NO_READ_WRITE".into(), ..idle(Some(0.0)) },
            Lock { explicit: true, kind: "SHARED".into(), statement: Some(0.0), ..idle(None) },
            Lock { kind: "EXCLUSIVE".into(), pending: true, statement: Some(0.0), ..idle(None) },
            // Nothing is known of when it will end.
            idle(None),
            Lock { connection: None, ..idle(None) },
        ];
        for lock in long {
            assert!(lock.is_in_the_way(), "{lock:?}");
        }
    }
}
