//! One record in a segment file: its bytes, and what stands in their place when they are not whole.
//!
//! ```text
//!   0      4      8    9     10     12       16     24      32          32+len   padded to 8
//!   ├──────┼──────┼────┼─────┼──────┼────────┼──────┼───────┼───────────┼────────┤
//!   │ len  │ crc  │kind│ ver │ salt │ synced │ term │ index │ payload … │ zeros  │   all little-endian
//!   └──────┴──────┴────┴─────┴──────┴────────┴──────┴───────┴───────────┴────────┘
//! ```
//!
//! `crc` is CRC-32C of all behind it. `salt` is the segment's: what a file held in an earlier life is not taken for its own.
//! `synced` tells up to where the file was on disk when this record was written: damage in front of it is no torn tail.

/// Bytes in front of a payload.
pub const HEADER: usize = 32;
/// Records begin at multiples of this.
pub const ALIGN: usize = 8;
/// Largest payload in bytes; what is larger is refused long before.
pub const LARGEST: usize = 64 << 20;
/// The only form there is.
const VERSION: u8 = 1;

/// What a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Kind {
    /// An entry of the replicated log.
    Entry = 1,
    /// An entry that changes the members.
    Change = 2,
    /// Term, vote and commit of this member.
    State = 3,
    /// Everything up to `index`, of `term`, is gone: the log begins behind it. Its payload is how (one byte) and what all that
    /// added up to.
    Base = 4,
    /// Nothing but `synced`: what was written before is on disk.
    Mark = 5,
    /// The table of contents of a sealed segment; the last record in it.
    Footer = 6,
    /// What everything up to `index` added up to, so that not all need be read again.
    Checkpoint = 7,
}

impl Kind {
    fn of(byte: u8) -> Option<Kind> {
        [Kind::Entry, Kind::Change, Kind::State, Kind::Base, Kind::Mark, Kind::Footer, Kind::Checkpoint]
            .into_iter()
            .find(|kind| *kind as u8 == byte)
    }
}

/// A record as it is written and read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame<'a> {
    /// What it is.
    pub kind: Kind,
    /// Of the entry.
    pub term: u64,
    /// Of the entry.
    pub index: u64,
    /// As it was given.
    pub payload: &'a [u8],
}

/// What a place in a segment holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found<'a> {
    /// A whole record, up to where the file was on disk when it was written, and where the next begins.
    Whole(Frame<'a>, u32, usize),
    /// Nothing was ever written here: the header is all zeros.
    Blank,
    /// Something that is no whole record of this segment.
    Broken,
}

/// Bytes a payload of this length takes with all around it.
pub const fn room(payload: usize) -> usize {
    (HEADER + payload).next_multiple_of(ALIGN)
}

/// Appends a record's bytes.
///
/// # Panics
/// Never for payloads up to [`LARGEST`].
pub fn put(out: &mut Vec<u8>, frame: &Frame<'_>, salt: u16, synced: u32) {
    let (begin, length) = (out.len(), u32::try_from(frame.payload.len()).unwrap_or(u32::MAX));
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&[frame.kind as u8, VERSION]);
    out.extend_from_slice(&salt.to_le_bytes());
    out.extend_from_slice(&synced.to_le_bytes());
    out.extend_from_slice(&frame.term.to_le_bytes());
    out.extend_from_slice(&frame.index.to_le_bytes());
    out.extend_from_slice(frame.payload);
    let crc = crc32c::crc32c(&out[begin + 8..]);
    out[begin + 4..begin + 8].copy_from_slice(&crc.to_le_bytes());
    out.resize(begin + room(frame.payload.len()), 0);
}

/// What `bytes`, a segment from its begin, hold at `place`.
pub fn at(bytes: &[u8], place: usize, salt: u16) -> Found<'_> {
    let Some(header) = bytes.get(place..place + HEADER) else {
        let rest = bytes.get(place..).unwrap_or_default();
        return if rest.iter().all(|byte| *byte == 0) { Found::Blank } else { Found::Broken };
    };
    if header.iter().all(|byte| *byte == 0) {
        return Found::Blank;
    }
    whole(bytes, place, header, salt).unwrap_or(Found::Broken)
}

fn whole<'a>(bytes: &'a [u8], place: usize, header: &[u8], salt: u16) -> Option<Found<'a>> {
    let length = usize::try_from(u32_at(header, 0)?).ok().filter(|length| *length <= LARGEST)?;
    let all = bytes.get(place + 8..place + HEADER + length)?;
    let own = u16::from_le_bytes(header.get(10..12)?.try_into().ok()?) == salt;
    if !own || header[9] != VERSION || crc32c::crc32c(all) != u32_at(header, 4)? {
        return None;
    }
    let frame = Frame {
        kind: Kind::of(header[8])?,
        term: u64_at(header, 16)?,
        index: u64_at(header, 24)?,
        payload: &all[HEADER - 8..],
    };
    Some(Found::Whole(frame, u32_at(header, 12)?, place + room(length)))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn frame(payload: &[u8]) -> Frame<'_> {
        Frame { kind: Kind::Entry, term: 3, index: 9, payload }
    }

    proptest! {
        #[test]
        fn what_is_put_is_found(payloads in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..99), 1..9), salt: u16) {
            let mut bytes = Vec::new();
            for payload in &payloads {
                put(&mut bytes, &frame(payload), salt, 7);
            }
            let mut place = 0;
            for payload in &payloads {
                let Found::Whole(found, 7, next) = at(&bytes, place, salt) else { panic!("at {place}") };
                prop_assert_eq!(found, frame(payload));
                place = next;
            }
            prop_assert_eq!(at(&bytes, place, salt), Found::Blank);
        }

        #[test]
        fn a_flipped_bit_is_seen(payload in proptest::collection::vec(any::<u8>(), 0..99), flipped: prop::sample::Index) {
            let mut bytes = Vec::new();
            put(&mut bytes, &frame(&payload), 1, 0);
            let bit = flipped.index((HEADER + payload.len()) * 8);
            bytes[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(!matches!(at(&bytes, 0, 1), Found::Whole(..)));
        }

        #[test]
        fn whatever_lies_there_is_no_record(bytes in proptest::collection::vec(any::<u8>(), 0..200), place in 0_usize..250) {
            prop_assert!(!matches!(at(&bytes, place, 1), Found::Whole(..)));
        }
    }

    #[test]
    fn an_earlier_life_is_not_taken_for_ones_own() {
        let mut bytes = Vec::new();
        put(&mut bytes, &frame(b"old"), 1, 0);
        assert_eq!(at(&bytes, 0, 2), Found::Broken);
    }
}
