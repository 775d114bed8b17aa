//! Gate `window`: work only begins inside the daily maintenance window, if there is one.

use super::wait;
use api::GateVerdict;
use jiff::{Timestamp, civil::Time, tz::TimeZone};
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

/// The gate.
pub fn verdict(window: Option<&Window>, now: Timestamp) -> GateVerdict {
    match window {
        Some(window) if !window.contains(now) => {
            wait(format!("outside the maintenance window {} to {} UTC", window.start, window.end))
        }
        _ => GateVerdict::Pass,
    }
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
        assert!(matches!(verdict(Some(&night), at("2026-01-01T12:00:00Z")), GateVerdict::Wait { .. }));
        assert_eq!(verdict(None, at("2026-01-01T12:00:00Z")), GateVerdict::Pass);
    }
}
