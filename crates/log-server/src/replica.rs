//! One replica's log on disk: a row of segments, the last of them under way.
//!
//! Nothing written counts before [`ReplicaLog::sync`]. After anything fails the log is stopped for good: what is on disk is only known by
//! opening it anew.

use crate::{
    Ahead, Disk, StorageError,
    frame::{self, Frame, Kind},
    header::Header,
    segment::{self, Met, Segment},
};
use bytes::Bytes;
use std::{path::PathBuf, sync::Arc};

mod open;
mod reading;

pub use reading::{Stretch, read as read_stretches};

/// An entry of the replicated log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its place; each is one higher than the one before.
    pub index: u64,
    /// Of the leader that proposed it.
    pub term: u64,
    /// It changes the members.
    pub change: bool,
    /// What was proposed.
    pub payload: Bytes,
}

/// What a member must remember whatever happens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Promise {
    /// Highest term it knows of.
    pub term: u64,
    /// Whom it voted for in that term; 0 is nobody.
    pub vote: u64,
    /// Highest index it knows to be agreed on.
    pub commit: u64,
}

/// Where the log begins: all up to here lies in a snapshot.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Base {
    /// Of the last entry that is gone.
    pub index: u64,
    /// Of that entry.
    pub term: u64,
}

/// Whose log it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    /// The cluster.
    pub cluster: u128,
    /// The log.
    pub shard: u64,
    /// The member's copy of it; never used twice.
    pub replica: u64,
}

/// How segments are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SegmentOptions {
    /// Bytes of a segment before it is sealed.
    pub length: u64,
    /// A seed for the salts of segments.
    pub salt: u16,
}

/// Bytes of a log's first segment: one that is hardly used takes little room.
const FIRST: u64 = 1 << 20;

impl SegmentOptions {
    /// Bytes of a segment: each is four times as long as the one before, up to the full length.
    fn length_of(&self, number: u64) -> u64 {
        let grown = u32::try_from(number.saturating_sub(1)).ok().and_then(|times| 4_u64.checked_pow(times));
        grown.and_then(|grown| grown.checked_mul(FIRST)).unwrap_or(u64::MAX).min(self.length)
    }
}

impl Default for SegmentOptions {
    fn default() -> Self {
        Self { length: 64 << 20, salt: 1 }
    }
}

/// The log of one replica.
pub struct ReplicaLog {
    disk: Arc<dyn Disk>,
    folder: PathBuf,
    owner: Owner,
    options: SegmentOptions,
    segments: Vec<Segment>,
    /// The file of the next segment, made while this one is filled: whoever waits for a record must not wait for that.
    next: Option<Ahead>,
    promise: Promise,
    base: Base,
    /// What the entries up to the base added up to, in the words of whoever applies them.
    base_state: Bytes,
    checkpoint: (u64, Bytes),
    /// Why it stopped.
    stopped: Option<String>,
}

impl ReplicaLog {
    /// Index of the first entry there is, or would be.
    pub fn first_index(&self) -> u64 {
        self.base.index + 1
    }

    /// Index of the last entry; that of the base if there is none.
    pub fn last_index(&self) -> u64 {
        let last = self.segments.iter().rev().find_map(|segment| segment.catalog.range());
        last.map_or(self.base.index, |range| range.1.max(self.base.index))
    }

    /// What was promised last.
    pub fn promise(&self) -> Promise {
        self.promise
    }

    /// Where it begins.
    pub fn base(&self) -> Base {
        self.base
    }

    /// What all up to the base added up to.
    pub fn base_state(&self) -> &Bytes {
        &self.base_state
    }

    /// The last checkpoint: up to which index, and what it says. Index 0 if there is none.
    pub fn checkpoint(&self) -> (u64, Bytes) {
        self.checkpoint.clone()
    }

    /// The term of an entry or of the base; `None` if it is not here.
    pub fn term(&self, index: u64) -> Option<u64> {
        if index == self.base.index {
            return Some(self.base.term);
        }
        if index < self.base.index {
            return None;
        }
        self.segments.iter().rev().find_map(|segment| segment.catalog.term(index))
    }

