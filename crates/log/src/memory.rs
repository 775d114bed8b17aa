//! A log that lives as long as its process: for tests, and for what may be lost.

use crate::{Batch, Log, LogError, Most, Positions, Record, Reign, Sealed, check_append, check_seal};
use async_trait::async_trait;
use bytes::Bytes;
use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::watch;
use types::{Epoch, Lsn};

/// A log in memory. Its seals take places as they do in a log of several members, so places are not dense.
pub struct MemoryLog {
    inner: Mutex<Inner>,
    end: watch::Sender<Lsn>,
}

#[derive(Default)]
struct Inner {
    reign: Reign,
    truncated: Lsn,
    end: Lsn,
    records: VecDeque<Record>,
}

impl Default for MemoryLog {
    fn default() -> Self {
        Self { inner: Mutex::default(), end: watch::channel(Lsn::ZERO).0 }
    }
}

impl MemoryLog {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn moved(&self, end: Lsn) {
        self.end.send_if_modified(|seen| {
            let further = end > *seen;
            *seen = end.max(*seen);
            further
        });
    }
}

impl Inner {
    fn append(&mut self, epoch: Epoch, records: Vec<Bytes>) -> Result<Lsn, LogError> {
        check_append(&records)?;
        self.reign.admit(epoch)?;
        for payload in records {
            self.end = self.end.next();
            self.records.push_back(Record { lsn: self.end, epoch, payload });
        }
        Ok(self.end)
    }

    fn read(&self, from: Lsn, most: Most) -> Result<Batch, LogError> {
        if from <= self.truncated && self.truncated > Lsn::ZERO {
            return Err(LogError::Truncated { asked: from, truncated: self.truncated });
        }
        let begin = self.records.partition_point(|record| record.lsn < from);
        let (mut records, mut bytes) = (Vec::new(), 0);
        for record in self.records.range(begin..) {
            bytes += record.payload.len();
            if records.len() >= most.records.max(1) || (bytes > most.bytes && !records.is_empty()) {
                break;
            }
            records.push(record.clone());
        }
        let last = records.last().map(|record| record.lsn);
        let more = last.is_some_and(|last| self.records.back().is_some_and(|back| back.lsn > last));
        let next = if more { last.map_or(from, Lsn::next) } else { self.end.next().max(from) };
        Ok(Batch { records, next })
    }

    fn truncate(&mut self, through: Lsn) -> Result<Lsn, LogError> {
        if through > self.end {
            return Err(LogError::Beyond { asked: through, end: self.end });
        }
        self.truncated = self.truncated.max(through);
        let kept = self.records.partition_point(|record| record.lsn <= self.truncated);
        self.records.drain(..kept);
        Ok(self.truncated)
    }

    fn seal(&mut self, epoch: Epoch) -> Sealed {
        self.end = self.end.next();
        let (end, first) = self.reign.seal(epoch, self.end);
        Sealed { end, epoch: self.reign.current(), first }
    }
}

#[async_trait]
impl Log for MemoryLog {
    async fn append(&self, epoch: Epoch, records: Vec<Bytes>) -> Result<Lsn, LogError> {
        let end = self.inner().append(epoch, records)?;
        self.moved(end);
        Ok(end)
    }

    async fn read(&self, from: Lsn, most: Most) -> Result<Batch, LogError> {
        self.inner().read(from, most)
    }

    async fn tail(&self, after: Lsn, wait: Duration) -> Result<Lsn, LogError> {
        let mut end = self.end.subscribe();
        let waited = tokio::time::timeout(wait, end.wait_for(|end| *end > after)).await;
        Ok(waited.map_or_else(|_| *self.end.borrow(), |seen| seen.map_or(Lsn::ZERO, |end| *end)))
    }

    async fn truncate(&self, through: Lsn) -> Result<Lsn, LogError> {
        self.inner().truncate(through)
    }

    async fn seal(&self, epoch: Epoch) -> Result<Sealed, LogError> {
        check_seal(epoch)?;
        let (sealed, end) = {
            let mut inner = self.inner();
            (inner.seal(epoch), inner.end)
        };
        self.moved(end);
        Ok(sealed)
    }

    async fn positions(&self) -> Result<Positions, LogError> {
        let inner = self.inner();
        Ok(Positions { truncated: inner.truncated, end: inner.end, epoch: inner.reign.current() })
    }
}
