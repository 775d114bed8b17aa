//! Ordered, disjoint, never touching ranges of transaction numbers.

use std::{collections::BTreeMap, fmt};

/// Transaction numbers of one origin, as ranges; both ends are inside.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Intervals {
    /// First to last; neighbours that touch are one.
    ranges: BTreeMap<u64, u64>,
}

impl Intervals {
    /// True if there is no number.
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// `(first, last)` of each range, rising.
    pub fn iter(&self) -> impl Iterator<Item = (u64, u64)> {
        self.ranges.iter().map(|(first, last)| (*first, *last))
    }

    /// The highest number, 0 if there is none.
    pub fn highest(&self) -> u64 {
        self.ranges.last_key_value().map_or(0, |(_, last)| *last)
    }

    /// How many numbers.
    pub fn count(&self) -> u64 {
        self.iter().map(|(first, last)| last - first + 1).sum()
    }

    /// Whether the number is in one of the ranges.
    pub fn contains(&self, number: u64) -> bool {
        self.ranges.range(..=number).next_back().is_some_and(|(_, last)| *last >= number)
    }

    /// Adds `first..=last`, joining what it touches.
    pub fn insert(&mut self, first: u64, last: u64) {
        let (mut low, mut high) = (first, last);
        let reach = last.saturating_add(1);
        let touching: Vec<u64> = self
            .ranges
            .range(..=reach)
            .rev()
            .take_while(|(_, end)| end.saturating_add(1) >= first)
            .map(|r| *r.0)
            .collect();
        for start in touching {
            if let Some(end) = self.ranges.remove(&start) {
                low = low.min(start);
                high = high.max(end);
            }
        }
        self.ranges.insert(low, high);
    }

    /// What is here and not in `other`.
    #[must_use]
    pub fn subtract(&self, other: &Intervals) -> Intervals {
        let mut rest = Intervals::default();
        for (first, last) in self.iter() {
            let mut from = first;
            for (away_first, away_last) in other.iter().filter(|(f, l)| *l >= first && *f <= last) {
                if away_first > from {
                    rest.ranges.insert(from, away_first - 1);
                }
                from = from.max(away_last.saturating_add(1));
            }
            if from <= last {
                rest.ranges.insert(from, last);
            }
        }
        rest
    }
}

impl fmt::Display for Intervals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (first, last)) in self.iter().enumerate() {
            let colon = if place == 0 { "" } else { ":" };
            if first == last { write!(f, "{colon}{first}")? } else { write!(f, "{colon}{first}-{last}")? }
        }
        Ok(())
    }
}
