//! What a segment holds after a crash: where its records end, and whether what is missing may be missing.
//!
//! Records that were not synced may be there in any part: those in front lost, those behind whole. Such a torn tail is cut at its
//! first hole. But a whole record that says "all up to here was on disk before me" makes a hole in front of that place damage: it
//! was on disk, others may have been promised it, and it must not be dropped in silence.

use crate::{
    frame::{self, ALIGN, Found, Frame},
    header,
};

/// A segment read to its end.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Scan<'a> {
    /// Its records, each with where it begins.
    pub records: Vec<(usize, Frame<'a>)>,
    /// Where the next one goes.
    pub end: usize,
    /// Something lies behind the end, to be overwritten with zeros before anything is appended.
    pub torn: bool,
}

/// A hole where something was on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hole {
    /// Where it begins.
    pub place: usize,
    /// The record that tells of it.
    pub witness: usize,
}

/// Reads a segment's records. `synced`: up to where it is known from elsewhere that all was on disk.
pub(crate) fn scan(bytes: &[u8], salt: u16, synced: usize) -> Result<Scan<'_>, Hole> {
    let (mut records, mut end) = (Vec::new(), header::SIZE);
    while let Found::Whole(found, _, next) = frame::at(bytes, end, salt) {
        records.push((end, found));
        end = next;
    }
    if synced > end {
        return Err(Hole { place: end, witness: synced });
    }
    let rest = bytes.get(end..).unwrap_or_default();
    let torn = rest.iter().any(|byte| *byte != 0);
    match witness(bytes, end, salt).filter(|_| torn) {
        Some(witness) => Err(Hole { place: end, witness }),
        None => Ok(Scan { records, end, torn }),
    }
}

/// A whole record behind a hole that knows that the hole's place was on disk.
fn witness(bytes: &[u8], hole: usize, salt: u16) -> Option<usize> {
    let places = (hole + ALIGN..bytes.len()).step_by(ALIGN);
    places.into_iter().find(|place| match frame::at(bytes, *place, salt) {
        Found::Whole(_, synced, _) => usize::try_from(synced).is_ok_and(|synced| synced > hole),
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::{Kind, put};
    use proptest::prelude::*;

    const SALT: u16 = 77;
    const LENGTH: usize = 16 << 10;
    const SECTOR: usize = 512;

    /// A segment written in batches, each synced before the next; where each batch begins, and what all should read as.
    fn written(batches: &[Vec<Vec<u8>>]) -> (Vec<u8>, Vec<usize>) {
        let (mut bytes, mut begins, mut index) = (vec![0; header::SIZE], Vec::new(), 0);
        for batch in batches {
            let synced = u32::try_from(bytes.len()).unwrap();
            begins.push(bytes.len());
            for payload in batch {
                index += 1;
                put(&mut bytes, &Frame { kind: Kind::Entry, term: 1, index, payload }, SALT, synced);
            }
        }
        begins.push(bytes.len());
        (bytes, begins)
    }

    fn padded(mut bytes: Vec<u8>) -> Vec<u8> {
        bytes.resize(LENGTH, 0);
        bytes
    }

    fn batches() -> impl Strategy<Value = Vec<Vec<Vec<u8>>>> {
        let payload = proptest::collection::vec(any::<u8>(), 0..300);
        proptest::collection::vec(proptest::collection::vec(payload, 1..6), 1..6)
    }

    proptest! {
        /// Of the last batch any sectors may be missing: all that was synced is there, and what is there is a prefix.
        #[test]
        fn a_torn_tail_is_cut(batches in batches(), lost in proptest::collection::vec(any::<bool>(), LENGTH / SECTOR)) {
            let (bytes, begins) = written(&batches);
            let last = begins[begins.len() - 2];
            let whole = padded(bytes.clone());
            let mut crashed = whole.clone();
            for (sector, lost) in lost.iter().enumerate() {
                let begin = (sector * SECTOR).max(last);
                let end = (sector + 1) * SECTOR;
                if *lost && begin < end {
                    crashed[begin..end].fill(0);
                }
            }
            let (before, after) = (scan(&whole, SALT, 0).unwrap(), scan(&crashed, SALT, 0).unwrap());
            prop_assert!(after.end >= last, "{} is synced, read to {}", last, after.end);
            prop_assert!(before.records.starts_with(&after.records));
        }

        /// A bit that flips in front of a later sync is found, and its place is told.
        #[test]
        fn damage_in_the_middle_is_refused(batches in batches(), flipped: prop::sample::Index) {
            let (bytes, begins) = written(&batches);
            prop_assume!(begins.len() > 2);
            let last = begins[begins.len() - 2];
            let mut damaged = padded(bytes);
            let bit = header::SIZE * 8 + flipped.index((last - header::SIZE) * 8);
            let before = scan(&damaged, SALT, 0).unwrap().records.len();
            damaged[bit / 8] ^= 1 << (bit % 8);
            match scan(&damaged, SALT, 0) {
                Err(hole) => prop_assert!(hole.place <= bit / 8 && hole.witness > bit / 8),
                // Only the padding behind a payload says nothing.
                Ok(scan) => prop_assert_eq!(scan.records.len(), before),
            }
        }
    }

    #[test]
    fn a_synced_tail_that_is_gone_is_damage() {
        let (bytes, begins) = written(&[vec![b"one".to_vec()], vec![b"two".to_vec()]]);
        let mut lost = padded(bytes);
        lost[begins[1]..].fill(0);
        assert_eq!(scan(&lost, SALT, 0).map(|scan| scan.end), Ok(begins[1]), "nothing tells");
        assert_eq!(scan(&lost, SALT, begins[2]), Err(Hole { place: begins[1], witness: begins[2] }));
    }
}
