//! Give space back: estimate, plan, gates, rebuild, census.

#![allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "sizes, counts and rates: 2^52 bytes are beyond any server, and a byte more or less decides nothing"
)]

pub mod census;
pub mod error;
pub mod estimate;
pub mod gates;
mod ledger;
pub mod plan;
mod rebuild;
pub mod regrowth;
pub mod trade;
mod undo;

pub use error::ReclaimError;
pub use ledger::Ledger;
pub use undo::UndoSpace;
