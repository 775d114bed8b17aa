//! A shard of a log service as a log: the client, which finds out who leads and asks there.

mod connection;
mod servers;

pub use servers::{Connect, Servers, dial};

use crate::{
    Batch, Log, LogError, Most, Positions, Sealed, check_append, check_seal,
    net::{Reply, Request},
};
use async_trait::async_trait;
use bytes::Bytes;
use servers::Trouble;
use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use types::{Epoch, Lsn};

/// Between two tries that came to nothing.
const PAUSE: Duration = Duration::from_millis(25);

/// A shard, wherever it is led.
pub struct RemoteLog {
    servers: Arc<Servers>,
    shard: u64,
    /// Who led when last asked.
    leader: Mutex<Option<String>>,
}

/// What becomes of a question nobody can tell the outcome of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Again {
    /// It is asked again: twice does no more than once.
    Ask,
    /// Whoever asked is told.
    Tell,
}

impl RemoteLog {
    /// A shard of the service these servers belong to.
    pub fn new(servers: Arc<Servers>, shard: u64) -> RemoteLog {
        RemoteLog { servers, shard, leader: Mutex::default() }
    }

    fn leader(&self) -> Option<String> {
        self.leader.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn lead(&self, address: Option<String>) {
        *self.leader.lock().unwrap_or_else(PoisonError::into_inner) = address;
    }

    /// Asks whoever leads, until there is an answer or the time is over.
    async fn ask(&self, request: Request, again: Again, more: Duration) -> Result<Reply, LogError> {
        let (asked, why) = (AtomicBool::new(false), Mutex::new(String::new()));
        let tries = self.tries(&request, again, more, &asked, &why);
        if let Ok(answer) = tokio::time::timeout(self.servers.patience() + more, tries).await {
            return answer;
        }
        let why = why.into_inner().unwrap_or_else(PoisonError::into_inner);
        let why = if why.is_empty() { format!("shard {} does not answer", self.shard) } else { why };
        // A question that is still out may yet be done.
        let unknown = asked.into_inner() && again == Again::Tell;
        Err(if unknown { LogError::Unknown(why) } else { LogError::Unavailable(why) })
    }

    async fn tries(
        &self,
        request: &Request,
        again: Again,
        more: Duration,
        asked: &AtomicBool,
        why: &Mutex<String>,
    ) -> Result<Reply, LogError> {
        let note = |text: String| *why.lock().unwrap_or_else(PoisonError::into_inner) = text;
        for turn in 0.. {
            let address = self.leader().unwrap_or_else(|| self.servers.one(turn));
            asked.store(true, Ordering::Relaxed);
            let answer = self.servers.ask(&address, request, more).await;
            asked.store(false, Ordering::Relaxed);
            match answer {
                Ok(Reply::Elsewhere(Some(leader), _)) if leader != address => {
                    self.lead(Some(leader));
                    continue;
                }
                Ok(
                    Reply::Elsewhere(_, text) | Reply::Refused(LogError::Unavailable(text) | LogError::Stopped(text)),
                )
                | Err(Trouble::NotSent(text)) => note(text),
                Ok(Reply::Refused(LogError::Unknown(text))) | Err(Trouble::Lost(text)) => {
                    if again == Again::Tell {
                        return Err(LogError::Unknown(text));
                    }
                    note(text);
                }
                Ok(Reply::Refused(error)) => return Err(error),
                Ok(reply) => {
                    self.lead(Some(address));
                    return Ok(reply);
                }
            }
            self.lead(None);
            tokio::time::sleep(PAUSE).await;
        }
        Err(LogError::Unavailable("it was asked for too long".to_owned()))
    }
}

#[async_trait]
impl Log for RemoteLog {
    async fn append(&self, epoch: Epoch, records: Vec<Bytes>) -> Result<Lsn, LogError> {
        check_append(&records)?;
        self.ask(Request::Append(self.shard, epoch, records), Again::Tell, Duration::ZERO).await?.lsn()
    }

    async fn read(&self, from: Lsn, most: Most) -> Result<Batch, LogError> {
        let request = Request::Read(self.shard, from, most.records as u64, most.bytes as u64);
        self.ask(request, Again::Ask, Duration::ZERO).await?.batch()
    }

    async fn tail(&self, after: Lsn, wait: Duration) -> Result<Lsn, LogError> {
        let millis = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        self.ask(Request::Tail(self.shard, after, millis), Again::Ask, wait).await?.lsn()
    }

    async fn truncate(&self, through: Lsn) -> Result<Lsn, LogError> {
        self.ask(Request::Truncate(self.shard, through), Again::Ask, Duration::ZERO).await?.lsn()
    }

    async fn seal(&self, epoch: Epoch) -> Result<Sealed, LogError> {
        check_seal(epoch)?;
        self.ask(Request::Seal(self.shard, epoch), Again::Tell, Duration::ZERO).await?.sealed()
    }

    async fn positions(&self) -> Result<Positions, LogError> {
        self.ask(Request::Positions(self.shard), Again::Ask, Duration::ZERO).await?.positions()
    }
}
