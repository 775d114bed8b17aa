//! The cluster's own affairs: what stores, services and people ask of it, and who answers.

use crate::{
    Entries, Told,
    keeper::{Heartbeat, Node, Order, Setting, SettingError, State},
};
use bytes::Bytes;
use log::{Connect, Servers};
use serde::{Deserialize, Serialize};
use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// A question, as JSON on the wire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Question {
    /// This is who I am; whom do you know?
    Meet {
        /// The caller and all it knows.
        known: Entries,
        /// The caller's name; empty if it is no store.
        store: String,
    },
    /// A store speaks.
    Heartbeat(Heartbeat),
    /// A service beside the stores speaks.
    Node(Node),
    /// What does the keeper know?
    State,
    /// Set this.
    Set(Setting),
    /// What do the replicas of the store that is asked tell?
    Told,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    /// Whom I know.
    Met {
        /// Stores.
        known: Entries,
        /// The name of who answers.
        store: String,
    },
    /// What the store is to do.
    Orders(Vec<Order>),
    /// All the keeper knows.
    State(Box<State>),
    /// What replicas tell.
    Told(Vec<Tale>),
    /// It is done.
    Done,
    /// The rule of settings forbids it.
    Forbidden(SettingError),
    /// Somebody else must be asked: by this address, if it is known.
    Elsewhere(Option<String>),
    /// It cannot be, for ever.
    Refused(String),
    /// It cannot be now.
    Later(String),
}

/// What a replica tells, as it travels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tale {
    /// The log.
    pub shard: u64,
    /// The copy.
    pub replica: u64,
    /// Everything up to here is agreed on and applied.
    pub end: u64,
    /// Everything up to here is truncated.
    pub truncated: u64,
    /// The epoch in force.
    pub epoch: u64,
    /// Of the election.
    pub term: u64,
    /// The replica that leads, as far as it knows; 0 is unknown.
    pub leader: u64,
}

impl From<&Told> for Tale {
    fn from(told: &Told) -> Tale {
        let tip = told.tip;
        let (end, truncated, epoch) = (tip.end.0, tip.truncated.0, tip.epoch.0);
        Tale { shard: told.shard, replica: told.replica, end, truncated, epoch, term: tip.term, leader: tip.leader }
    }
}

pub(crate) fn json<T: Serialize>(said: &T) -> Bytes {
    Bytes::from(serde_json::to_vec(said).unwrap_or_default())
}

/// Whoever has something to ask of the keeper, from outside the store that leads its shard.
pub struct KeeperClient {
    servers: Servers,
    /// Addresses to begin with.
    first: Vec<String>,
    /// Who answered last.
    last: Mutex<Option<String>>,
}

/// Tries before a question is given up; each follows one pointer or tries one address.
const TRIES: usize = 12;

impl KeeperClient {
    /// Any store's addresses will do to begin with.
    pub fn new(first: Vec<String>, how: Connect) -> KeeperClient {
        KeeperClient { servers: Servers::new(first.clone(), how), first, last: Mutex::default() }
    }

    /// Asks one address, once.
    pub async fn ask_at(&self, address: &str, question: &Question) -> Result<Answer, String> {
        let body = self.servers.control(address, json(question)).await.map_err(|error| error.to_string())?;
        serde_json::from_slice(&body).map_err(|_| format!("{address}: its answer makes no sense"))
    }

    /// Asks whoever leads the keeper's shard; `more` are addresses to try besides those it was given.
    pub async fn ask(&self, question: &Question, more: &[String]) -> Result<Answer, String> {
        let mut candidates: Vec<String> = self.first.iter().chain(more).cloned().collect();
        candidates.dedup();
        let (mut next, mut turn, mut why) = (self.last(), 0, "no address of any log store is known".to_owned());
        for _ in 0..TRIES {
            let rotated = candidates.get(turn % candidates.len().max(1)).cloned();
            let Some(address) = next.take().or(rotated) else { return Err(why) };
            turn += 1;
            match self.ask_at(&address, question).await {
                Ok(Answer::Elsewhere(Some(leader))) if leader != address => {
                    next = Some(leader);
                    continue;
                }
                Ok(Answer::Elsewhere(_)) => why = format!("{address} knows no leader of the keeper's shard"),
                Ok(Answer::Later(text)) | Err(text) => why = text,
                Ok(answer) => {
                    *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(address);
                    return Ok(answer);
                }
            }
            *self.last.lock().unwrap_or_else(PoisonError::into_inner) = None;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Err(why)
    }

    /// The address that answered last.
    pub fn last(&self) -> Option<String> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
