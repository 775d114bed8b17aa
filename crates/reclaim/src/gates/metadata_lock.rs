//! Gate `metadata_lock`: someone uses the table in a way the rebuild would have to wait for, or waits for it already.
//!
//! The rebuild needs an exclusive metadata lock for a moment at both ends. A pending exclusive lock stops every later
//! statement on the table, so nothing is started while another session will not let go of the table in a moment, or waits for
//! it; what the gate misses is caught by a short `lock_wait_timeout` with back-off. Nobody's session is ever killed.
//!
//! A lock of a statement's or a short transaction's length is gone before that wait runs out, so it does not count: on a
//! table that is read all day somebody always has one. What its session does just now says nothing: one in the middle of
//! a long transaction may be seen sleeping or at a statement that began this very moment.

mod seen;
mod unseen;

use super::{unanswered, wait};
use api::GateVerdict;
use mysql::{Session, SqlError};
use seen::Lock;
use std::collections::BTreeMap;
use types::TableName;
use unseen::{Suspects, Waiter};

/// Seconds from which a lock is not taken for one that is gone in a moment: the shortest time a rebuild waits for one.
const MOMENT: f64 = 2.0;

/// One lock in the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Connection id; 0 if unknown.
    pub connection: u64,
    /// What is known of it: lock type, age, statement.
    pub what: String,
}

/// What a server tells of the locks in the way at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Locks {
    held: BTreeMap<TableName, Vec<Holder>>,
    waiting: Vec<Waiter>,
    suspects: Suspects,
}

impl Locks {
    /// Who is in the way of a table.
    pub fn on(&self, table: &TableName) -> Vec<Holder> {
        let held = self.held.get(table).into_iter().flatten().cloned();
        let waiting = self.waiting.iter().filter_map(|waiter| waiter.wants(table));
        held.chain(waiting).chain(self.suspects.holders()).collect()
    }

    /// Why the server's locks are not seen, or not all of them; `None` if they are.
    pub fn unseen(&self) -> Option<&'static str> {
        self.suspects.why
    }

    fn of(locks: Vec<Lock>) -> Self {
        let mut held: BTreeMap<TableName, Vec<Holder>> = BTreeMap::new();
        for lock in locks.into_iter().filter(Lock::is_in_the_way) {
            held.entry(lock.table.clone()).or_default().push(lock.holder());
        }
        Self { held, ..Self::default() }
    }
}

/// The locks in the way of a rebuild: a few questions for the whole server.
///
/// MariaDB's view knows each lock's age, so it comes first; it does not show who waits. Where neither view can be
/// trusted to show all, whoever may hold a lock unseen is taken for a holder.
pub async fn probe_all(session: &mut Session) -> Result<Locks, SqlError> {
    if let Some(locks) = seen::by_lock_info(session).await? {
        return Ok(Locks { waiting: unseen::waiters(session).await?, ..Locks::of(locks) });
    }
    let (locks, why) = match seen::by_performance_schema(session).await? {
        Ok(locks) => return Ok(Locks::of(locks)),
        Err((locks, why)) => (locks, why),
    };
    let suspects = unseen::suspects(session, why).await?;
    Ok(Locks { waiting: unseen::waiters(session).await?, suspects, ..Locks::of(locks) })
}

/// The locks in the way of one table.
pub async fn probe(session: &mut Session, table: &TableName) -> Result<Vec<Holder>, SqlError> {
    Ok(probe_all(session).await?.on(table))
}

/// The gate.
pub fn verdict(holders: &Result<Vec<Holder>, SqlError>) -> GateVerdict {
    match holders.as_deref() {
        Err(error) => unanswered("the metadata locks", error),
        Ok([]) => GateVerdict::Pass,
        Ok([first, more @ ..]) => wait(format!(
            "metadata lock: connection {} ({}) is in the way{}",
            first.connection,
            first.what,
            if more.is_empty() { String::new() } else { format!(" and {} more", more.len()) }
        )),
    }
}
