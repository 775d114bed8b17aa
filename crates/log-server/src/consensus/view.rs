//! A look at the agreed part of a log: found by whoever drives the group, read by whoever asked, so that reading holds up nobody.

use super::{Command, Machine};
use crate::{Disk, Entry, StorageError, Stretch, read_stretches};
use log::{Batch, LogError, Most, Record};
use std::io;
use types::Lsn;

/// Where the entries are.
pub enum Found {
    /// At hand.
    Entries(Vec<Entry>),
    /// In files.
    Rows(Vec<Stretch>),
}

/// Agreed entries from a place on, and who was entitled to append them.
pub struct View {
    pub(super) from: Lsn,
    /// Behind what was agreed on and applied.
    pub(super) to: Lsn,
    pub(super) machine: Machine,
    pub(super) found: Found,
}

impl View {
    /// The records that count. Where the batch is empty and its `next` is not behind the end, what lay here were no records: look from
    /// there on.
    pub fn batch(self, disk: &dyn Disk, most: Most) -> Result<Batch, LogError> {
        let entries = match self.found {
            Found::Entries(entries) => entries,
            Found::Rows(rows) => {
                let read = read_stretches(disk, &rows, self.from.0, self.to.0, reach(most));
                read.map_err(|error| lost(&error, self.from))?
            }
        };
        let (mut records, mut next, mut bytes) = (Vec::new(), self.from, 0);
        for entry in entries {
            if let Some(record) = counts(&self.machine, &entry) {
                bytes += record.payload.len();
                if !records.is_empty() && (bytes > most.bytes || records.len() >= most.records) {
                    break;
                }
                records.push(record);
            }
            next = Lsn(entry.index).next();
        }
        Ok(Batch { records, next })
    }

    /// Whether it reaches the end of what was agreed on, were it read up to here.
    pub fn ends_at(&self) -> Lsn {
        self.to
    }
}

/// What a record takes besides its payload, at most: entries carry more than records do.
const HEAD: usize = 128;

/// Bytes of entries in which so many records are found, if they are all records.
pub(super) fn reach(most: Most) -> usize {
    most.bytes.saturating_add(most.records.saturating_mul(HEAD))
}

fn counts(machine: &Machine, entry: &Entry) -> Option<Record> {
    let lsn = Lsn(entry.index);
    match Command::read(&entry.payload).filter(|_| !entry.change)? {
        Command::Record(epoch, payload) => machine.accepts(epoch, lsn).then_some(Record { lsn, epoch, payload }),
        _ => None,
    }
}

/// A file that is gone was let go of by a truncation that came in between.
fn lost(error: &StorageError, from: Lsn) -> LogError {
    match error {
        StorageError::Disk { source, .. } if source.kind() == io::ErrorKind::NotFound => {
            LogError::Unavailable(format!("what lay at {from} was let go of while it was read; ask again"))
        }
        other => LogError::Stopped(other.to_string()),
    }
}
