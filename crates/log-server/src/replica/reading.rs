//! Reading entries back from the files.

use super::{Entry, ReplicaLog};
use crate::{
    StorageError,
    catalog::Known,
    frame::{self, Found, Kind, LARGEST},
    segment::Segment,
};
use bytes::Bytes;

/// Bytes read at once.
const CHUNK: usize = 1 << 20;

impl ReplicaLog {
    /// Entries from `from` up to and without `to`, at most so many bytes of payload, but one at least. Fewer if they are not here.
    pub fn entries(&self, from: u64, to: u64, most: usize) -> Result<Vec<Entry>, StorageError> {
        let (mut found, mut bytes, mut index) = (Vec::new(), 0, from.max(self.first_index()));
        while index < to {
            let stretch = |segment: &'_ Segment| segment.catalog.stretch(index);
            let holder = self.segments.iter().rev().find_map(|segment| Some((segment, stretch(segment)?)));
            let Some((segment, (known, last))) = holder else { break };
            let until = last.min(to - 1);
            let mut full = false;
            stretch_of(segment, known, until, &mut |entry| {
                if entry.index >= index {
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
            index = until + 1;
        }
        Ok(found)
    }
}

/// Hands on the entries of a stretch, up to an index or until it is enough.
fn stretch_of(
    segment: &Segment,
    known: Known,
    until: u64,
    take: &mut dyn FnMut(Entry) -> bool,
) -> Result<(), StorageError> {
    let (mut place, mut chunk, mut next) = (u64::from(known.place), CHUNK, known.index);
    while next <= until {
        let bytes = Bytes::from(segment.bytes_at(place, chunk)?);
        let mut done = 0;
        while let Found::Whole(frame, _, after) = frame::at(&bytes, done, segment.header.salt) {
            done = after.min(bytes.len());
            if !matches!(frame.kind, Kind::Entry | Kind::Change) {
                continue;
            }
            let payload = bytes.slice_ref(frame.payload);
            let entry = Entry { index: frame.index, term: frame.term, change: frame.kind == Kind::Change, payload };
            // Anything else here would be an entry that was replaced, or none that was ever written.
            if entry.index != next {
                return Err(segment.hole(place));
            }
            next += 1;
            if !take(entry) || next > until {
                return Ok(());
            }
        }
        if done == 0 && (chunk > LARGEST || bytes.len() < chunk) {
            return Err(segment.hole(place));
        }
        (place, chunk) = if done == 0 { (place, chunk * 4) } else { (place + done as u64, CHUNK) };
    }
    Ok(())
}
