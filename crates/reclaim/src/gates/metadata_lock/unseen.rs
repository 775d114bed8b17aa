//! What can be told of metadata locks where the server shows none, or not all: who queues, and who may hold one.

use super::{Holder, MOMENT};
use mysql::{Row, Session, SqlError};
use types::TableName;

/// Somebody who waits for a table, by his statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Waiter {
    connection: u64,
    statement: String,
}

impl Waiter {
    /// As one in the way of a table his statement names.
    pub(super) fn wants(&self, table: &TableName) -> Option<Holder> {
        let short: String = self.statement.chars().take(60).collect();
        let holder = || Holder { connection: self.connection, what: format!("waits for it: {short}") };
        self.statement.to_lowercase().contains(&table.table.to_lowercase()).then(holder)
    }
}

/// Everybody who waits for a table.
pub(super) async fn waiters(session: &mut Session) -> Result<Vec<Waiter>, SqlError> {
    session.sees_everybody().await?;
    let sql = "SELECT ID AS c, CONVERT(INFO USING utf8mb4) AS w FROM information_schema.PROCESSLIST \
               WHERE STATE = 'Waiting for table metadata lock' AND ID <> CONNECTION_ID() AND INFO IS NOT NULL";
    let waiter =
        |row: &Row| Waiter { connection: row.parse("c").unwrap_or(0), statement: row.text("w").unwrap_or_default() };
    Ok(session.rows(sql).await?.iter().map(waiter).collect())
}

/// Who may hold a lock that is not shown, and why it is not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Suspects {
    pub(super) why: Option<&'static str>,
    /// Connection and seconds of each transaction that is open for longer than a moment.
    open: Vec<(u64, u64)>,
}

impl Suspects {
    /// As ones in the way of any table.
    pub(super) fn holders(&self) -> impl Iterator<Item = Holder> {
        let why = self.why.unwrap_or_default();
        self.open.iter().map(move |(connection, seconds)| Holder {
            connection: *connection,
            what: format!("in a transaction for {seconds} s, may hold one: {why}"),
        })
    }
}

/// Every session but the applier that is in a transaction of more than a moment. A `LOCK TABLES` or `HANDLER` without one
/// stays unseen: the statement's own short `lock_wait_timeout` turns those into a wait.
pub(super) async fn suspects(session: &mut Session, why: &'static str) -> Result<Suspects, SqlError> {
    session.sees_everybody().await?;
    let sql = format!(
        "SELECT x.trx_mysql_thread_id AS c, TIMESTAMPDIFF(SECOND, x.trx_started, NOW()) AS s \
         FROM information_schema.INNODB_TRX x \
         LEFT JOIN information_schema.PROCESSLIST p ON p.ID = x.trx_mysql_thread_id \
         WHERE x.trx_mysql_thread_id <> CONNECTION_ID() AND COALESCE(p.USER, '') <> 'system user' \
         AND TIMESTAMPDIFF(SECOND, x.trx_started, NOW()) >= {MOMENT} ORDER BY x.trx_started"
    );
    let open = |row: &Row| (row.parse("c").unwrap_or(0), row.parse("s").unwrap_or(0));
    Ok(Suspects { why: Some(why), open: session.rows(&sql).await?.iter().map(open).collect() })
}
