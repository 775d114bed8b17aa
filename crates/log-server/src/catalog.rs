//! Where the entries of a segment lie: its table of contents, in memory and in the footer of a sealed file.

/// An entry whose place is known. From it on the entries follow each other in the file, up to the next one known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Known {
    /// Of the entry.
    pub index: u64,
    /// Of the entry, and of all up to the next one known.
    pub term: u64,
    /// Where its record begins.
    pub place: u32,
}

/// Bytes between two entries whose places are kept.
const STRIDE: u32 = 64 << 10;
/// Bytes of a [`Known`] in a footer.
const SIZE: usize = 20;

/// The entries of one segment that still count, in order. Those that a later leader overwrote are left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Catalog {
    known: Vec<Known>,
    last: u64,
    /// The last entry is also the last record of an entry in the file, so that one right behind it is found by reading on.
    adjacent: bool,
}

impl Catalog {
    /// First and last index; `None` if no entry of it counts.
    pub fn range(&self) -> Option<(u64, u64)> {
        self.known.first().map(|first| (first.index, self.last))
    }

    /// An entry was written: those from its index on count no longer.
    pub fn push(&mut self, index: u64, term: u64, place: u32) {
        let follows = self.known.last().is_some_and(|known| {
            self.adjacent && self.last + 1 == index && known.term == term && place.saturating_sub(known.place) < STRIDE
        });
        self.cut(index);
        if !follows {
            self.known.push(Known { index, term, place });
        }
        (self.last, self.adjacent) = (index, true);
    }

    /// Entries from this index on count no longer.
    pub fn cut(&mut self, from: u64) {
        self.adjacent &= from > self.last;
        self.known.truncate(self.known.partition_point(|known| known.index < from));
        self.last = if self.known.is_empty() { 0 } else { self.last.min(from.saturating_sub(1)) };
    }

    /// The term of an entry.
    pub fn term(&self, index: u64) -> Option<u64> {
        self.stretch(index).map(|stretch| stretch.0.term)
    }

    /// From where to read on to find an entry, and the last index that is found by reading on from there.
    pub fn stretch(&self, index: u64) -> Option<(Known, u64)> {
        let after = self.known.partition_point(|known| known.index <= index);
        let known = self.known[..after].last()?;
        let last = self.known.get(after).map_or(self.last, |next| next.index - 1);
        (index <= last).then_some((*known, last))
    }

    /// Bytes it takes in a footer.
    pub fn length(&self) -> usize {
        8 + self.known.len() * SIZE
    }

    /// As a footer keeps it.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.length());
        bytes.extend_from_slice(&self.last.to_le_bytes());
        for known in &self.known {
            bytes.extend_from_slice(&known.index.to_le_bytes());
            bytes.extend_from_slice(&known.term.to_le_bytes());
            bytes.extend_from_slice(&known.place.to_le_bytes());
        }
        bytes
    }

    /// `None` if it is no footer's payload.
    pub fn read(bytes: &[u8]) -> Option<Catalog> {
        let (last, rest) = bytes.split_first_chunk::<8>()?;
        let each = rest.chunks_exact(SIZE);
        each.remainder().is_empty().then_some(())?;
        let known = each.map(known).collect::<Option<Vec<_>>>()?;
        Some(Catalog { known, last: u64::from_le_bytes(*last), adjacent: false })
    }
}

fn known(bytes: &[u8]) -> Option<Known> {
    let (index, rest) = bytes.split_first_chunk::<8>()?;
    let (term, place) = rest.split_first_chunk::<8>()?;
    let place = u32::from_le_bytes(place.try_into().ok()?);
    Some(Known { index: u64::from_le_bytes(*index), term: u64::from_le_bytes(*term), place })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        /// Against a plain map: whatever is pushed and cut, each entry is found by reading on from what is known, and no other.
        #[test]
        fn every_entry_is_found(steps in proptest::collection::vec((0_u64..4, 1_u32..40_000, any::<bool>()), 1..80)) {
            let (mut catalog, mut map, mut file) = (Catalog::default(), BTreeMap::new(), BTreeMap::new());
            let (mut place, mut term, mut last) = (64, 1, 0_u64);
            for (back, length, elected) in steps {
                term += u64::from(elected);
                let index = (last + 1).saturating_sub(if elected { back } else { 0 }).max(1);
                catalog.push(index, term, place);
                map.split_off(&index);
                map.insert(index, (term, place));
                file.insert(place, index);
                (place, last) = (place + length, index);
            }
            for (index, (term, place)) in &map {
                let (known, until) = catalog.stretch(*index).expect("it is there");
                prop_assert_eq!(catalog.term(*index), Some(*term));
                prop_assert!(known.index <= *index && *index <= until);
                let read: Vec<_> = file.range(known.place..).take(usize::try_from(index - known.index).unwrap() + 1).collect();
                prop_assert_eq!(read.last(), Some(&(place, index)));
            }
            prop_assert_eq!(catalog.range(), map.keys().next().copied().zip(map.keys().last().copied()));
            prop_assert!(catalog.stretch(last + 1).is_none());
            catalog.adjacent = false;
            prop_assert_eq!(catalog.bytes().len(), catalog.length());
            prop_assert_eq!(Catalog::read(&catalog.bytes()), Some(catalog));
        }
    }
}
