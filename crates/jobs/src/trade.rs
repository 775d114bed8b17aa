//! What a trade (such as reclaim) is to the runner, and the running job it is handed.

use crate::{JobRecord, Journal, Lease, Store, StoreError, panics};
use api::JobStatus;
use async_trait::async_trait;
use runtime::Clock;
use serde_json::Value;
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};
use tokio::sync::{Mutex, broadcast};
use tokio_util::sync::CancellationToken;
use types::Failure;

/// How a run of a job ended.
#[derive(Debug, Clone, PartialEq)]
pub enum JobOutcome {
    /// All done; the final document.
    Completed(Value),
    /// Stopped by an error; what was done stays.
    Failed {
        /// The final document.
        body: Value,
        /// Why.
        failure: Failure,
    },
    /// Stopped on request; the final document.
    Cancelled(Value),
    /// Not at its end: the store failed, the process is shutting down, or something cannot be taken back yet. The job
    /// stays `running`, its lease is given up, and it is resumed later, here or elsewhere.
    Parked,
}

/// A kind of work. One value serves all its jobs.
#[async_trait]
pub trait Trade: Send + Sync {
    /// The `kind` of its jobs.
    fn kind(&self) -> &'static str;

    /// Runs a job from wherever its journal stands to an end. The future may be dropped at any moment: that is what a
    /// lost lease and an impatient shutdown do, and it must be no worse than a crash.
    async fn run(&self, job: RunningJob) -> JobOutcome;

    /// Whether this process can run the job at all, for instance because it has the password. A job refused by every
    /// process stays where it is.
    async fn accepts(&self, _job: &JobRecord) -> bool {
        true
    }

    /// Whether the job may not begin yet, in any process, for what its own document says: somebody has still to agree. It
    /// stays pending, and is taken only to be cancelled.
    fn is_held(&self, _job: &JobRecord) -> bool {
        false
    }

    /// The body with the record's `status`, `progress`, times and the failure written into it; called before every
    /// save, so that the document never contradicts the record.
    fn document(&self, record: &JobRecord, failure: Option<&Failure>) -> Value {
        let _ = failure;
        record.body.clone()
    }

    /// What a job that is given up in the middle may have left behind, each with what to do about it by hand.
    fn left(&self, _record: &JobRecord, _journal: &Journal) -> Vec<String> {
        Vec::new()
    }
}

/// A job in the hand of the worker that holds its lease.
#[derive(Clone)]
pub struct RunningJob {
    /// As it was when taken; later saves do not show here.
    pub record: JobRecord,
    /// Its journal.
    pub journal: Journal,
    /// Cancelled when someone asked the job to stop: units are taken back and the outcome is `Cancelled`.
    pub cancel: CancellationToken,
    /// Cancelled when the process is shutting down: begin no further unit and return `Parked`.
    pub park: CancellationToken,
    pub(crate) desk: Arc<Desk>,
}

impl RunningJob {
    /// Saves how far the job is and tells subscribers. Progress never falls and stays below 100 until completed.
    pub async fn report(&self, progress: f64, body: Value) -> Result<(), StoreError> {
        self.desk.report(progress, body).await
    }

    /// The store, for looking at what other jobs did; what is about this job goes through its journal and its reports.
    pub fn store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.desk.store)
    }

    /// Where time comes from.
    pub fn clock(&self) -> &Clock {
        self.journal.clock()
    }
}

/// Most a job that is not completed may show.
const ALMOST: f64 = 99.9;

/// Saves one running job, one save at a time, and publishes each.
pub(crate) struct Desk {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) trade: Arc<dyn Trade>,
    pub(crate) lease: Lease,
    pub(crate) clock: Clock,
    pub(crate) updates: broadcast::Sender<Arc<JobRecord>>,
    pub(crate) record: Mutex<JobRecord>,
}

impl Desk {
    async fn report(&self, progress: f64, body: Value) -> Result<(), StoreError> {
        self.save(None, |record| {
            record.status = JobStatus::Running;
            // `min` and `max` skip a NaN.
            record.progress = record.progress.max(progress.min(ALMOST));
            record.body = body;
        })
        .await
    }

    /// Changes the record, stamps its document, saves it under the lease and publishes it.
    pub(crate) async fn save(
        &self,
        failure: Option<&Failure>,
        change: impl FnOnce(&mut JobRecord),
    ) -> Result<(), StoreError> {
        let mut record = self.record.lock().await;
        let mut next = record.clone();
        change(&mut next);
        next.updated_at = self.clock.now();
        next.body = self.document(&next, failure);
        *record = match self.store.save(&next, Some(&self.lease)).await {
            Err(StoreError::Conflict(id)) => {
                // Only the holder of the lease saves a job under way: an earlier save of ours happened though its answer was
                // lost. Or a held job was let go while it was being cancelled; then it ends as cancelled.
                let stored = self.store.get(&id).await?.ok_or(StoreError::NotFound(id))?;
                self.store.save(&JobRecord { version: stored.version, ..next }, Some(&self.lease)).await?
            }
            saved => saved?,
        };
        // Nobody listening is no error.
        let _ = self.updates.send(Arc::new(record.clone()));
        Ok(())
    }

    /// The stamped document. A defect in the stamping must not take the save with it: what happened is written down unstamped.
    fn document(&self, record: &JobRecord, failure: Option<&Failure>) -> Value {
        catch_unwind(AssertUnwindSafe(|| self.trade.document(record, failure))).unwrap_or_else(|panic| {
            tracing::error!(job = %record.id, "its document cannot be made, a defect: {}", panics::text(&*panic));
            record.body.clone()
        })
    }
}
