//! The keeper: who should hold which replica. Pure: it is told what stores say of themselves and answers with orders.
//!
//! What it knows is the state of log shard 0, so that every member of that shard knows the same and any of them can go on. Time is
//! counted in ticks of that shard's leader, not by clocks.
//!
//! ```text
//!   heartbeats ─▶ State ─▶ check ─▶ orders ─▶ (in the answer to the store's next heartbeat) ─▶ stores do them ─▶ heartbeats
//! ```

/// The log whose records are all the keeper knows.
pub const SHARD: u64 = 0;

mod check;
mod event;
mod settings;
mod state;

pub use check::check;
pub use event::{Event, What, lost};
pub use settings::{Given, Setting, SettingError};
pub use state::{
    Addresses, Heartbeat, Held, Limits, Locality, Node, Order, OrderKind, Pending, Role, Settings, Shard, State, Store,
    Wanted,
};

#[cfg(test)]
mod tests;
