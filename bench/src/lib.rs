//! What every measuring program shares: the machine's line, a table, a write load with a heartbeat.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a measuring program stops loudly"
)]

pub mod crash;
pub mod fill;
pub mod load;
pub mod machine;
pub mod program;
pub mod shapes;
pub mod size;
pub mod table;
pub mod year;
