//! The contract of a store. Every call is atomic and durable when it returns.

use crate::{Claim, JobFilter, JobPage, JobRecord, JobRow, JobText, JournalEntry, Lease, NewEntry, NewJob};
use api::{AuditEntry, MetricPoint};
use async_trait::async_trait;
use jiff::Timestamp;
use std::time::Duration;
use types::{Code, Failure, JobId};

/// Why a store refused or failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No such job.
    #[error("no job {0}")]
    NotFound(JobId),
    /// Someone saved it since it was read; read again.
    #[error("job {0} was changed by someone else meanwhile")]
    Conflict(JobId),
    /// The lease is another's.
    #[error("{} is held by {} until {}", .0.resource, .0.owner, .0.until)]
    Held(Lease),
    /// The lease was lost; nothing was written.
    #[error("the lease on {resource} (epoch {epoch}) was lost to another worker; nothing was written")]
    Fenced {
        /// What.
        resource: String,
        /// The epoch that is no longer valid.
        epoch: u64,
    },
    /// The connection broke while committing: it may have been written or not. Read before repeating.
    #[error("the job store's answer was lost, the write may or may not have happened: {0}")]
    Unknown(String),
    /// The store itself cannot be used; the text is masked.
    #[error("the job store is not usable: {0}")]
    Unavailable(String),
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Failure {
        let (code, next) = match &error {
            StoreError::NotFound(_) => (Code::JobNotFound, "list the jobs to see which there are"),
            StoreError::Conflict(_) => (Code::JobState, "look at the job again, then repeat the call"),
            StoreError::Held(_) | StoreError::Fenced { .. } => (Code::Busy, "wait until the other holder is done"),
            StoreError::Unavailable(_) | StoreError::Unknown(_) => {
                (Code::JobCreateFailed, "check the store's path or URL, its rights and its disk")
            }
        };
        Failure::new(code, error, next)
    }
}

/// Jobs, journals and leases.
#[async_trait]
pub trait JobStore: Send + Sync {
    /// Makes a pending job and names it `job-<UTC day>-<number>`, numbers without gaps or repeats within a store.
    async fn create(&self, job: NewJob) -> Result<JobRecord, StoreError>;

    /// The same, with a lease on the new job in one transaction: nobody else can take it before its maker.
    async fn create_held(&self, job: NewJob, claim: &Claim) -> Result<(JobRecord, Lease), StoreError>;

    /// Reads a job.
    async fn get(&self, id: &JobId) -> Result<Option<JobRecord>, StoreError>;

    /// Reads several jobs with their bodies; unknown ones are left out, the order is that of `ids`.
    async fn get_many(&self, ids: &[JobId]) -> Result<Vec<JobRecord>, StoreError>;

    /// Reads the bodies of several jobs as texts; unknown ones are left out, the order is that of `ids`.
    async fn texts(&self, ids: &[JobId]) -> Result<Vec<JobText>, StoreError>;

    /// Pending and running jobs whose lease is free or lapsed at `now`, oldest first: work nobody is at.
    async fn unattended(&self, now: Timestamp, limit: u32) -> Result<Vec<JobRow>, StoreError>;

    /// One page without bodies, newest first, ties by number.
    async fn list(&self, filter: &JobFilter) -> Result<JobPage, StoreError>;

    /// Writes `status`, `progress`, `body`, `updated_at` if `version` is still the stored one and, with a lease, if it
    /// is still held; returns the record as stored, its version one higher. `cancel_requested` is never taken back.
    async fn save(&self, job: &JobRecord, lease: Option<&Lease>) -> Result<JobRecord, StoreError>;

    /// Marks a job as to be stopped. Independent of `version`, so it never conflicts with a worker's saves.
    async fn request_cancel(&self, id: &JobId) -> Result<(), StoreError>;

    /// Removes final jobs made before a moment, with their journals and leases; returns how many. Names are not used again.
    async fn forget_jobs_before(&self, moment: Timestamp) -> Result<u64, StoreError>;

    /// Appends to a job's journal under a lease; refused as [`StoreError::Fenced`] once the lease is lost.
    async fn append(&self, id: &JobId, entry: NewEntry, lease: &Lease) -> Result<JournalEntry, StoreError>;

    /// The whole journal of a job, in order.
    async fn journal(&self, id: &JobId) -> Result<Vec<JournalEntry>, StoreError>;

    /// Takes a lease that is free, lapsed at `now`, or already the owner's; the epoch rises unless the owner still
    /// held it.
    async fn take_lease(&self, resource: &str, claim: &Claim, now: Timestamp) -> Result<Lease, StoreError>;

    /// Prolongs a lease that is still held at its epoch, also a lapsed one nobody took; else [`StoreError::Fenced`].
    async fn renew_lease(&self, lease: &Lease, span: Duration, now: Timestamp) -> Result<Lease, StoreError>;

    /// Gives a lease back; nothing happens if it was lost already.
    async fn drop_lease(&self, lease: &Lease) -> Result<(), StoreError>;
}

/// Who did what. Nothing is ever changed or removed.
#[async_trait]
pub trait AuditLog: Send + Sync {
    /// Appends.
    async fn record(&self, entry: AuditEntry) -> Result<(), StoreError>;

    /// Newest first.
    async fn entries(&self, limit: u32, offset: u32) -> Result<Vec<AuditEntry>, StoreError>;
}

/// Samples over time.
#[async_trait]
pub trait MetricsHistory: Send + Sync {
    /// Appends samples.
    async fn keep(&self, points: &[MetricPoint]) -> Result<(), StoreError>;

    /// Samples of a series since a moment, oldest first; every series and subject if the names are empty.
    async fn history(&self, name: &str, subject: &str, since: Timestamp) -> Result<Vec<MetricPoint>, StoreError>;

    /// Drops samples from before a moment; returns how many.
    async fn forget_before(&self, moment: Timestamp) -> Result<u64, StoreError>;
}

/// All three in one.
pub trait Store: JobStore + AuditLog + MetricsHistory {}

impl<T: JobStore + AuditLog + MetricsHistory> Store for T {}
