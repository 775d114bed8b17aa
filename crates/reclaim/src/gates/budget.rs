//! Gate `budget`: a node is given only so many bytes to write an hour, and so many minutes of rebuilding a day.
//!
//! The bytes are a leaky bucket: what a rebuild writes goes in when it begins, and the hour's budget leaks out each hour. A
//! piece begins if it fits in beside what is there, or if nothing is: a table larger than the budget can be rebuilt
//! too, and what comes after it waits until its debt has leaked out, a day and an hour at most.

use super::{graver, refuse, wait};
use api::{Estimate, GateVerdict};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use serde::{Deserialize, Serialize};

/// How far back a rebuild counts. Longer than a day, so that a whole day is seen from any moment of it.
pub const REACH: SignedDuration = SignedDuration::from_hours(25);

const MB: f64 = 1_048_576.0;

/// What rebuilding may cost each node. Nothing said is no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budget {
    /// Bytes written by rebuilds in an hour.
    pub bytes_per_hour: Option<u64>,
    /// Minutes of rebuilding in a UTC day.
    pub minutes_per_day: Option<u64>,
}

impl Budget {
    /// True if there is no limit, and so nothing to look up.
    pub fn is_unlimited(&self) -> bool {
        *self == Self::default()
    }

    fn seconds_per_day(&self) -> Option<f64> {
        self.minutes_per_day.map(|minutes| minutes as f64 * 60.0)
    }
}

/// One rebuild's cost to a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spending {
    /// `host:port`.
    pub node: String,
    /// When it began.
    pub at: Timestamp,
    /// When it ended; `None` while that is not known.
    pub until: Option<Timestamp>,
    /// Bytes written: measured, or predicted as long as they are not or never will be.
    pub bytes: u64,
}

/// Where a node stands.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Spent {
    /// Bytes in the bucket.
    pub bytes: f64,
    /// Seconds of the UTC day.
    pub seconds: f64,
}

impl Spent {
    /// Where `node` stands at a moment.
    pub fn of(spendings: &[Spending], node: &str, budget: &Budget, now: Timestamp) -> Self {
        let mine: Vec<&Spending> = spendings.iter().filter(|one| one.node == node).collect();
        let bytes = budget.bytes_per_hour.map_or(0.0, |rate| bucket(&mine, rate, now));
        let midnight = now.to_zoned(TimeZone::UTC).start_of_day().map_or(Timestamp::MIN, |day| day.timestamp());
        Self { bytes, seconds: mine.iter().map(|one| seconds_since(one, midnight, now)).sum() }
    }
}

/// What is in the bucket: filled as rebuilds began, leaking all the time.
fn bucket(spendings: &[&Spending], rate: u64, now: Timestamp) -> f64 {
    let since = before(now, REACH);
    // Another process's clock may be ahead of ours.
    let mut filled: Vec<_> = spendings.iter().map(|one| (one.at.min(now), one.bytes)).collect();
    filled.retain(|(at, _)| *at >= since);
    filled.sort_unstable();
    let leak = |from: Timestamp, to: Timestamp| to.duration_since(from).as_secs_f64() / 3600.0 * rate as f64;
    let (mut level, mut last) = (0.0_f64, since);
    for (at, bytes) in filled {
        level = (level - leak(last, at)).max(0.0) + bytes as f64;
        last = at;
    }
    (level - leak(last, now)).max(0.0)
}

/// Seconds of one that lie after a moment. One whose end is not known may be under way: it counts until now, but not for ever.
fn seconds_since(one: &Spending, since: Timestamp, now: Timestamp) -> f64 {
    let longest = one.at.checked_add(REACH).unwrap_or(Timestamp::MAX);
    let until = one.until.unwrap_or_else(|| now.min(longest)).min(now);
    until.duration_since(one.at.max(since)).as_secs_f64().max(0.0)
}

/// A moment before another.
pub(crate) fn before(moment: Timestamp, span: SignedDuration) -> Timestamp {
    moment.checked_sub(span).unwrap_or(Timestamp::MIN)
}

/// Bytes a piece of work is predicted to write.
pub fn predicted_bytes(estimate: &Estimate) -> u64 {
    let after = i128::from(estimate.file_bytes) - i128::from(estimate.predicted_freed_bytes);
    u64::try_from(after.max(0)).unwrap_or(u64::MAX)
}

/// The gate, for work that is predicted to write so many bytes in so many seconds. What was spent may be unknown.
pub fn verdict(budget: &Budget, spent: &Result<Spent, String>, bytes: u64, seconds: f64) -> GateVerdict {
    if budget.is_unlimited() {
        return GateVerdict::Pass;
    }
    // What no day is long enough for needs no look at what was spent.
    if let Some(day) = budget.seconds_per_day().filter(|day| seconds > *day) {
        let minutes = day / 60.0;
        return refuse(format!(
            "its {seconds:.0} s are more than the budget of {minutes} min a day; raise recycling.budget.minutes_per_day"
        ));
    }
    match spent {
        Err(error) => wait(format!("budget: what was spent on the node cannot be read: {error}")),
        Ok(spent) => graver(of_hour(budget, spent, bytes), of_day(budget, spent, seconds)),
    }
}

fn of_hour(budget: &Budget, spent: &Spent, bytes: u64) -> GateVerdict {
    let Some(rate) = budget.bytes_per_hour else { return GateVerdict::Pass };
    if spent.bytes <= 0.0 || spent.bytes + bytes as f64 <= rate as f64 {
        return GateVerdict::Pass;
    }
    let [rate, spent, bytes] = [rate as f64, spent.bytes, bytes as f64].map(|bytes| bytes / MB);
    wait(format!("budget: of {rate:.1} MB an hour {spent:.1} MB are spent, and this would write {bytes:.1} MB"))
}

fn of_day(budget: &Budget, spent: &Spent, seconds: f64) -> GateVerdict {
    let Some(day) = budget.seconds_per_day() else { return GateVerdict::Pass };
    if spent.seconds + seconds <= day {
        return GateVerdict::Pass;
    }
    let (minutes, spent) = (day / 60.0, spent.seconds);
    wait(format!(
        "budget: of {minutes} min a day {spent:.0} s are spent, and this would take {seconds:.0} s; the next day \
         begins at 00:00 UTC"
    ))
}

#[cfg(test)]
mod tests;
