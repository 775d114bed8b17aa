//! How big a program's fill is: whole, or `--small` to see only that the program still runs to its end.

/// `full`, or a tenth of it with `--small` among the arguments, when the figures mean nothing.
pub fn of(full: u64) -> u64 {
    if std::env::args().any(|argument| argument == "--small") { full / 10 } else { full }
}

/// The same, for counts of things.
pub fn count(full: usize) -> usize {
    usize::try_from(of(full as u64)).expect("smaller than what fitted")
}
