//! Gate `backup_lock`: a backup that forbids DDL is under way.
//!
//! MySQL shows `LOCK INSTANCE FOR BACKUP` as a shared `BACKUP LOCK` in `performance_schema.metadata_locks` (a DDL's own is
//! `INTENTION_EXCLUSIVE`). MariaDB shows `BACKUP STAGE` only through the optional plugin `metadata_lock_info`. Where
//! neither can be read, the statement's own short `lock_wait_timeout` turns the lock into a wait.

use super::{unanswered, wait};
use api::GateVerdict;
use mysql::{Session, SqlError};

/// Who holds a backup lock; `None` if nobody does or it cannot be seen on this server.
pub async fn probe(session: &mut Session) -> Result<Option<String>, SqlError> {
    let mysql = "SELECT t.PROCESSLIST_ID AS c FROM performance_schema.metadata_locks l \
                 LEFT JOIN performance_schema.threads t ON t.THREAD_ID = l.OWNER_THREAD_ID \
                 WHERE l.OBJECT_TYPE = 'BACKUP LOCK' AND l.LOCK_STATUS = 'GRANTED' \
                 AND l.LOCK_TYPE NOT LIKE 'INTENTION%' LIMIT 1";
    let mariadb = "SELECT THREAD_ID AS c FROM information_schema.METADATA_LOCK_INFO \
                   WHERE LOCK_TYPE = 'Backup lock' AND LOCK_MODE IN ('MDL_BACKUP_BLOCK_DDL', \
                   'MDL_BACKUP_WAIT_COMMIT', 'MDL_BACKUP_WAIT_FLUSH', 'MDL_BACKUP_FTWRL1', 'MDL_BACKUP_FTWRL2') LIMIT 1";
    for sql in [mariadb, mysql] {
        match session.row(sql).await {
            Ok(row) => return Ok(row.map(|row| row.text("c").unwrap_or_else(|| "unknown".to_owned()))),
            Err(error) if error.is_unknown_statement() => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

/// The gate.
pub fn verdict(holder: &Result<Option<String>, SqlError>) -> GateVerdict {
    match holder {
        Err(error) => unanswered("the backup lock", error),
        Ok(Some(connection)) => wait(format!("a backup holds the instance lock (connection {connection})")),
        Ok(None) => GateVerdict::Pass,
    }
}
