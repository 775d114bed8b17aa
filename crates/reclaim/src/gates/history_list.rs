//! Gate `history_list`: where purge is far behind, a rebuild reads through old versions of rows and keeps purge back further.

use super::{unanswered, wait};
use api::GateVerdict;
use mysql::{Session, SqlError};

/// Undo logs that wait for purge, from which work waits.
pub const LIMIT: u64 = 1_000_000;

/// InnoDB's history list length; `None` where the server has no such counter. Needs `PROCESS`.
pub async fn probe(session: &mut Session) -> Result<Option<u64>, SqlError> {
    let ask = "SELECT `COUNT` AS c FROM information_schema.INNODB_METRICS WHERE NAME = 'trx_rseg_history_len'";
    Ok(session.row(ask).await?.and_then(|row| row.parse("c")))
}

/// The gate.
pub fn verdict(length: &Result<Option<u64>, SqlError>, limit: u64) -> GateVerdict {
    match length {
        Err(error) => unanswered("the history list", error),
        Ok(None) => wait("the server does not say how long its history list is"),
        Ok(Some(length)) if *length > limit => {
            wait(format!("purge is behind: {length} undo logs in the history list (limit {limit})"))
        }
        Ok(Some(_)) => GateVerdict::Pass,
    }
}
