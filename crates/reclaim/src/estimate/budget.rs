//! How much a survey may read: one percent of the data, shared by size, with what one table leaves passed on.

/// Blocks the kernel reads at least; what a page header costs.
pub(crate) const BLOCK: u64 = 4096;
/// A survey of little data may read this much all the same.
const FLOOR_BYTES: u64 = 1 << 20;

/// What is left to read and to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Budget {
    bytes: u64,
    data: u64,
}

impl Budget {
    /// For a survey over `data` bytes; `share` of them may be read, in thousandths.
    pub fn new(data: u64, thousandths: u64) -> Self {
        Self { bytes: (data / 1000 * thousandths).max(FLOOR_BYTES), data }
    }

    /// What a table of this size may read now.
    pub fn share(&self, table: u64) -> u64 {
        let share = u128::from(self.bytes) * u128::from(table) / u128::from(self.data.max(1));
        u64::try_from(share).unwrap_or(u64::MAX).min(self.bytes)
    }

    /// Notes a table as looked at.
    pub fn spend(&mut self, table: u64, read: u64) {
        self.data = self.data.saturating_sub(table);
        self.bytes = self.bytes.saturating_sub(read);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_leaves_the_next_may_use() {
        let mut budget = Budget::new(2_000_000_000, 9);
        assert_eq!(budget.share(1_000_000_000), 9_000_000);
        budget.spend(1_000_000_000, 1_000_000);
        assert_eq!(budget.share(1_000_000_000), 17_000_000);
    }
}