    /// Writes entries, each right behind the one before or behind one that is there: what lies from the first on is replaced.
    pub fn append(&mut self, entries: &[Entry]) -> Result<(), StorageError> {
        let Some(first) = entries.first() else { return Ok(()) };
        let fits = first.index > self.base.index && first.index <= self.last_index() + 1;
        let rows = entries.windows(2).all(|pair| pair[0].index + 1 == pair[1].index);
        if !(fits && rows) {
            let what = format!("entries from {} on do not follow {}", first.index, self.last_index());
            return Err(StorageError::Misuse(what));
        }
        self.guarded(|log| log.write_entries(entries))
    }

    /// Writes a promise.
    pub fn promise_to(&mut self, promise: Promise) -> Result<(), StorageError> {
        self.guarded(|log| {
            log.write(&promise_frame(promise, &promise_bytes(promise)))?;
            log.promise = promise;
            Ok(())
        })
    }

    /// Lets go of the entries up to an index, which added up to `state`; files that hold nothing else are removed. An index that is gone
    /// already, or not here yet, changes nothing.
    pub fn compact(&mut self, index: u64, state: Bytes) -> Result<(), StorageError> {
        let Some(term) = self.term(index).filter(|_| index > self.base.index) else { return Ok(()) };
        self.guarded(|log| {
            (log.base, log.base_state) = (Base { index, term }, state);
            log.write(&base_frame(log.base, &based(segment::ON, &log.base_state.clone())))?;
            // What is removed must not be missed: the new begin is on disk first.
            log.sync_now()?;
            log.remove_idle()
        })
    }

    /// Begins anew behind a snapshot: all entries go.
    pub fn reset(&mut self, base: Base, state: Bytes) -> Result<(), StorageError> {
        self.guarded(|log| {
            log.write(&base_frame(base, &based(segment::ANEW, &state)))?;
            log.forget(base, state);
            log.sync_now()?;
            log.remove_idle()
        })
    }

    /// Writes down what all up to an index adds up to.
    pub fn write_checkpoint(&mut self, index: u64, state: Bytes) -> Result<(), StorageError> {
        self.guarded(|log| {
            log.write(&checkpoint_frame(index, &state))?;
            log.checkpoint = (index, state);
            Ok(())
        })
    }

    /// All that was written is on disk.
    pub fn sync(&mut self) -> Result<(), StorageError> {
        self.guarded(ReplicaLog::sync_now)
    }

    /// Writes down that all is on disk, so that damage to the last records is told from a torn tail. For moments of rest.
    pub fn mark(&mut self) -> Result<(), StorageError> {
        self.guarded(|log| {
            log.sync_now()?;
            log.write(&Frame { kind: Kind::Mark, term: 0, index: 0, payload: &[] })?;
            log.sync_now()
        })
    }

    /// After a failure nobody knows what is on disk: nothing is tried again.
    fn guarded(&mut self, work: impl FnOnce(&mut Self) -> Result<(), StorageError>) -> Result<(), StorageError> {
        if let Some(why) = &self.stopped {
            return Err(StorageError::Stopped(why.clone()));
        }
        let done = work(self);
        if let Err(error) = &done {
            self.stopped = Some(error.to_string());
        }
        done
    }

    fn write_entries(&mut self, entries: &[Entry]) -> Result<(), StorageError> {
        let mut out = Vec::with_capacity(entries.iter().map(|entry| frame::room(entry.payload.len())).sum());
        for entry in entries {
            if !self.active()?.has_room(out.len() + frame::room(entry.payload.len())) {
                let written = std::mem::take(&mut out);
                self.active()?.write(&written)?;
                self.roll()?;
            }
            self.cut_sealed(entry.index);
            let kind = if entry.change { Kind::Change } else { Kind::Entry };
            let frame = Frame { kind, term: entry.term, index: entry.index, payload: &entry.payload };
            self.active()?.put(&mut out, &frame);
        }
        self.active()?.write(&out)?;
        self.look_ahead()
    }

    /// Has the next segment's file made, once this one runs short.
    fn look_ahead(&mut self) -> Result<(), StorageError> {
        if self.next.is_some() || !self.active()?.runs_short() {
            return Ok(());
        }
        let number = self.active()?.header.number + 1;
        let draft = self.folder.join(segment::draft(number));
        self.next = Some(self.disk.create_ahead(&draft, self.options.length_of(number)));
        Ok(())
    }

