//! What a store keeps of a job: its record, its journal, its lease.

use api::JobStatus;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use types::JobId;

/// A job that is to be made.
#[derive(Debug, Clone, PartialEq)]
pub struct NewJob {
    /// Which trade: `recycle`.
    pub kind: String,
    /// The trade's own document, without secrets.
    pub body: Value,
    /// When; its UTC day names the job.
    pub created_at: Timestamp,
}

/// A stored job. `version` rises by one with each save; a save with an old version is refused.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobRecord {
    /// Its name.
    pub id: JobId,
    /// Which trade.
    pub kind: String,
    /// Where it stands.
    pub status: JobStatus,
    /// 0 to 100, for lists.
    pub progress: f64,
    /// The trade's own document, without secrets.
    pub body: Value,
    /// UTC.
    pub created_at: Timestamp,
    /// UTC.
    pub updated_at: Timestamp,
    /// Someone asked it to stop; the worker that holds it must.
    pub cancel_requested: bool,
    /// For compare-and-swap.
    pub version: u64,
}

/// Which jobs, and which of those.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JobFilter {
    /// Only these states; empty is all.
    pub statuses: Vec<JobStatus>,
    /// At most so many, newest first.
    pub limit: u32,
    /// So many passed over.
    pub offset: u32,
}

/// One page of jobs, newest first, and how many there are in all.
#[derive(Debug, Clone, PartialEq)]
pub struct JobPage {
    /// Before limit and offset.
    pub total: u64,
    /// The page.
    pub jobs: Vec<JobRecord>,
}

/// What happened to a step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "event", content = "value")]
pub enum Event {
    /// About to act. Written and synced before the first effect.
    Started,
    /// Something the step must find again after a crash, such as a setting's old value or a connection id.
    Noted(Value),
    /// Acted; what came of it.
    Done(Value),
    /// Could not; why.
    Failed(String),
    /// Its effect was taken back.
    Undone,
}

/// An entry to append.
#[derive(Debug, Clone, PartialEq)]
pub struct NewEntry {
    /// Which unit, such as `127.0.0.1:3306/db/t`.
    pub unit: String,
    /// Which step of it.
    pub step: String,
    /// What.
    pub event: Event,
    /// When.
    pub at: Timestamp,
}

/// An appended entry; `sequence` rises strictly within a job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JournalEntry {
    /// Place in the job's journal, from 1.
    pub sequence: u64,
    /// Which unit.
    pub unit: String,
    /// Which step.
    pub step: String,
    /// What.
    pub event: Event,
    /// When.
    pub at: Timestamp,
}

/// The right to work on something until a moment. `epoch` rises each time the lease changes hands; a write under an
/// older epoch is refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// What: a job id, or `fleet:<cluster id>`.
    pub resource: String,
    /// Who, unique per process.
    pub owner: String,
    /// Fencing number.
    pub epoch: u64,
    /// When it lapses unless renewed.
    pub until: Timestamp,
}
