//! What a store keeps of a job: its record, its journal, its lease.

use crate::StoreError;
use api::JobStatus;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::time::Duration;
use types::{Failure, JobId};

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

impl NewJob {
    /// The UTC day its name is counted in, `YYYYMMDD`.
    pub fn day(&self) -> String {
        self.created_at.strftime("%Y%m%d").to_string()
    }

    /// The pending record every store makes of it. A body that is an object gets the name as `job_id`, so that the
    /// document names itself from its first moment.
    pub fn into_record(self, id: JobId) -> JobRecord {
        let created_at = to_micros(self.created_at);
        let mut body = self.body;
        if let Some(object) = body.as_object_mut() {
            object.insert("job_id".to_owned(), Value::String(id.0.clone()));
        }
        JobRecord {
            id,
            kind: self.kind,
            status: JobStatus::Pending,
            progress: 0.0,
            body,
            created_at,
            updated_at: created_at,
            cancel_requested: false,
            version: 1,
        }
    }
}

/// Who wants a lease, and for how long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Unique per process.
    pub owner: String,
    /// Until it lapses unless renewed.
    pub span: Duration,
}

impl Claim {
    fn granted(&self, resource: &str, epoch: u64, now: Timestamp) -> Lease {
        Lease { resource: resource.to_owned(), owner: self.owner.clone(), epoch, until: later(now, self.span) }
    }

    /// The rule every store grants by: free, lapsed or one's own. The epoch stays only for an owner that still holds
    /// it; one that let it lapse may have another worker of its own at the job.
    pub fn take(&self, resource: &str, held: Option<Lease>, now: Timestamp) -> Result<Lease, StoreError> {
        let epoch = match held {
            None => 1,
            Some(held) if held.until <= now => held.epoch + 1,
            Some(held) if held.owner == self.owner => held.epoch,
            Some(held) => return Err(StoreError::Held(held)),
        };
        Ok(self.granted(resource, epoch, now))
    }
}

/// `now` plus a span, at most the end of time.
pub fn later(now: Timestamp, span: Duration) -> Timestamp {
    let span = jiff::SignedDuration::try_from(span).unwrap_or(jiff::SignedDuration::MAX);
    to_micros(now.checked_add(span).unwrap_or(Timestamp::MAX))
}

/// Cut to the microsecond, which is what every store keeps.
pub fn to_micros(moment: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(moment.as_microsecond()).unwrap_or(moment)
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

/// A job's body as the text it is kept as, for copying it elsewhere without reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobText {
    /// Whose.
    pub id: JobId,
    /// Of which save.
    pub version: u64,
    /// JSON on one line.
    pub body: String,
}

/// A job as lists show it: everything but the body, so that long lists stay fast.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobRow {
    /// Its name.
    pub id: JobId,
    /// Which trade.
    pub kind: String,
    /// Where it stands.
    pub status: JobStatus,
    /// 0 to 100.
    pub progress: f64,
    /// UTC.
    pub created_at: Timestamp,
    /// UTC.
    pub updated_at: Timestamp,
    /// Someone asked it to stop.
    pub cancel_requested: bool,
    /// Rises with each save.
    pub version: u64,
}

impl From<&JobRecord> for JobRow {
    fn from(job: &JobRecord) -> Self {
        Self {
            id: job.id.clone(),
            kind: job.kind.clone(),
            status: job.status,
            progress: job.progress,
            created_at: job.created_at,
            updated_at: job.updated_at,
            cancel_requested: job.cancel_requested,
            version: job.version,
        }
    }
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
    pub jobs: Vec<JobRow>,
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
    /// Could not; why. From here on the unit is taken back.
    Failed(Failure),
    /// The unit was asked to stop at this step. From here on it is taken back.
    Cancelled,
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

impl NewEntry {
    /// The entry it becomes at its place in the journal.
    pub fn into_entry(self, sequence: u64) -> JournalEntry {
        let Self { unit, step, event, at } = self;
        JournalEntry { sequence, unit, step, event, at: to_micros(at) }
    }
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