    /// What an entry replaces in earlier segments. Only in memory, and not before there is room for it: a footer must not lose entries whose
    /// successors never came.
    fn cut_sealed(&mut self, index: u64) {
        let sealed = self.segments.iter_mut().rev().skip(1);
        for segment in sealed.take_while(|segment| segment.catalog.range().is_none_or(|range| range.1 >= index)) {
            segment.catalog.cut(index);
        }
    }

    fn write(&mut self, frame: &Frame<'_>) -> Result<(), StorageError> {
        if !self.active()?.has_room(frame::room(frame.payload.len())) {
            self.roll()?;
        }
        let mut out = Vec::new();
        let active = self.active()?;
        active.put(&mut out, frame);
        active.write(&out)
    }

    fn sync_now(&mut self) -> Result<(), StorageError> {
        self.active()?.sync()
    }

    fn active(&mut self) -> Result<&mut Segment, StorageError> {
        let none = || StorageError::Misuse("there is no segment under way".to_owned());
        self.segments.last_mut().filter(|segment| !segment.sealed).ok_or_else(none)
    }

    /// Seals the segment under way and begins the next, which says first what a reader of it alone must know.
    fn roll(&mut self) -> Result<(), StorageError> {
        self.active()?.seal()?;
        self.begin()
    }

    fn begin(&mut self) -> Result<(), StorageError> {
        let number = self.segments.last().map_or(0, |segment| segment.header.number) + 1;
        let Owner { cluster, shard, replica } = self.owner;
        let salt = self.options.salt.wrapping_add(u16::try_from(number % 65_521).unwrap_or(0));
        let header = Header { cluster, shard, replica, number, salt };
        let promise = promise_bytes(self.promise);
        let (based, (index, state)) = (based(segment::ON, &self.base_state), &self.checkpoint);
        let mut first = vec![promise_frame(self.promise, &promise), base_frame(self.base, &based)];
        if *index > 0 {
            first.push(checkpoint_frame(*index, state));
        }
        let file = (self.next.take(), self.options.length_of(number));
        let segment = Segment::create(&*self.disk, &self.folder, header, file, &first)?;
        self.segments.push(segment);
        Ok(())
    }

    fn forget(&mut self, base: Base, state: Bytes) {
        for segment in &mut self.segments {
            segment.catalog.cut(0);
        }
        (self.base, self.base_state, self.checkpoint) = (base, state, (0, Bytes::new()));
    }

    /// Removes sealed segments none of whose entries count, oldest first, so that what is left has no gap.
    fn remove_idle(&mut self) -> Result<(), StorageError> {
        let base = self.base.index;
        let idle = |segment: &Segment| segment.sealed && segment.catalog.range().is_none_or(|range| range.1 <= base);
        let count = self.segments.iter().take_while(|segment| idle(segment)).count();
        for segment in self.segments.drain(..count) {
            let path = &segment.path;
            let failed = |source| StorageError::Disk { path: path.clone(), what: "removing", source };
            self.disk.remove(path).map_err(failed)?;
            // One by one: a crash must not bring an older one back and leave a gap.
            self.disk.sync_folder(&self.folder).map_err(failed)?;
        }
        Ok(())
    }
}

fn promise_bytes(promise: Promise) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&promise.vote.to_le_bytes());
    bytes[8..].copy_from_slice(&promise.commit.to_le_bytes());
    bytes
}

fn promise_frame(promise: Promise, payload: &[u8; 16]) -> Frame<'_> {
    Frame { kind: Kind::State, term: promise.term, index: 0, payload }
}

fn based(how: u8, state: &[u8]) -> Vec<u8> {
    [&[how], state].concat()
}

fn base_frame(base: Base, payload: &[u8]) -> Frame<'_> {
    Frame { kind: Kind::Base, term: base.term, index: base.index, payload }
}

fn checkpoint_frame(index: u64, payload: &[u8]) -> Frame<'_> {
    Frame { kind: Kind::Checkpoint, term: 0, index, payload }
}

#[cfg(test)]
mod tests;
