//! Wall time and elapsed time, real or started at a chosen moment.

use jiff::{SignedDuration, Timestamp};
use std::time::Duration;

/// A moment for measuring spans; meaningless outside this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Instant(tokio::time::Instant);

/// Where time comes from. Under tokio's paused test time [`Clock::starting_at`] replays exactly.
#[derive(Debug, Clone, Copy)]
pub struct Clock(Source);

#[derive(Debug, Clone, Copy)]
enum Source {
    Real,
    Simulated { origin: Timestamp, started: tokio::time::Instant },
}

#[allow(clippy::disallowed_methods, reason = "this is the room those calls belong in")]
impl Clock {
    /// The machine's own clock.
    pub const fn real() -> Self {
        Self(Source::Real)
    }

    /// A clock that reads `origin` now and advances with tokio's time; call inside a runtime.
    pub fn starting_at(origin: Timestamp) -> Self {
        Self(Source::Simulated { origin, started: tokio::time::Instant::now() })
    }

    /// UTC wall time.
    pub fn now(&self) -> Timestamp {
        match self.0 {
            Source::Real => Timestamp::now(),
            Source::Simulated { origin, started } => {
                let elapsed = SignedDuration::try_from(started.elapsed()).unwrap_or(SignedDuration::MAX);
                origin.checked_add(elapsed).unwrap_or(Timestamp::MAX)
            }
        }
    }

    /// Unix time in microseconds: the form stores keep.
    pub fn micros(&self) -> i64 {
        self.now().as_microsecond()
    }

    /// A moment to measure from.
    pub fn instant(&self) -> Instant {
        Instant(tokio::time::Instant::now())
    }

    /// Time since a moment.
    pub fn since(&self, start: Instant) -> Duration {
        tokio::time::Instant::now().saturating_duration_since(start.0)
    }

    /// Waits.
    pub async fn sleep(&self, span: Duration) {
        tokio::time::sleep(span).await;
    }
}
