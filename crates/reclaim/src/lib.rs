//! Give space back: estimate, plan, gates, rebuild, census.

pub mod error;
pub mod estimate;
pub mod gates;
pub mod plan;

pub use error::ReclaimError;
