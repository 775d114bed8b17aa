//! Reading entries back from the files.

use super::{Entry, ReplicaLog};
use crate::{
    Disk, StorageError,
    frame::{self, Found, Kind, LARGEST},
    segment::{self, Segment},
};
use bytes::Bytes;
use std::{path::Path, sync::Arc};

/// Bytes read at once, at least and at most, where records allow.
const CHUNK: (usize, usize) = (64 << 10, 1 << 20);

/// A row of entries in one file. It can be read without the log it is of, also while that is written on: entries that were agreed on
/// never change.
#[derive(Debug, Clone)]
pub struct Stretch {
    path: Arc<Path>,
    salt: u16,
    /// Where the record of `first` begins.
    place: u64,
    first: u64,
    /// The last index that is found by reading on.
    last: u64,
}

/// How bytes of a file are had: so many from a place on, or fewer at its end.
type Fetch<'a> = dyn FnMut(&Path, u64, usize) -> Result<Vec<u8>, StorageError> + 'a;

impl ReplicaLog {
    /// Entries from `from` up to and without `to`, at most so many bytes of payload, but one at least. Fewer if they are not here.
    pub fn entries(&self, from: u64, to: u64, most: usize) -> Result<Vec<Entry>, StorageError> {
        let rows = self.stretches(from, to, most);
        let mut fetch = |path: &Path, place, length| match self.segments.iter().find(|segment| segment.path == path) {
            Some(segment) => segment.bytes_at(place, length),
            None => Err(StorageError::Misuse(format!("{} is not of this log", path.display()))),
        };
        gather(&rows, from.max(self.first_index()), to, most, &mut fetch)
    }

    /// Where the entries from `from` up to and without `to` lie, as far as so many bytes of records reach, and a little farther.
    pub fn stretches(&self, from: u64, to: u64, most: usize) -> Vec<Stretch> {
        let (mut rows, mut index, mut bytes) = (Vec::<Stretch>::new(), from.max(self.first_index()), 0);
        while index < to && bytes <= most {
            let holder =
                self.segments.iter().rev().find_map(|segment| Some((segment, segment.catalog.stretch(index)?)));
            let Some((segment, (known, last))) = holder else { break };
            let place = u64::from(known.place);
            if let Some(before) = rows.last().filter(|before| *before.path == *segment.path && before.place < place) {
                bytes += usize::try_from(place - before.place).unwrap_or(usize::MAX);
            }
            rows.push(row(segment, rows.last(), place, known.index, last));
            index = last + 1;
        }
        rows
    }
}

fn row(segment: &Segment, before: Option<&Stretch>, place: u64, first: u64, last: u64) -> Stretch {
    let shared = before.map(|before| &before.path).filter(|path| ***path == *segment.path);
    let path = shared.map_or_else(|| Arc::from(segment.path.as_path()), Arc::clone);
    Stretch { path, salt: segment.header.salt, place, first, last }
}

/// Reads entries where [`ReplicaLog::stretches`] said they lie. A file that was let go of since is an error of the disk, `NotFound`.
pub fn read(disk: &dyn Disk, rows: &[Stretch], from: u64, to: u64, most: usize) -> Result<Vec<Entry>, StorageError> {
    let mut open = None;
    let mut fetch = |path: &Path, place: u64, length: usize| {
        let failed = |source| StorageError::Disk { path: path.to_owned(), what: "reading", source };
        if open.as_ref().is_none_or(|(name, _)| name != path) {
            open = Some((path.to_owned(), disk.open(path).map_err(failed)?));
        }
        let mut bytes = vec![0; length];
        let have = open.as_ref().map_or(Ok(0), |(_, file)| file.read_at(place, &mut bytes)).map_err(failed)?;
        bytes.truncate(have);
        Ok(bytes)
    };
    gather(rows, from, to, most, &mut fetch)
}

fn gather(
    rows: &[Stretch],
    from: u64,
    to: u64,
    most: usize,
    fetch: &mut Fetch<'_>,
) -> Result<Vec<Entry>, StorageError> {
    let (mut found, mut bytes, mut page) = (Vec::new(), 0, Page::new(most));
    for row in rows {
        let mut full = false;
        page.each(row, row.last.min(to.saturating_sub(1)), fetch, &mut |entry| {
            if entry.index >= from {
                bytes += entry.payload.len();
                full = bytes > most && !found.is_empty();
                if !full {
                    found.push(entry);
                }
            }
            !full
        })?;
        if full {
            break;
        }
    }
    Ok(found)
}

/// A piece of a file in memory. Stretches that lie one behind the other share it.
struct Page {
    path: Option<Arc<Path>>,
    place: u64,
    bytes: Bytes,
    chunk: usize,
}

impl Page {
    fn new(most: usize) -> Page {
        let chunk = most.saturating_add(CHUNK.0).clamp(CHUNK.0, CHUNK.1);
        Page { path: None, place: 0, bytes: Bytes::new(), chunk }
    }

    /// What of it lies from a place on; empty if it is elsewhere.
    fn from(&self, row: &Stretch, place: u64) -> Bytes {
        let here = self.path.as_ref().is_some_and(|path| *path == row.path);
        let skipped = place.checked_sub(self.place).and_then(|skipped| usize::try_from(skipped).ok());
        skipped
            .filter(|skipped| here && *skipped < self.bytes.len())
            .map_or_else(Bytes::new, |at| self.bytes.slice(at..))
    }

    fn load(&mut self, row: &Stretch, place: u64, length: usize, fetch: &mut Fetch<'_>) -> Result<Bytes, StorageError> {
        (self.path, self.place) = (Some(Arc::clone(&row.path)), place);
        self.bytes = Bytes::from(fetch(&row.path, place, length)?);
        Ok(self.bytes.clone())
    }

    /// Hands on the entries of a stretch, up to an index or until it is enough.
    fn each(
        &mut self,
        row: &Stretch,
        until: u64,
        fetch: &mut Fetch<'_>,
        take: &mut dyn FnMut(Entry) -> bool,
    ) -> Result<(), StorageError> {
        let (mut place, mut next, mut length) = (row.place, row.first, self.chunk);
        let mut bytes = self.from(row, place);
        while next <= until {
            let mut done = 0;
            while let Found::Whole(frame, _, after) = frame::at(&bytes, done, row.salt) {
                done = after.min(bytes.len());
                if !matches!(frame.kind, Kind::Entry | Kind::Change) {
                    continue;
                }
                let payload = bytes.slice_ref(frame.payload);
                let entry = Entry { index: frame.index, term: frame.term, change: frame.kind == Kind::Change, payload };
                // Anything else here would be an entry that was replaced, or none that was ever written.
                if entry.index != next {
                    return Err(segment::hole(&row.path, place + done as u64));
                }
                next += 1;
                if !take(entry) || next > until {
                    return Ok(());
                }
            }
            place += done as u64;
            if done == 0 && !bytes.is_empty() && self.place == place {
                // A record longer than what was read, or the end of the file.
                if length > LARGEST || bytes.len() < length {
                    return Err(segment::hole(&row.path, place));
                }
                length *= 4;
            }
            bytes = self.load(row, place, length, fetch)?;
            if bytes.is_empty() {
                return Err(segment::hole(&row.path, place));
            }
        }
        Ok(())
    }
}
