//! Gate `lease`: one Drydock at a time per server, whatever store each keeps its jobs in.
//!
//! `GET_LOCK` names the server as taken. The session that holds it is pinned for the job's length; the server frees the lock
//! when that session ends, so a crashed tool never leaves one behind. A second lock is taken by the rebuilding session
//! itself: it lives exactly as long as the statement, so even a tool that lost its lease cannot be overtaken while the
//! statement it started is still running.

use crate::ReclaimError;
use mysql::{Endpoint, Session, SqlError};
use std::{collections::BTreeMap, sync::Arc};
use tokio::sync::Mutex;
use types::Address;

/// Held for the length of a job by a session that does nothing else.
pub const JOB_LOCK: &str = "drydock.job";
/// Held by the session that rebuilds.
pub const WORK_LOCK: &str = "drydock.work";

/// Who holds a lock, if anybody does.
pub async fn holder(session: &mut Session, lock: &str) -> Result<Option<(u64, String)>, SqlError> {
    let Some(id) = session.value(&format!("SELECT IS_USED_LOCK('{lock}')")).await? else { return Ok(None) };
    let connection = id.parse().unwrap_or(0);
    let sql = format!("SELECT HOST AS h FROM information_schema.PROCESSLIST WHERE ID = {connection}");
    let host = session.row(&sql).await?.and_then(|row| row.text("h")).unwrap_or_else(|| "unknown".to_owned());
    Ok(Some((connection, host)))
}

/// Seconds a lock is waited for: a session that has just ended frees its locks a moment later.
const GRACE_SECONDS: u32 = 2;

/// Takes a lock in this session, or says who holds it.
pub async fn take(session: &mut Session, lock: &str) -> Result<(), ReclaimError> {
    if session.value(&format!("SELECT GET_LOCK('{lock}', {GRACE_SECONDS})")).await?.as_deref() == Some("1") {
        return Ok(());
    }
    let node = session.address().clone();
    let (connection, host) = holder(session, lock).await?.unwrap_or((0, "unknown".to_owned()));
    Err(ReclaimError::Held { node, connection, host })
}

/// A server held for a job.
pub struct ServerLease {
    session: Session,
}

impl ServerLease {
    /// Takes the job lock of a server in a session of its own.
    pub async fn take(endpoint: &Endpoint) -> Result<Self, ReclaimError> {
        let mut session = Session::connect(endpoint).await?;
        // A job may wait for hours between two looks at this session.
        session.run("SET SESSION wait_timeout = 31536000").await?;
        match take(&mut session, JOB_LOCK).await {
            Ok(()) => Ok(Self { session }),
            Err(error) => {
                session.close().await;
                Err(error)
            }
        }
    }

    /// True if the lock is still this session's; asked before each statement.
    pub async fn is_held(&mut self) -> bool {
        let (id, limit) = (self.session.id().to_string(), self.session.endpoint().connect_timeout);
        let sql = format!("SELECT IS_USED_LOCK('{JOB_LOCK}')");
        // A server that does not say so in time is asked anew, in another session: whoever waits here holds up a job.
        let answer = self.session.rows_within(limit, &sql).await;
        answer.is_ok_and(|rows| rows.into_iter().next().and_then(|row| row.only()) == Some(id))
    }

    /// Makes sure the lock is held: asks, and takes it anew if the session was lost (a restart of the server frees it).
    pub async fn ensure(&mut self) -> Result<(), ReclaimError> {
        if self.is_held().await {
            return Ok(());
        }
        let node = self.session.address().clone();
        *self = Self::take(&self.session.endpoint().clone()).await.map_err(|error| match error {
            ReclaimError::Held { .. } => error,
            other => ReclaimError::LeaseLost { node, reason: other.to_string() },
        })?;
        Ok(())
    }

    /// Frees it.
    pub async fn give_back(self) {
        self.session.close().await;
    }
}

/// The locks that must be in the job's hand whenever a statement is sent to one node: its own, and those of the fleet's
/// writers. Lanes share the latter.
#[derive(Clone)]
pub(crate) struct Hold {
    /// The node.
    pub node: Address,
    /// By server.
    pub locks: BTreeMap<Address, Arc<Mutex<ServerLease>>>,
}

impl Hold {
    /// Makes sure of every one of them, in the order of their addresses; the first that cannot be had is the answer.
    pub async fn ensure(&self) -> Result<(), ReclaimError> {
        if !self.locks.contains_key(&self.node) {
            return Err(ReclaimError::LeaseLost { node: self.node.clone(), reason: "it was not taken".to_owned() });
        }
        for lock in self.locks.values() {
            lock.lock().await.ensure().await?;
        }
        Ok(())
    }
}
