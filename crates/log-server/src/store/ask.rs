//! What may be asked of a store, and what comes back.

use super::Told;
use crate::consensus::{Change, Command, Message, Outcome, View};
use log::{LogError, Most, Positions};
use std::{collections::BTreeMap, sync::Arc};
use tokio::sync::{oneshot, watch};
use types::{Epoch, Lsn};

/// Where an answer goes. Whoever asked may have gone away.
pub type Answer<T> = oneshot::Sender<Result<T, LogError>>;

/// A message between two replicas of a shard.
#[derive(Debug, Clone, PartialEq)]
pub struct Parcel {
    /// The log.
    pub shard: u64,
    /// The other store: where it goes, or where it came from.
    pub store: Arc<str>,
    /// From replica to replica.
    pub message: Message,
}

/// Where a replica stands, as it tells everybody who watches.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tip {
    /// Everything up to here is agreed on and applied.
    pub end: Lsn,
    /// Everything up to here is truncated.
    pub truncated: Lsn,
    /// The epoch in force.
    pub epoch: Epoch,
    /// Of the election.
    pub term: u64,
    /// The replica that leads, as far as it knows; 0 is unknown.
    pub leader: u64,
    /// It is this one.
    pub leads: bool,
}

/// How a replica begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Run {
    /// As one of the first of a new shard: these are its voters, each with its store.
    First(BTreeMap<u64, String>),
    /// With nothing: the others will tell it everything.
    Joining,
    /// With what it has on disk.
    Again,
}

/// A question or an order.
pub enum Ask {
    /// Agree on these, one behind the other, all or none. The answer is what the last came to.
    Commands {
        /// The log.
        shard: u64,
        /// In order.
        commands: Vec<Command>,
        /// What the last came to.
        answer: Answer<Outcome>,
    },
    /// Where the log stands, including everything that was acknowledged before this was asked.
    Positions {
        /// The log.
        shard: u64,
        /// Where it stands.
        answer: Answer<Positions>,
    },
    /// Where agreed entries lie.
    Look {
        /// The log.
        shard: u64,
        /// From here on.
        from: Lsn,
        /// About so much.
        most: Most,
        /// What there is.
        answer: Answer<View>,
    },
    /// Where this replica stands, from now on.
    Watch {
        /// The log.
        shard: u64,
        /// The tip as it moves.
        answer: Answer<watch::Receiver<Tip>>,
    },
    /// A message came.
    Step(Parcel),
    /// A store cannot be reached now.
    Unreachable(Arc<str>),
    /// Changes of members that hold together.
    Change {
        /// The log.
        shard: u64,
        /// The place of the change of members before.
        membership: u64,
        /// What.
        changes: Vec<Change>,
        /// Proposed, or refused. Whether it came to be is told by who takes part.
        answer: Answer<()>,
    },
    /// Hand the lead to whoever is best for it.
    HandOver {
        /// The log.
        shard: u64,
    },
    /// Run a replica here.
    Run {
        /// The log.
        shard: u64,
        /// The copy.
        replica: u64,
        /// How it begins.
        how: Run,
        /// It runs.
        answer: Answer<()>,
    },
    /// End a replica for good and let go of its data.
    End {
        /// The log.
        shard: u64,
        /// The copy.
        replica: u64,
        /// It is gone.
        answer: Answer<()>,
    },
    /// End in good order.
    Leave,
    /// What all replicas tell.
    Told {
        /// Each of them.
        answer: Answer<Vec<Told>>,
    },
}
