//! Randomness by seed, so a bad night replays.

use rand::{Rng, RngExt, SeedableRng, rngs::StdRng};
use std::sync::{Arc, Mutex, PoisonError};

/// A shared source of random numbers.
#[derive(Debug, Clone)]
pub struct Random(Arc<Mutex<StdRng>>);

impl Random {
    /// Seeded by the operating system with all the bits the generator takes: tokens are drawn from it.
    #[allow(clippy::disallowed_methods, reason = "this is the room those calls belong in")]
    pub fn real() -> Self {
        Self(Arc::new(Mutex::new(StdRng::from_rng(&mut rand::rng()))))
    }

    /// Fills with bytes nobody can guess, for tokens. Never replayed: a seed of 64 bits would be all there is to guess.
    #[allow(clippy::disallowed_methods, reason = "this is the room those calls belong in")]
    pub fn secret(bytes: &mut [u8]) {
        rand::rng().fill_bytes(bytes);
    }

    /// The same numbers for the same seed.
    pub fn seeded(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(StdRng::seed_from_u64(seed))))
    }

    /// A number below `bound`; 0 when `bound` is 0.
    pub fn below(&self, bound: u64) -> u64 {
        let mut rng = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if bound == 0 { 0 } else { rng.random_range(0..bound) }
    }

    /// Fills with random bytes.
    pub fn fill(&self, bytes: &mut [u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(bytes);
    }
}
