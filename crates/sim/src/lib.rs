//! Bad nights under one seed: members of a shard over a network that loses, doubles and reorders, on disks that fail and lose power.
//!
//! Everything that happens is drawn from the seed, so `cargo run -p sim -- SEED STEPS` replays it. Safety is checked at each step; then
//! the faults stop, and everything must heal.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a simulation stops loudly where it stands"
)]

mod cluster;
mod ledger;
mod member;
mod network;

pub use cluster::{Report, night};
