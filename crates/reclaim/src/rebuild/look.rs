//! Looking for a statement of ours on the server, whoever started it and whatever became of that.

use mysql::{Session, SqlError, literal};

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
