//! Gate `window`: work only begins inside the daily maintenance window, if there is one.

use super::{refuse, wait};
use api::GateVerdict;
use jiff::{SignedDuration, Timestamp, civil::Time, tz::TimeZone};
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;

/// A daily span in UTC; it may cross midnight. Equal ends are the whole day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// First moment of the day, UTC.
    pub start: Time,
    /// First moment after it, UTC.
    pub end: Time,
}

impl Window {
    /// True if the moment lies inside.
    pub fn contains(&self, moment: Timestamp) -> bool {
        let time = moment.to_zoned(TimeZone::UTC).time();
        match self.start.cmp(&self.end) {
            Ordering::Equal => true,
            Ordering::Less => self.start <= time && time < self.end,
            Ordering::Greater => time >= self.start || time < self.end,
        }
    }
}

/// The gate, for work of so many predicted seconds: what would not end inside is not begun.
pub fn verdict(window: Option<&Window>, now: Timestamp, seconds: f64) -> GateVerdict {
    let Some(window) = window else { return GateVerdict::Pass };
    let (start, end) = (window.start, window.end);
    if !window.contains(now) {
        return wait(format!("outside the maintenance window {start} to {end} UTC"));
    }
    let work = SignedDuration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(SignedDuration::MAX);
    if start == end || work < until(now.to_zoned(TimeZone::UTC).time(), end) {
        return GateVerdict::Pass;
    }
    let reason = format!("its {seconds:.0} s would not end inside the maintenance window {start} to {end} UTC");
    if work < until(start, end) { wait(reason) } else { refuse(format!("{reason}; widen recycling.window")) }
}

/// From one time of day to the next time it is another.
fn until(from: Time, to: Time) -> SignedDuration {
    let way = from.duration_until(to);
    if from < to { way } else { way + SignedDuration::from_hours(24) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::time;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a moment")
    }

    #[test]
    fn a_window_may_cross_midnight() {
        let night = Window { start: time(22, 0, 0, 0), end: time(4, 0, 0, 0) };
        assert!(night.contains(at("2026-01-01T23:00:00Z")));
        assert!(night.contains(at("2026-01-01T03:59:59Z")));
        assert!(!night.contains(at("2026-01-01T04:00:00Z")));
        assert!(matches!(verdict(Some(&night), at("2026-01-01T12:00:00Z"), 0.0), GateVerdict::Wait { .. }));
        assert_eq!(verdict(None, at("2026-01-01T12:00:00Z"), 1e9), GateVerdict::Pass);
    }

    #[test]
    fn work_that_would_not_end_inside_is_not_begun() {
        let night = Window { start: time(22, 0, 0, 0), end: time(4, 0, 0, 0) };
        let (late, whole) = (at("2026-01-01T03:50:00Z"), Window { end: night.start, ..night });
        assert_eq!(verdict(Some(&night), late, 500.0), GateVerdict::Pass);
        for seconds in [700.0, 20_000.0] {
            assert!(matches!(verdict(Some(&night), late, seconds), GateVerdict::Wait { .. }), "{seconds}");
        }
        // Longer than any night.
        for seconds in [21_600.0, 86_400.0, f64::INFINITY] {
            assert!(matches!(verdict(Some(&night), late, seconds), GateVerdict::Refuse { .. }), "{seconds}");
        }
        // What would run on through the two hours in which nothing may.
        let long = Window { start: time(6, 0, 0, 0), end: time(4, 0, 0, 0) };
        assert!(matches!(verdict(Some(&long), at("2026-01-01T03:00:00Z"), 18_000.0), GateVerdict::Wait { .. }));
        assert_eq!(verdict(Some(&whole), late, 1e6), GateVerdict::Pass);
    }
}
