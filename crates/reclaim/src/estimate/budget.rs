//! How much a survey may read: one percent of the data, shared by size, with what one table leaves passed on.

/// Blocks the kernel reads at least; what a page header costs.
pub(crate) const BLOCK: u64 = 4096;
/// A survey of little data may read this much all the same.
const FLOOR_BYTES: u64 = 8 << 20;
/// A small table alone takes no more of that than a share of its own size, or what is enough in any case.
const OF_ONE: u64 = 8;
const ENOUGH: u64 = 1 << 20;

/// What is left to read and to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Budget {
    bytes: u64,
    data: u64,
}

impl Budget {
    /// For a survey over `data` bytes, of which so many thousandths may be read. What the server `opened` tables with is part
    /// of it, up to one half: where tables are so small that opening them takes all, a blind survey saves nothing.
    pub fn new(data: u64, thousandths: u64, opened: u64) -> Self {
        let all = data / 1000 * thousandths;
        Self { bytes: all.saturating_sub(opened).max(all / 2).max(FLOOR_BYTES), data }
    }

    /// What a table of this size may read now.
    pub fn share(&self, table: u64) -> u64 {
        let share = u128::from(self.bytes) * u128::from(table) / u128::from(self.data.max(1));
        u64::try_from(share).unwrap_or(u64::MAX).min(self.bytes).min((table / OF_ONE).max(ENOUGH))
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
        let mut budget = Budget::new(2_000_000_000, 9, 0);
        assert_eq!(budget.share(1_000_000_000), 9_000_000);
        budget.spend(1_000_000_000, 1_000_000);
        assert_eq!(budget.share(1_000_000_000), 17_000_000);
    }

    #[test]
    fn opening_tables_is_paid_for_up_to_one_half() {
        let left = |opened| Budget::new(4_000_000_000, 9, opened).share(4_000_000_000);
        assert_eq!([left(0), left(16_000_000), left(96_000_000)], [36_000_000, 20_000_000, 18_000_000]);
    }

    #[test]
    fn equal_small_tables_all_get_the_same() {
        let mut budget = Budget::new(20 * (11 << 20), 9, 0);
        let shares = [(); 20].map(|()| {
            let share = budget.share(11 << 20);
            budget.spend(11 << 20, share);
            share
        });
        assert!(shares.iter().all(|share| (400_000..440_000).contains(share)), "{shares:?}");
    }
}
