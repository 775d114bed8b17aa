//! Jobs that survive: sagas of named steps, a journal, leases with fencing, resume after a crash.
//!
//! A job is a row of units; a unit is a short saga of steps with undo. What a unit did stays done; the unit under way
//! when the power went is found again through its journal. [`JobStore`] is the contract every store keeps.

mod record;
mod store;

pub use record::{Event, JobFilter, JobPage, JobRecord, JournalEntry, Lease, NewEntry, NewJob};
pub use store::{AuditLog, JobStore, MetricsHistory, Store, StoreError};
