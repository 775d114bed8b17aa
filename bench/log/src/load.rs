//! Clients that each have one write under way, and what they saw.

use async_trait::async_trait;
use bytes::Bytes;
use runtime::{Clock, Instant};
use std::{sync::Arc, time::Duration};

/// What is written to, over one connection.
#[async_trait]
pub trait Target: Send + Sync {
    /// Writes, and returns once it is safe. Keys are never used twice.
    async fn write(&self, key: u64, payload: Bytes);
}

/// Microseconds of each write, in order of length.
pub struct Seen {
    micros: Vec<u32>,
    span: Duration,
}

impl Seen {
    pub fn of(mut micros: Vec<u32>, span: Duration) -> Seen {
        micros.sort_unstable();
        Seen { micros, span }
    }

    pub fn rate(&self) -> f64 {
        self.micros.len() as f64 / self.span.as_secs_f64()
    }

    pub fn count(&self) -> usize {
        self.micros.len()
    }

    /// In milliseconds: so many of a hundred took no longer.
    pub fn percentile(&self, percent: usize) -> f64 {
        let at = (self.micros.len() * percent / 100).min(self.micros.len().saturating_sub(1));
        f64::from(self.micros.get(at).copied().unwrap_or(0)) / 1000.0
    }
}

/// Microseconds since a moment.
pub fn micros(since: Instant) -> u32 {
    u32::try_from(Clock::real().since(since).as_micros()).unwrap_or(u32::MAX)
}

/// Writes for so many seconds, from so many clients over these connections. Each round has keys of its own.
pub async fn drive(targets: &[Arc<dyn Target>], clients: usize, payload: &Bytes, round: u64, seconds: u64) -> Seen {
    let (begun, span) = (Clock::real().instant(), Duration::from_secs(seconds));
    let client = |number: usize| {
        let (target, payload) = (Arc::clone(&targets[number % targets.len()]), payload.clone());
        tokio::spawn(write(target, (round << 56) | ((number as u64) << 40), payload, (begun, span)))
    };
    let tasks: Vec<_> = (0..clients).map(client).collect();
    let mut all = Vec::new();
    for task in tasks {
        all.extend(task.await.unwrap());
    }
    Seen::of(all, span)
}

async fn write(target: Arc<dyn Target>, first: u64, payload: Bytes, (start, span): (Instant, Duration)) -> Vec<u32> {
    let (clock, mut seen) = (Clock::real(), Vec::new());
    while clock.since(start) < span {
        let began = clock.instant();
        target.write(first + seen.len() as u64, payload.clone()).await;
        seen.push(micros(began));
    }
    seen
}
