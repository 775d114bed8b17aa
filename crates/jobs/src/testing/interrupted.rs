//! A store that stops its user at a chosen journal write.

use crate::{
    AuditLog, Claim, JobFilter, JobPage, JobRecord, JobRow, JobStore, JobText, JournalEntry, Lease, MemoryStore,
    MetricsHistory, NewEntry, NewJob, StoreError,
};
use api::{AuditEntry, MetricPoint};
use async_trait::async_trait;
use jiff::Timestamp;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};
use tokio_util::sync::CancellationToken;
use types::JobId;

/// What happens at the chosen write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    /// It is never written, and nothing follows.
    CrashBefore,
    /// It is written, and nothing follows.
    CrashAfter,
    /// The cancel token is set, and the write goes on.
    Cancel,
}

/// Everything goes to the store in memory but the chosen append.
pub(super) struct InterruptedStore {
    inner: Arc<MemoryStore>,
    left: AtomicU32,
    moment: Moment,
    cancel: CancellationToken,
    crashed: CancellationToken,
}

impl InterruptedStore {
    pub(super) fn new(inner: Arc<MemoryStore>, write: u32, moment: Moment, cancel: CancellationToken) -> Self {
        Self { inner, left: AtomicU32::new(write), moment, cancel, crashed: CancellationToken::new() }
    }

    /// Returns once the crash has come; never for a cancel.
    pub(super) async fn interrupted(&self) {
        self.crashed.cancelled().await;
    }

    async fn crash(&self) {
        self.crashed.cancel();
        std::future::pending::<()>().await;
    }
}

#[async_trait]
impl JobStore for InterruptedStore {
    async fn append(&self, id: &JobId, entry: NewEntry, lease: &Lease) -> Result<JournalEntry, StoreError> {
        let before = self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        if before != Ok(1) {
            return self.inner.append(id, entry, lease).await;
        }
        match self.moment {
            Moment::CrashBefore => self.crash().await,
            Moment::Cancel => self.cancel.cancel(),
            Moment::CrashAfter => {
                self.inner.append(id, entry.clone(), lease).await?;
                self.crash().await;
            }
        }
        self.inner.append(id, entry, lease).await
    }

    async fn texts(&self, ids: &[JobId]) -> Result<Vec<JobText>, StoreError> {
        self.inner.texts(ids).await
    }

    async fn forget_jobs_before(&self, moment: Timestamp) -> Result<u64, StoreError> {
        self.inner.forget_jobs_before(moment).await
    }

    async fn create(&self, job: NewJob) -> Result<JobRecord, StoreError> {
        self.inner.create(job).await
    }

    async fn create_held(&self, job: NewJob, claim: &Claim) -> Result<(JobRecord, Lease), StoreError> {
        self.inner.create_held(job, claim).await
    }

    async fn get(&self, id: &JobId) -> Result<Option<JobRecord>, StoreError> {
        self.inner.get(id).await
    }

    async fn get_many(&self, ids: &[JobId]) -> Result<Vec<JobRecord>, StoreError> {
        self.inner.get_many(ids).await
    }

    async fn unattended(&self, now: Timestamp, limit: u32) -> Result<Vec<JobRow>, StoreError> {
        self.inner.unattended(now, limit).await
    }

    async fn list(&self, filter: &JobFilter) -> Result<JobPage, StoreError> {
        self.inner.list(filter).await
    }

    async fn save(&self, job: &JobRecord, lease: Option<&Lease>) -> Result<JobRecord, StoreError> {
        self.inner.save(job, lease).await
    }

    async fn request_cancel(&self, id: &JobId) -> Result<(), StoreError> {
        self.inner.request_cancel(id).await
    }

    async fn journal(&self, id: &JobId) -> Result<Vec<JournalEntry>, StoreError> {
        self.inner.journal(id).await
    }

    async fn take_lease(&self, resource: &str, claim: &Claim, now: Timestamp) -> Result<Lease, StoreError> {
        self.inner.take_lease(resource, claim, now).await
    }

    async fn renew_lease(&self, lease: &Lease, span: Duration, now: Timestamp) -> Result<Lease, StoreError> {
        self.inner.renew_lease(lease, span, now).await
    }

    async fn drop_lease(&self, lease: &Lease) -> Result<(), StoreError> {
        self.inner.drop_lease(lease).await
    }
}

#[async_trait]
impl AuditLog for InterruptedStore {
    async fn record(&self, entry: AuditEntry) -> Result<(), StoreError> {
        self.inner.record(entry).await
    }

    async fn entries(&self, limit: u32, offset: u32) -> Result<Vec<AuditEntry>, StoreError> {
        self.inner.entries(limit, offset).await
    }
}

#[async_trait]
impl MetricsHistory for InterruptedStore {
    async fn keep(&self, points: &[MetricPoint]) -> Result<(), StoreError> {
        self.inner.keep(points).await
    }

    async fn history(&self, name: &str, subject: &str, since: Timestamp) -> Result<Vec<MetricPoint>, StoreError> {
        self.inner.history(name, subject, since).await
    }

    async fn forget_before(&self, moment: Timestamp) -> Result<u64, StoreError> {
        self.inner.forget_before(moment).await
    }
}
