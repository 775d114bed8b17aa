//! The keeper: who should hold which replica. Pure: it is told what stores say of themselves and answers with orders.
//!
//! What it knows is the state of log shard 0, so that every member of that shard knows the same and any of them can go on. Time is
//! counted in ticks of that shard's leader, not by clocks.
//!
//! ```text
//!   heartbeats ─▶ State ─▶ check ─▶ orders ─▶ (in the answer to the store's next heartbeat) ─▶ stores do them ─▶ heartbeats
//! ```

mod check;
mod settings;
mod state;

pub use check::check;
pub use settings::{Given, Setting, SettingError};
pub use state::{Addresses, Heartbeat, Held, Limits, Locality, Order, OrderKind, Role, Settings, Shard, State, Store};

#[cfg(test)]
mod tests;
