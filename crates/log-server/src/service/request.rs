//! One client's questions, put to the store.

use super::Service;
use crate::{
    Tip,
    consensus::{Command, Outcome},
    keeper,
};
use futures::future::BoxFuture;
use log::{
    LogError, MOST_RECORDS, Most, check_append, check_seal,
    net::{Reply, Request},
};
use std::time::Duration;
use tokio::sync::watch;
use types::Lsn;

/// Where the questions of one connection are answered.
pub(super) struct Desk {
    service: Service,
}

type Answering = BoxFuture<'static, Reply>;

/// Bytes of one answer, at most.
const LARGEST: usize = 16 << 20;

impl Desk {
    pub fn new(service: Service) -> Desk {
        Desk { service }
    }

    /// The store has the question once this returns, so that questions of one client keep their order.
    pub fn reply(&self, request: Request) -> Answering {
        if let Err(error) = allowed(&request) {
            return Box::pin(async { Reply::Refused(error) });
        }
        match request {
            Request::Append(shard, epoch, records) => {
                let records = records.into_iter().map(|record| Command::Record(epoch, record)).collect();
                self.commands(shard, records)
            }
            Request::Seal(shard, epoch) => self.commands(shard, vec![Command::Seal(epoch)]),
            Request::Truncate(shard, through) => self.commands(shard, vec![Command::Truncate(through)]),
            Request::Positions(shard) => {
                let (asked, service) = (self.service.hand.positions(shard), self.service.clone());
                Box::pin(async move {
                    match asked.await {
                        Ok(positions) => positions.into(),
                        Err(error) => service.refuse(shard, error).await,
                    }
                })
            }
            Request::Read(shard, from, records, bytes) => {
                let most = Most { records: short(records).min(MOST_RECORDS), bytes: short(bytes).min(LARGEST) };
                let service = self.service.clone();
                Box::pin(async move { service.read(shard, from, most).await })
            }
            Request::Tail(shard, after, millis) => {
                let service = self.service.clone();
                Box::pin(async move { service.tail(shard, after, Duration::from_millis(millis)).await })
            }
            Request::Control(body) => {
                let control = std::sync::Arc::clone(&self.service.control);
                Box::pin(async move { Reply::Control(control.control(body).await) })
            }
        }
    }

    fn commands(&self, shard: u64, commands: Vec<Command>) -> Answering {
        let (asked, service) = (self.service.hand.commands(shard, commands), self.service.clone());
        Box::pin(async move {
            match asked.await {
                Ok(Outcome::Appended(lsn) | Outcome::Truncated(lsn)) => Reply::Lsn(lsn),
                Ok(Outcome::Sealed(sealed)) => sealed.into(),
                Ok(Outcome::Refused(error)) => Reply::Refused(error),
                Err(error) => service.refuse(shard, error).await,
            }
        })
    }
}

/// What no client may ask, whoever leads.
fn allowed(request: &Request) -> Result<(), LogError> {
    match request {
        Request::Append(keeper::SHARD, ..) | Request::Seal(keeper::SHARD, _) | Request::Truncate(keeper::SHARD, _) => {
            Err(LogError::Invalid("shard 0 is the keeper's own: nobody else writes to it".to_owned()))
        }
        Request::Append(_, _, records) => check_append(records),
        Request::Seal(_, epoch) => check_seal(*epoch),
        _ => Ok(()),
    }
}

fn short(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

impl Service {
    /// Nothing was done here: if somebody else leads, the client is sent there.
    async fn refuse(&self, shard: u64, error: LogError) -> Reply {
        match error {
            LogError::Unavailable(why) => Reply::Elsewhere(self.leader(shard).await, why),
            other => Reply::Refused(other),
        }
    }

    /// Where the leader's store is reached, if it is known here and is not this one.
    async fn leader(&self, shard: u64) -> Option<String> {
        let told = self.hand.told().await.ok()?;
        let Some(here) = told.iter().find(|told| told.shard == shard) else {
            return self.control.leader(shard).await;
        };
        let store = here.members.on.get(&here.tip.leader).filter(|store| **store != *self.identity.store)?;
        self.directory.get(store).map(|addresses| addresses.service)
    }

    /// Where the replica here stands, if it leads: others may not know yet what was acknowledged.
    async fn leading(&self, shard: u64) -> Result<watch::Receiver<Tip>, Reply> {
        let tip = match self.hand.watch(shard).await {
            Ok(tip) => tip,
            Err(error) => return Err(self.refuse(shard, error).await),
        };
        let leads = tip.borrow().leads;
        if leads {
            return Ok(tip);
        }
        Err(self.refuse(shard, LogError::Unavailable("another store leads".to_owned())).await)
    }

    async fn read(&self, shard: u64, from: Lsn, most: Most) -> Reply {
        if let Err(reply) = self.leading(shard).await {
            return reply;
        }
        match self.hand.read(shard, from, most).await {
            Ok(batch) => batch.into(),
            Err(error) => Reply::Refused(error),
        }
    }

    async fn tail(&self, shard: u64, after: Lsn, wait: Duration) -> Reply {
        let mut tip = match self.leading(shard).await {
            Ok(tip) => tip,
            Err(reply) => return reply,
        };
        // Who leads no longer may never hear of the end again.
        let moved = tip.wait_for(|tip| tip.end > after || !tip.leads);
        let _ = tokio::time::timeout(wait, moved).await;
        let now = *tip.borrow();
        if now.leads || now.end > after {
            return Reply::Lsn(now.end);
        }
        self.refuse(shard, LogError::Unavailable("it led until now".to_owned())).await
    }
}
