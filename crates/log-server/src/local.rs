//! A shard as a log, for whoever sits in the same process as the store.

use crate::{
    Hand,
    consensus::{Command, Outcome},
};
use async_trait::async_trait;
use bytes::Bytes;
use log::{Batch, Log, LogError, Most, Positions, Sealed, check_append, check_seal};
use std::time::Duration;
use types::{Epoch, Lsn};

/// One shard, by the replica this store holds. What must be agreed on is refused unless that replica leads.
#[derive(Clone)]
pub struct LocalLog {
    hand: Hand,
    shard: u64,
}

impl LocalLog {
    /// A shard of a store.
    pub fn new(hand: Hand, shard: u64) -> LocalLog {
        LocalLog { hand, shard }
    }

    async fn one(&self, command: Command) -> Result<Outcome, LogError> {
        self.hand.commands(self.shard, vec![command]).await
    }
}

fn odd(outcome: &Outcome) -> LogError {
    LogError::Unknown(format!("the answer is to another question: {outcome:?}"))
}

#[async_trait]
impl Log for LocalLog {
    async fn append(&self, epoch: Epoch, records: Vec<Bytes>) -> Result<Lsn, LogError> {
        check_append(&records)?;
        let commands = records.into_iter().map(|record| Command::Record(epoch, record)).collect();
        match self.hand.commands(self.shard, commands).await? {
            Outcome::Appended(lsn) => Ok(lsn),
            Outcome::Refused(why) => Err(why),
            other => Err(odd(&other)),
        }
    }

    async fn read(&self, from: Lsn, most: Most) -> Result<Batch, LogError> {
        self.hand.read(self.shard, from, most).await
    }

    async fn tail(&self, after: Lsn, wait: Duration) -> Result<Lsn, LogError> {
        let mut tip = self.hand.watch(self.shard).await?;
        let ended = matches!(tokio::time::timeout(wait, tip.wait_for(|tip| tip.end > after)).await, Ok(Err(_)));
        if ended {
            return Err(LogError::Unavailable("the replica was ended".to_owned()));
        }
        Ok(tip.borrow().end)
    }

    async fn truncate(&self, through: Lsn) -> Result<Lsn, LogError> {
        match self.one(Command::Truncate(through)).await? {
            Outcome::Truncated(lsn) => Ok(lsn),
            Outcome::Refused(why) => Err(why),
            other => Err(odd(&other)),
        }
    }

    async fn seal(&self, epoch: Epoch) -> Result<Sealed, LogError> {
        check_seal(epoch)?;
        match self.one(Command::Seal(epoch)).await? {
            Outcome::Sealed(sealed) => Ok(sealed),
            Outcome::Refused(why) => Err(why),
            other => Err(odd(&other)),
        }
    }

    async fn positions(&self) -> Result<Positions, LogError> {
        self.hand.positions(self.shard).await
    }
}
