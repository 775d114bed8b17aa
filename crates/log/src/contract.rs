//! What every log does, whatever it is made of.

use crate::LogError;
use async_trait::async_trait;
use bytes::Bytes;
use std::time::Duration;
use types::{Epoch, Lsn};

/// One accepted record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its place.
    pub lsn: Lsn,
    /// The epoch it was appended in.
    pub epoch: Epoch,
    /// As it was appended.
    pub payload: Bytes,
}

/// How much a read may bring. One record is always brought, however large.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Most {
    /// Records.
    pub records: usize,
    /// Bytes of payload.
    pub bytes: usize,
}

impl Default for Most {
    fn default() -> Self {
        Self { records: 4096, bytes: 4 << 20 }
    }
}

/// Bytes of a record, at most.
pub const LARGEST_RECORD: usize = 16 << 20;
/// Bytes of all records of one append, at most.
pub const LARGEST_APPEND: usize = 32 << 20;

/// Records of one append, at most.
pub const MOST_RECORDS: usize = 65_536;

/// Refuses to end the last epoch there could be: none could follow it.
pub fn check_seal(epoch: Epoch) -> Result<(), LogError> {
    if epoch.0 < u64::MAX {
        Ok(())
    } else {
        Err(LogError::Invalid(format!("epoch {epoch} cannot be sealed: none could follow it")))
    }
}

/// Refuses what no log takes: nothing, or too much at once.
pub fn check_append(records: &[Bytes]) -> Result<(), LogError> {
    if records.is_empty() {
        return Err(LogError::Invalid("there is nothing to append".to_owned()));
    }
    if records.len() > MOST_RECORDS {
        let what = format!("{} records are too many for one append: {MOST_RECORDS} are the most", records.len());
        return Err(LogError::Invalid(what));
    }
    if let Some(large) = records.iter().map(Bytes::len).find(|length| *length > LARGEST_RECORD) {
        let what = format!("a record of {large} bytes is too large: {LARGEST_RECORD} are the most; cut it");
        return Err(LogError::Invalid(what));
    }
    let all: usize = records.iter().map(Bytes::len).sum();
    if all > LARGEST_APPEND {
        let what = format!("{all} bytes are too many for one append: {LARGEST_APPEND} are the most; append in several");
        return Err(LogError::Invalid(what));
    }
    Ok(())
}

/// What a read found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// In order, without gap: between two neighbours there is no other accepted record.
    pub records: Vec<Record>,
    /// Where to read on. At the end of the log it lies behind `end`.
    pub next: Lsn,
}

/// Where a log stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Positions {
    /// Everything up to here was truncated; the first record that can be read lies behind it.
    pub truncated: Lsn,
    /// Everything up to here is agreed on and will never change.
    pub end: Lsn,
    /// The epoch whose records are accepted now.
    pub epoch: Epoch,
}

/// How an epoch ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sealed {
    /// No record of the sealed epoch, or of one before it, lies behind this place.
    pub end: Lsn,
    /// The epoch whose records are accepted now.
    pub epoch: Epoch,
    /// True if it was this call that ended it. Whoever gets `true` may take `epoch` for its own: nobody else was told the same.
    pub first: bool,
}

/// A log. All calls may be made at once, from many tasks.
///
/// What a call that failed with [`LogError::Unknown`] asked for may have happened, may happen yet, or never: ask
/// [`Log::positions`] and read before asking again.
#[async_trait]
pub trait Log: Send + Sync {
    /// Appends records in order and returns the place of the last. They have places one after the other, and survive what
    /// the log promises to survive before this returns. Nothing to append is an error.
    ///
    /// If it fails otherwise than with `Unknown`, none of them is in the log.
    async fn append(&self, epoch: Epoch, records: Vec<Bytes>) -> Result<Lsn, LogError>;

    /// Accepted records from a place on, at most so many. Empty at the end.
    async fn read(&self, from: Lsn, most: Most) -> Result<Batch, LogError>;

    /// Waits until the end lies behind `after`, at most so long, and returns the end.
    async fn tail(&self, after: Lsn, wait: Duration) -> Result<Lsn, LogError>;

    /// Lets go of what lies up to `through`, the place itself included; never goes back. Returns where it stands then. A place behind the
    /// end is refused.
    async fn truncate(&self, through: Lsn) -> Result<Lsn, LogError>;

    /// Ends this epoch and all before it, if they are not ended.
    async fn seal(&self, epoch: Epoch) -> Result<Sealed, LogError>;

    /// Where it stands.
    async fn positions(&self) -> Result<Positions, LogError>;
}
