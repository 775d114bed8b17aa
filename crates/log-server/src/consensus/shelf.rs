//! A replica's log as raft-rs reads it.

use super::recent::Recent;
use crate::{Base, Entry, Promise, ReplicaLog, StorageError};
use raft::{
    GetEntriesContext, RaftState, Storage,
    eraftpb::{ConfState, Entry as Wire, EntryType, HardState, Snapshot},
};

/// The log, its members, and what was applied to make them.
pub(super) struct Shelf {
    pub log: ReplicaLog,
    pub members: ConfState,
    /// The state up to what was applied, as a newcomer gets it.
    pub snapshot: Snapshot,
    /// The last entries, for what is applied and sent to the others is mostly what was just written.
    recent: Recent,
}

impl Shelf {
    pub fn new(log: ReplicaLog, members: ConfState, snapshot: Snapshot) -> Shelf {
        Shelf { log, members, snapshot, recent: Recent::default() }
    }

    /// Entries that are at hand without reading the disk.
    pub fn recent(&self, from: u64, to: u64, most: usize) -> Option<Vec<Entry>> {
        Some(self.recent.entries(from, to, most)?.iter().map(own).collect())
    }

    /// Writes what raft-rs wants kept; not on disk before a sync.
    pub fn write(&mut self, entries: Vec<Wire>, promise: Option<&HardState>) -> Result<(), StorageError> {
        let own: Vec<Entry> = entries.iter().map(own).collect();
        self.log.append(&own)?;
        self.recent.push(entries);
        match promise {
            Some(state) => self.log.promise_to(Promise { term: state.term, vote: state.vote, commit: state.commit }),
            None => Ok(()),
        }
    }

    /// Begins anew behind a snapshot another member sent.
    pub fn install(&mut self, snapshot: &Snapshot, members: ConfState) -> Result<(), StorageError> {
        let about = snapshot.get_metadata();
        self.log.reset(Base { index: about.index, term: about.term }, snapshot.get_data().to_vec().into())?;
        self.recent = Recent::default();
        self.members = members;
        self.snapshot = snapshot.clone();
        // As it was made: whom it was sent to is not in it.
        self.snapshot.mut_metadata().set_conf_state(self.members.clone());
        Ok(())
    }
}

fn own(entry: &Wire) -> Entry {
    let change = entry.get_entry_type() != EntryType::EntryNormal;
    Entry { index: entry.index, term: entry.term, change, payload: entry.data.clone() }
}

fn wire(entry: Entry) -> Wire {
    let mut wire = Wire::default();
    let kind = if entry.change { EntryType::EntryConfChangeV2 } else { EntryType::EntryNormal };
    wire.set_entry_type(kind);
    (wire.index, wire.term, wire.data) = (entry.index, entry.term, entry.payload);
    wire
}

fn unreadable(error: StorageError) -> raft::Error {
    raft::Error::Store(raft::StorageError::Other(Box::new(error)))
}

impl Storage for Shelf {
    fn initial_state(&self) -> raft::Result<RaftState> {
        let Promise { term, vote, commit } = self.log.promise();
        // A crash may come between the base of a snapshot and the promise that goes with it.
        let commit = commit.max(self.log.base().index);
        let term = term.max(self.log.base().term);
        let state = HardState { term, vote, commit, ..HardState::default() };
        Ok(RaftState::new(state, self.members.clone()))
    }

    fn entries(
        &self,
        low: u64,
        high: u64,
        most: impl Into<Option<u64>>,
        _context: GetEntriesContext,
    ) -> raft::Result<Vec<Wire>> {
        if low < self.log.first_index() {
            return Err(raft::Error::Store(raft::StorageError::Compacted));
        }
        let most = most.into().and_then(|most| usize::try_from(most).ok()).unwrap_or(usize::MAX);
        if let Some(entries) = self.recent.entries(low, high, most) {
            return Ok(entries);
        }
        let entries = self.log.entries(low, high, most).map_err(unreadable)?;
        Ok(entries.into_iter().map(wire).collect())
    }

    fn term(&self, index: u64) -> raft::Result<u64> {
        let missing =
            if index < self.log.base().index { raft::StorageError::Compacted } else { raft::StorageError::Unavailable };
        self.log.term(index).ok_or(raft::Error::Store(missing))
    }

    fn first_index(&self) -> raft::Result<u64> {
        Ok(self.log.first_index())
    }

    fn last_index(&self) -> raft::Result<u64> {
        Ok(self.log.last_index())
    }

    fn snapshot(&self, request_index: u64, _to: u64) -> raft::Result<Snapshot> {
        if self.snapshot.get_metadata().index < request_index {
            return Err(raft::Error::Store(raft::StorageError::SnapshotTemporarilyUnavailable));
        }
        Ok(self.snapshot.clone())
    }
}
