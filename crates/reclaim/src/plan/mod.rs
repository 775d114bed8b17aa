//! The plan: decided by pure functions from facts, shown on a dry run, stored, and carried out as it stands.

mod collect;
pub(crate) mod cost;
mod digest;
mod draft;
mod facts;
#[cfg(test)]
pub(crate) mod fixtures;
mod nodes;
pub(crate) mod statement;
mod strategy;
mod tables;
mod undo;

pub(crate) use collect::settings;
pub use collect::{PlanOptions, plan};
pub use draft::draft;
pub use facts::{FleetFacts, NodeFacts, Settings, UndoSettings};
pub use nodes::{Choice, choose};
pub use statement::PLACEHOLDER;
