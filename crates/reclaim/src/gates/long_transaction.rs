//! Gate `long_transaction`: an old transaction would hold the table's metadata lock or keep purge from working.

use super::{unanswered, wait};
use api::GateVerdict;
use mysql::{Session, SqlError};

/// Age, in seconds, from which a transaction is waited for.
pub const LIMIT_SECONDS: u64 = 60;

/// The oldest transaction of a server that is not ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Oldest {
    /// Seconds since it began.
    pub seconds: u64,
    /// Its connection id; 0 is an internal one.
    pub connection: u64,
}

/// Asks `INNODB_TRX`; `None` if no other transaction is open.
pub async fn probe(session: &mut Session) -> Result<Option<Oldest>, SqlError> {
    // PREPARED XA transactions survive their session (thread id 0) and hold locks like any other.
    let sql = "SELECT trx_mysql_thread_id AS c, TIMESTAMPDIFF(SECOND, trx_started, NOW()) AS s \
               FROM information_schema.INNODB_TRX WHERE trx_mysql_thread_id <> CONNECTION_ID() \
               ORDER BY trx_started LIMIT 1";
    let row = session.row(sql).await?;
    Ok(row.and_then(|row| {
        Some(Oldest { seconds: row.parse::<i64>("s")?.max(0).unsigned_abs(), connection: row.parse("c")? })
    }))
}

/// The gate: waits while the oldest transaction is older than `limit` seconds.
pub fn verdict(oldest: &Result<Option<Oldest>, SqlError>, limit: u64) -> GateVerdict {
    match oldest {
        Err(error) => unanswered("the list of open transactions", error),
        Ok(Some(Oldest { seconds, connection })) if *seconds > limit => {
            wait(format!("connection {connection} has held a transaction open for {seconds} s (limit {limit} s)"))
        }
        Ok(_) => GateVerdict::Pass,
    }
}
