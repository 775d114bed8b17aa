//! Give space back: estimate, plan, gates, rebuild, census.

pub mod estimate;
