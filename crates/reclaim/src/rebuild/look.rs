//! Looking for a statement of ours on the server, whoever started it and whatever became of that.

use super::Work;
use crate::ReclaimError;
use mysql::{Session, SqlError, literal};
use topology::Channel;

/// Asks what [`is_read_only`] judges.
pub(crate) const READ_ONLY: &str = "SELECT @@GLOBAL.read_only";
/// A variable that is lowered.
pub(crate) const SUPER_READ_ONLY: &str = "super_read_only";
/// A variable that is raised.
pub(crate) const ROW_LOG: &str = "innodb_online_alter_log_max_size";

/// True only for a value known to keep clients from writing; MariaDB 12 has `NO_LOCK` and `NO_LOCK_NO_ADMIN` beside `ON`.
pub(crate) fn is_read_only(value: Option<&str>) -> bool {
    let upper = value.unwrap_or_default().to_ascii_uppercase();
    upper == "1" || upper == "ON" || upper.starts_with("NO_LOCK")
}

/// The inbound channels; not to be told them is an error, never "none".
pub(crate) async fn channels(work: &Work, session: &mut Session) -> Result<Vec<Channel>, ReclaimError> {
    match topology::inbound(session).await? {
        Ok(told) => Ok(told.value),
        Err(untold) => Err(work.refused("applier", format!("its channels cannot be read: {}", untold.error))),
    }
}

/// True unless the channel's applier is known to stand still.
pub(crate) fn applies(channel: &Channel) -> bool {
    channel.sql != "No"
}

/// A statement that bears a marker and runs now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Running {
    /// Its connection id.
    pub connection: u32,
    /// The server's word for what it does.
    pub state: String,
}

/// The running statement with this marker, if there is one.
///
/// `COMMAND` is asked as well: a session that has ended its statement may still show the text. An account that may not see
/// other users' sessions sees at least its own, which these are.
pub(crate) async fn running(session: &mut Session, marker: &str) -> Result<Option<Running>, SqlError> {
    let sql = format!(
        "SELECT ID AS c, STATE AS s FROM information_schema.PROCESSLIST \
         WHERE COMMAND NOT IN ('Sleep', 'Daemon') AND ID <> CONNECTION_ID() \
         AND LOCATE({}, CONVERT(INFO USING utf8mb4)) > 0 LIMIT 1",
        literal(marker)
    );
    let row = session.row(&sql).await?;
    Ok(row.and_then(|row| Some(Running { connection: row.parse("c")?, state: row.text("s").unwrap_or_default() })))
}

/// True if any rebuild of any Drydock runs on the server.
pub(crate) async fn running_any(session: &mut Session) -> Result<bool, SqlError> {
    Ok(running(session, "/* drydock ").await?.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_not_read_only() {
        for value in [Some("1"), Some("ON"), Some("on"), Some("NO_LOCK"), Some("NO_LOCK_NO_ADMIN")] {
            assert!(is_read_only(value), "{value:?}");
        }
        for value in [None, Some(""), Some("0"), Some("OFF"), Some("2")] {
            assert!(!is_read_only(value), "{value:?}");
        }
    }

    #[test]
    fn only_a_stopped_applier_stands_still() {
        let channel = |io: &str, sql: &str| Channel { io: io.into(), sql: sql.into(), ..Channel::default() };
        assert!(applies(&channel("Connecting", "Yes")) && applies(&channel("No", "")));
        assert!(!applies(&channel("Yes", "No")));
    }
}
