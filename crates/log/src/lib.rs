//! The log that must not lose anything: the contract, the rule of who may append, a log in memory, the suite.
//!
//! A log is a row of records, each at a place of its own ([`types::Lsn`]). Whoever appends names an epoch. Sealing an epoch ends
//! it for good at one place: what its holder sends afterwards is refused, whether or not they have heard of it. That is what
//! lets a standby take over from a primary nobody can reach.

#[cfg(any(test, feature = "testing"))]
pub mod conformance;
mod contract;
mod error;
mod memory;
pub mod net;
mod reign;
mod remote;

#[cfg(test)]
mod tests;

pub use contract::{
    Batch, LARGEST_APPEND, LARGEST_RECORD, Log, MOST_RECORDS, Most, Positions, Record, Sealed, check_append, check_seal,
};
pub use error::LogError;
pub use memory::MemoryLog;
pub use reign::Reign;
pub use remote::{Connect, RemoteLog, Servers};
