//! Opening a replica's log: which files there are, what they say together, what a crash left half done.

use super::{Base, Disk, Met, Owner, Promise, ReplicaLog, SegmentOptions, segment};
use crate::{StorageError, frame::Kind, segment::Segment};
use bytes::Bytes;
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

impl ReplicaLog {
    /// Opens the log in a folder of its own, or makes it.
    pub fn open(
        disk: Arc<dyn Disk>,
        folder: &Path,
        owner: Owner,
        options: SegmentOptions,
    ) -> Result<ReplicaLog, StorageError> {
        let failed = |source| StorageError::Disk { path: folder.to_owned(), what: "opening", source };
        disk.make_folder(folder).map_err(failed)?;
        let numbers = numbers(&*disk, folder)?;
        let (promise, base) = (Promise::default(), Base::default());
        let (folder, segments, next, stopped) = (folder.to_owned(), Vec::new(), None, None);
        let (base_state, checkpoint) = (Bytes::new(), (0, Bytes::new()));
        let mut log =
            ReplicaLog { disk, folder, owner, options, segments, next, promise, base, base_state, checkpoint, stopped };
        for number in &numbers {
            log.add(*number, Some(number) == numbers.last())?;
        }
        if log.segments.last().is_none_or(|last| last.sealed) {
            log.begin()?;
        }
        log.remove_idle()?;
        Ok(log)
    }

    /// Whether there is anything of a log in a folder.
    pub fn is_there(disk: &dyn Disk, folder: &Path) -> Result<bool, StorageError> {
        let failed = |source| StorageError::Disk { path: folder.to_owned(), what: "listing", source };
        Ok(disk.list(folder).map_err(failed)?.iter().any(|name| segment::number(name).is_some()))
    }

    /// Removes all files of a log that is wanted no more.
    pub fn remove_files(disk: &dyn Disk, folder: &Path) -> Result<(), StorageError> {
        let failed = |source| StorageError::Disk { path: folder.to_owned(), what: "removing", source };
        for name in disk.list(folder).map_err(failed)? {
            disk.remove(&folder.join(name)).map_err(failed)?;
        }
        disk.sync_folder(folder).map_err(failed)
    }

    fn add(&mut self, number: u64, is_last: bool) -> Result<(), StorageError> {
        let path = self.folder.join(segment::name(number));
        // Only the last one tells what was promised: each begins with what its readers must know.
        let (found, met) = Segment::open(&*self.disk, &path, self.options.length, is_last)?;
        self.own(&found, number)?;
        if !(found.sealed || is_last) {
            let what = "it was sealed before the next one was begun, and is not".to_owned();
            return Err(StorageError::Damaged { path, place: 0, what });
        }
        if let Some((first, _)) = found.catalog.range() {
            self.segments.iter_mut().for_each(|earlier| earlier.catalog.cut(first));
        }
        for met in &met {
            self.take(met);
        }
        self.segments.push(found);
        Ok(())
    }

    /// What a record that is no entry says.
    fn take(&mut self, (kind, term, index, payload): &Met) {
        match (kind, payload.as_slice()) {
            (Kind::State, payload) => {
                let number = |at: usize| payload.get(at..at + 8)?.try_into().map(u64::from_le_bytes).ok();
                let (vote, commit) = (number(0).unwrap_or_default(), number(8).unwrap_or_default());
                self.promise = Promise { term: *term, vote, commit };
            }
            (Kind::Base, [segment::ANEW, state @ ..]) => {
                self.forget(Base { index: *index, term: *term }, Bytes::copy_from_slice(state));
            }
            (Kind::Base, [_, state @ ..]) => {
                (self.base, self.base_state) = (Base { index: *index, term: *term }, Bytes::copy_from_slice(state));
            }
            (Kind::Checkpoint, state) => self.checkpoint = (*index, Bytes::copy_from_slice(state)),
            _ => {}
        }
    }

    fn own(&self, found: &Segment, number: u64) -> Result<(), StorageError> {
        let header = found.header;
        let is = Owner { cluster: header.cluster, shard: header.shard, replica: header.replica };
        if is == self.owner && header.number == number {
            return Ok(());
        }
        let (cluster, shard, replica) = (is.cluster, is.shard, is.replica);
        let what =
            format!("it is number {} of replica {replica} of shard {shard} in cluster {cluster:x}", header.number);
        Err(StorageError::Foreign { path: found.path.clone(), what })
    }
}

/// Numbers of the segments there are, without gap. Drafts of segments that were never begun are removed.
fn numbers(disk: &dyn Disk, folder: &Path) -> Result<Vec<u64>, StorageError> {
    let failed = |path: &Path, what| {
        let path: PathBuf = path.to_owned();
        move |source| StorageError::Disk { path, what, source }
    };
    let names = disk.list(folder).map_err(failed(folder, "listing"))?;
    for draft in names.iter().filter(|name| segment::is_draft(name)) {
        let draft = folder.join(draft);
        disk.remove(&draft).map_err(failed(&draft, "removing"))?;
    }
    let mut numbers: Vec<u64> = names.iter().filter_map(|name| segment::number(name)).collect();
    numbers.sort_unstable();
    if let Some(pair) = numbers.windows(2).find(|pair| pair[0] + 1 != pair[1]) {
        let path = folder.join(segment::name(pair[0] + 1));
        let what = format!("it is missing, while {} is there", segment::name(pair[1]));
        return Err(StorageError::Damaged { path, place: 0, what });
    }
    Ok(numbers)
}
