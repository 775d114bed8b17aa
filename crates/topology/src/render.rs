//! Pictures of a topology, as pure functions.

mod dot;
mod table;

pub use dot::dot;
pub use table::table;
