//! Shrinks bloated undo tablespaces while the server works, and leaves the set of them as it was.

use super::holders::{MYSQL_UNDO_BYTES, undo_spaces};
use crate::estimate::spaces::Spaces;
use mysql::{Capabilities, Session, SqlError, Version, ident, literal};
use runtime::Clock;
use std::time::Duration;

/// What a shrink did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UndoShrink {
    /// Bytes of all undo tablespaces before.
    pub before_bytes: u64,
    /// The same after.
    pub after_bytes: u64,
    /// Tablespaces made small again.
    pub shrunk: Vec<String>,
    /// Tablespaces left alone, each with why.
    pub left: Vec<String>,
}

/// Why nothing was shrunk, or not all put back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UndoShrinkError {
    /// This server has no statement for it.
    #[error("{version} cannot shrink undo tablespaces by a statement: {next}")]
    Unsupported {
        /// Which server.
        version: String,
        /// What to do instead.
        next: String,
    },
    /// A statement failed; what was changed has been put back.
    #[error(transparent)]
    Sql(#[from] SqlError),
    /// The spare tablespace could not be dropped.
    #[error("the spare undo tablespace {spare} is still there ({reason}): set it inactive and drop it when empty")]
    SpareLeft {
        /// Its name.
        spare: String,
        /// Why.
        reason: String,
    },
}

/// The tablespace that stands in while another is emptied.
const SPARE: &str = "drydock_spare_undo";
const POLL: Duration = Duration::from_millis(50);

/// Empties and truncates each undo tablespace above its initial size, one after the other, each within `limit`.
///
/// MySQL 8.0.14 and later. Needs `CREATE TABLESPACE`, and `super_read_only` must be off. Two others always stay
/// active: a spare is made first and dropped at the end, and every tablespace set inactive is set active again, also
/// after an error. Nothing is written to the binlog. A transaction that is open all the while makes it give up.
pub async fn shrink_undo(
    session: &mut Session,
    caps: &Capabilities,
    clock: &Clock,
    limit: Duration,
) -> Result<UndoShrink, UndoShrinkError> {
    refuse_unable(caps)?;
    let logged = session.value("SELECT @@SESSION.sql_log_bin").await?.unwrap_or_default();
    session.run("SET SESSION sql_log_bin = 0").await?;
    let result = with_spare(session, caps, clock, limit).await;
    // `logged` is the server's own 0 or 1.
    session.run(&format!("SET SESSION sql_log_bin = {}", if logged == "0" { "0" } else { "1" })).await?;
    result
}

fn refuse_unable(caps: &Capabilities) -> Result<(), UndoShrinkError> {
    let next = if caps.is_mariadb() {
        "SET GLOBAL innodb_undo_log_truncate = ON does it in the background where innodb_undo_tablespaces is 2 or more"
    } else if caps.version < Version(8, 0, 14) {
        "innodb_undo_log_truncate does it in the background"
    } else {
        return Ok(());
    };
    Err(UndoShrinkError::Unsupported { version: caps.version_text.clone(), next: next.into() })
}

async fn with_spare(
    session: &mut Session,
    caps: &Capabilities,
    clock: &Clock,
    limit: Duration,
) -> Result<UndoShrink, UndoShrinkError> {
    let before = sizes(session, caps).await?;
    let bloated: Vec<String> = before
        .iter()
        .filter(|(name, bytes)| *bytes > MYSQL_UNDO_BYTES && name != SPARE)
        .map(|(name, _)| name.clone())
        .collect();
    let mut outcome =
        UndoShrink { before_bytes: total(&before), after_bytes: total(&before), shrunk: vec![], left: vec![] };
    let stray = before.iter().any(|(name, _)| name == SPARE);
    if bloated.is_empty() && !stray {
        return Ok(outcome);
    }
    if !stray {
        let file = literal(&format!("{SPARE}.ibu"));
        session.run(&format!("CREATE UNDO TABLESPACE {} ADD DATAFILE {file}", ident(SPARE))).await?;
    }
    let emptied = empty_each(session, clock, limit, &bloated, &mut outcome).await;
    let dropped = drop_spare(session, clock, limit).await;
    emptied?;
    dropped?;
    outcome.after_bytes = total(&sizes(session, caps).await?);
    Ok(outcome)
}

async fn empty_each(
    session: &mut Session,
    clock: &Clock,
    limit: Duration,
    names: &[String],
    outcome: &mut UndoShrink,
) -> Result<(), SqlError> {
    for name in names {
        let space = ident(name);
        if state(session, name).await?.as_deref() != Some("active") {
            outcome.left.push(format!("{name}: it was not active"));
            continue;
        }
        session.run(&format!("ALTER UNDO TABLESPACE {space} SET INACTIVE")).await?;
        let empty = wait_empty(session, clock, limit, name).await;
        session.run(&format!("ALTER UNDO TABLESPACE {space} SET ACTIVE")).await?;
        if empty? {
            outcome.shrunk.push(name.clone());
        } else {
            outcome.left.push(format!("{name}: still in use after {} s; see open transactions", limit.as_secs()));
        }
    }
    Ok(())
}

async fn drop_spare(session: &mut Session, clock: &Clock, limit: Duration) -> Result<(), UndoShrinkError> {
    let left = |reason: String| UndoShrinkError::SpareLeft { spare: SPARE.into(), reason };
    let inactive = format!("ALTER UNDO TABLESPACE {} SET INACTIVE", ident(SPARE));
    session.run(&inactive).await.map_err(|error| left(error.to_string()))?;
    if !wait_empty(session, clock, limit, SPARE).await.map_err(|error| left(error.to_string()))? {
        return Err(left(format!("still in use after {} s", limit.as_secs())));
    }
    session.run(&format!("DROP UNDO TABLESPACE {}", ident(SPARE))).await.map_err(|error| left(error.to_string()))
}

async fn wait_empty(session: &mut Session, clock: &Clock, limit: Duration, name: &str) -> Result<bool, SqlError> {
    let start = clock.instant();
    loop {
        if state(session, name).await?.as_deref() == Some("empty") {
            return Ok(true);
        }
        if clock.since(start) >= limit {
            return Ok(false);
        }
        clock.sleep(POLL).await;
    }
}

async fn state(session: &mut Session, name: &str) -> Result<Option<String>, SqlError> {
    let ask = format!("SELECT STATE FROM information_schema.INNODB_TABLESPACES WHERE NAME = {}", literal(name));
    session.value(&ask).await
}

async fn sizes(session: &mut Session, caps: &Capabilities) -> Result<Vec<(String, u64)>, SqlError> {
    let spaces = Spaces::read(session, caps).await?;
    Ok(undo_spaces(&spaces).into_iter().map(|space| (space.name.clone(), space.file_bytes)).collect())
}

fn total(sizes: &[(String, u64)]) -> u64 {
    sizes.iter().map(|(_, bytes)| bytes).sum()
}
