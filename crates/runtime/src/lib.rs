//! Clock, randomness and tasks: the only door to what differs from run to run.

mod clock;
mod random;

pub use clock::{Clock, Instant};
pub use random::Random;
