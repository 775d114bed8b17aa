//! Jobs that survive: sagas of named steps, a journal, leases with fencing, resume after a crash.
//!
//! A job is a row of units; a unit is a short saga of steps with undo. What a unit did stays done; the unit under way
//! when the power went is found again through its journal. [`JobStore`] is the contract every store keeps.

#[cfg(any(test, feature = "testing"))]
pub mod conformance;
mod dispatch;
mod journal;
mod memory;
mod panics;
mod record;
mod runner;
mod step;
mod store;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod trade;
mod unit;
mod worker;

#[cfg(test)]
mod tests;

pub use journal::{JOB, Journal};
pub use memory::MemoryStore;
pub use record::{
    Claim, Event, JobFilter, JobPage, JobRecord, JobRow, JobText, JournalEntry, Lease, NewEntry, NewJob, later,
    to_micros,
};
pub use runner::{Runner, RunnerOptions};
pub use step::{Step, StepContext, StepError};
pub use store::{AuditLog, JobStore, MetricsHistory, Store, StoreError};
pub use trade::{JobOutcome, RunningJob, Trade};
pub use unit::{Unit, UnitOutcome, end, is_open, run_unit};
