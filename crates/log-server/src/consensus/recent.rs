//! The last entries of a log, kept in memory.

use raft::eraftpb::Entry;
use std::collections::VecDeque;

/// Bytes of payload kept at most; one entry is always kept.
const MOST: usize = 16 << 20;
/// What an entry takes besides its payload, about.
const HEAD: usize = 96;

/// Entries without gap up to the last one written.
#[derive(Default)]
pub(crate) struct Recent {
    entries: VecDeque<Entry>,
    bytes: usize,
}

impl Recent {
    /// Entries were written: what lay from the first of them on is replaced.
    pub fn push(&mut self, entries: Vec<Entry>) {
        let Some(first) = entries.first().map(|entry| entry.index) else { return };
        while let Some(last) = self.entries.pop_back_if(|last| last.index >= first) {
            self.bytes -= size(&last);
        }
        if self.entries.back().is_some_and(|last| last.index + 1 != first) {
            *self = Recent::default();
        }
        for entry in entries {
            self.bytes += size(&entry);
            self.entries.push_back(entry);
        }
        while self.bytes > MOST && self.entries.len() > 1 {
            self.bytes -= self.entries.pop_front().as_ref().map_or(0, size);
        }
    }

    /// Entries from `low` up to and without `high`, at most so many bytes of payload, but one at least; `None` if `low` is not at hand.
    pub fn entries(&self, low: u64, high: u64, most: usize) -> Option<Vec<Entry>> {
        let first = self.entries.front()?.index;
        let from = usize::try_from(low.checked_sub(first)?).ok()?;
        let to = usize::try_from(high.checked_sub(first)?).ok()?.min(self.entries.len());
        if from >= to {
            return None;
        }
        let mut bytes = 0;
        let fits = |entry: &&Entry| {
            let is_first = bytes == 0;
            bytes += size(entry);
            is_first || bytes <= most
        };
        Some(self.entries.range(from..to).take_while(fits).cloned().collect())
    }
}

fn size(entry: &Entry) -> usize {
    entry.data.len() + HEAD
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn entry(index: u64, term: u64, length: usize) -> Entry {
        Entry { index, term, data: vec![0; length].into(), ..Entry::default() }
    }

    #[test]
    fn a_little_is_kept_and_the_oldest_goes_first() {
        let mut recent = Recent::default();
        for index in 1..=40 {
            recent.push(vec![entry(index, 1, 1 << 20)]);
        }
        assert!(recent.entries(20, 21, usize::MAX).is_none() && recent.bytes <= MOST);
        assert_eq!(recent.entries(40, 41, 0).map(|found| found.len()), Some(1), "one is always brought");
        assert_eq!(recent.entries(38, 41, 3 << 20).map(|found| found.len()), Some(2));
        assert!(recent.entries(41, 42, 1).is_none());
    }

    proptest! {
        /// It never tells otherwise than a log that keeps everything.
        #[test]
        fn it_is_the_end_of_the_log(writes in proptest::collection::vec((0_u64..6, 1_u64..5), 1..40)) {
            let (mut recent, mut log, mut term) = (Recent::default(), Vec::<Entry>::new(), 0);
            for (back, count) in writes {
                term += 1;
                let first = (log.len() as u64).saturating_sub(back) + 1;
                let entries: Vec<Entry> = (first..first + count).map(|index| entry(index, term, 10)).collect();
                log.truncate(usize::try_from(first - 1).unwrap());
                log.extend(entries.clone());
                recent.push(entries);
                let end = log.len() as u64 + 1;
                for low in 1..end {
                    let from = usize::try_from(low - 1).unwrap();
                    prop_assert_eq!(recent.entries(low, end, usize::MAX), Some(log[from..].to_vec()));
                }
            }
        }
    }
}
