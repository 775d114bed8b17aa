//! Who may append at which place: the one rule, used by every log.

use crate::LogError;
use serde::{Deserialize, Serialize};
use types::{Epoch, Lsn};

/// Where each epoch that was ever in force began. Made of the seals in the log alone, so that all members agree on it.
///
/// ```text
///   epoch 1            epoch 2        epoch 4
///   ├──────────────────┤├────────────┤├────────…
///   0                  seal(1)       seal(3)      a seal's own place still belongs to the epoch it ends
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reign {
    /// `(epoch, the place behind which its records count)`, both rising; never empty.
    starts: Vec<(Epoch, Lsn)>,
}

impl Default for Reign {
    fn default() -> Self {
        Self { starts: vec![(Epoch::FIRST, Lsn::ZERO)] }
    }
}

impl Reign {
    /// The epoch whose records are accepted now.
    pub fn current(&self) -> Epoch {
        self.starts.last().map_or(Epoch::FIRST, |start| start.0)
    }

    /// The epoch whose records count at a place.
    pub fn at(&self, lsn: Lsn) -> Epoch {
        let begun = self.starts.partition_point(|start| start.1 < lsn);
        self.starts[..begun].last().map_or(Epoch::FIRST, |start| start.0)
    }

    /// Whether a record of an epoch counts at a place.
    pub fn accepts(&self, epoch: Epoch, lsn: Lsn) -> bool {
        self.at(lsn) == epoch
    }

    /// Refuses an epoch that is not the one in force.
    pub fn admit(&self, asked: Epoch) -> Result<(), LogError> {
        let current = self.current();
        if asked == current { Ok(()) } else { Err(LogError::Fenced { asked, current }) }
    }

    /// As it stood when nothing behind a place was known.
    #[must_use]
    pub fn until(&self, lsn: Lsn) -> Reign {
        let mut starts = self.starts.clone();
        starts.retain(|start| start.1 <= lsn);
        Reign { starts }
    }

    /// A seal of `epoch` lies at `lsn`. Returns where that epoch ended, and whether this seal ended it.
    pub fn seal(&mut self, epoch: Epoch, lsn: Lsn) -> (Lsn, bool) {
        if let Some(next) = self.starts.iter().find(|start| start.0 > epoch) {
            return (next.1, false);
        }
        self.starts.push((epoch.next(), lsn));
        (lsn, true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_sealed_epoch_ends_once() {
        let mut reign = Reign::default();
        assert_eq!(reign.seal(Epoch(1), Lsn(7)), (Lsn(7), true));
        assert_eq!(reign.seal(Epoch(1), Lsn(9)), (Lsn(7), false), "it ended before");
        assert_eq!(reign.seal(Epoch(3), Lsn(12)), (Lsn(12), true));
        assert_eq!(reign.seal(Epoch(2), Lsn(20)), (Lsn(12), false), "2 was in force until 3 was sealed");
        assert_eq!(reign.current(), Epoch(4));
        let accepted = [(1, 1), (1, 7), (2, 8), (2, 12), (4, 13), (4, 99)];
        for (epoch, lsn) in accepted {
            assert!(reign.accepts(Epoch(epoch), Lsn(lsn)), "{epoch} at {lsn}");
            assert!(!reign.accepts(Epoch(3), Lsn(lsn)), "3 never was in force");
        }
        assert!(!reign.accepts(Epoch(1), Lsn(8)) && !reign.accepts(Epoch(2), Lsn(7)));
    }

    proptest! {
        /// Whatever is sealed in whatever order: one epoch a place, rising along the log, and nothing behind its end.
        #[test]
        fn seal_is_final(seals in proptest::collection::vec((0_u64..12, 1_u64..5), 0..20)) {
            let (mut reign, mut place, mut ends) = (Reign::default(), 0, Vec::new());
            for (epoch, step) in seals {
                place += step;
                ends.push((Epoch(epoch), reign.seal(Epoch(epoch), Lsn(place)).0));
            }
            for lsn in 1..=place + 3 {
                prop_assert!(reign.at(Lsn(lsn)) <= reign.at(Lsn(lsn + 1)));
                for (epoch, end) in &ends {
                    prop_assert!(Lsn(lsn) <= *end || reign.at(Lsn(lsn)) > *epoch);
                }
            }
        }
    }
}
