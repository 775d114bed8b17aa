//! The front of the dispatcher: submit, cancel, wait, watch, shut down.

use crate::{Claim, JobFilter, JobRecord, Lease, NewJob, Store, StoreError, Trade, dispatch};
use api::JobStatus;
use runtime::{Clock, Random};
use serde_json::Value;
use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::{Notify, broadcast};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use types::{Code, Failure, JobId};

/// Limits and rhythms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunnerOptions {
    /// Jobs run at once; 10 as in seed 002 chapter 4.
    pub max_workers: usize,
    /// Pending jobs above which a submission is refused with 1010; 100 as in the seed.
    pub queue_size: usize,
    /// How long a lease lasts unless renewed; renewed every third of it. After a crash others wait this long.
    pub lease: Duration,
    /// How often the store is asked for work and for requests to cancel made by other processes.
    pub poll: Duration,
    /// How long a parked job rests before this process takes it again.
    pub rest: Duration,
    /// Runs that may end by panic, one after the other without the job getting on; then it ends as failed.
    pub panics: usize,
}

impl Default for RunnerOptions {
    fn default() -> Self {
        Self {
            max_workers: 10,
            queue_size: 100,
            lease: Duration::from_secs(15),
            poll: Duration::from_secs(1),
            rest: Duration::from_secs(10),
            panics: 5,
        }
    }
}

/// The dispatcher of one process. Clones share it; it works until [`Runner::shutdown`].
#[derive(Clone)]
pub struct Runner(pub(crate) Arc<Hall>);

/// What dispatcher, workers and callers share.
pub(crate) struct Hall {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) trades: HashMap<&'static str, Arc<dyn Trade>>,
    pub(crate) options: RunnerOptions,
    pub(crate) clock: Clock,
    pub(crate) claim: Claim,
    pub(crate) updates: broadcast::Sender<Arc<JobRecord>>,
    /// There may be something to do before the next poll.
    pub(crate) wake: Notify,
    /// Begin nothing more.
    pub(crate) park: CancellationToken,
    /// Drop what is in flight.
    pub(crate) halt: CancellationToken,
    pub(crate) tasks: TaskTracker,
    submitting: tokio::sync::Mutex<()>,
    floor: Mutex<Floor>,
}

/// A job that was submitted here and waits.
#[derive(Clone)]
pub(crate) struct Queued {
    pub(crate) id: JobId,
    pub(crate) lease: Lease,
    /// It may not begin yet ([`Trade::is_held`]); its place and its lease are kept.
    pub(crate) held: bool,
}

/// What this process is at.
#[derive(Default)]
pub(crate) struct Floor {
    /// Submitted here, leased, waiting for a worker.
    pub(crate) queue: VecDeque<Queued>,
    /// Running here, with the token that cancels each.
    pub(crate) running: HashMap<JobId, CancellationToken>,
    /// Parked here; not taken again before the moment.
    pub(crate) resting: HashMap<JobId, jiff::Timestamp>,
}

impl Hall {
    pub(crate) fn floor(&self) -> MutexGuard<'_, Floor> {
        self.floor.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Updates a slow subscriber may fall behind before it misses some.
const UPDATES: usize = 1024;

impl Runner {
    /// Starts taking jobs of these trades; call inside a tokio runtime.
    pub fn start(
        store: Arc<dyn Store>,
        trades: Vec<Arc<dyn Trade>>,
        options: RunnerOptions,
        clock: Clock,
        random: &Random,
    ) -> Runner {
        let mut bytes = [0; 8];
        random.fill(&mut bytes);
        let owner = format!("{}-{:016x}", std::process::id(), u64::from_be_bytes(bytes));
        let hall = Arc::new(Hall {
            store,
            trades: trades.into_iter().map(|trade| (trade.kind(), trade)).collect(),
            claim: Claim { owner, span: options.lease },
            options,
            clock,
            updates: broadcast::channel(UPDATES).0,
            wake: Notify::new(),
            park: CancellationToken::new(),
            halt: CancellationToken::new(),
            tasks: TaskTracker::new(),
            submitting: tokio::sync::Mutex::new(()),
            floor: Mutex::default(),
        });
        hall.tasks.spawn(dispatch::run(Arc::clone(&hall)));
        Runner(hall)
    }

    /// Stores a pending job and lets a worker have it. This process holds its lease from the first moment, so no other
    /// takes it while this one lives. Too many pending jobs: 1010.
    pub async fn submit(&self, kind: &str, body: Value) -> Result<JobRecord, Failure> {
        let hall = &self.0;
        let trade = hall.trades.get(kind).ok_or_else(|| {
            Failure::new(Code::JobCreateFailed, format!("no worker for jobs of kind {kind}"), "use a kind that exists")
        })?;
        let _one_at_a_time = hall.submitting.lock().await;
        self.check_room().await?;
        let new = NewJob { kind: kind.to_owned(), body, created_at: hall.clock.now() };
        let body = trade.document(&new.clone().into_record(JobId(String::new())), None);
        let (record, lease) =
            hall.store.create_held(NewJob { body, ..new }, &hall.claim).await.map_err(Failure::from)?;
        let queued = Queued { id: record.id.clone(), lease, held: trade.is_held(&record) };
        hall.floor().queue.push_back(queued);
        // Nobody listening is no error.
        let _ = hall.updates.send(Arc::new(record.clone()));
        hall.wake.notify_one();
        Ok(record)
    }

    async fn check_room(&self) -> Result<(), Failure> {
        let hall = &self.0;
        if hall.park.is_cancelled() {
            return Err(Failure::new(Code::Busy, "the server is shutting down", "try again once it is up"));
        }
        let pending = JobFilter { statuses: vec![JobStatus::Pending], limit: 0, offset: 0 };
        let waiting = hall.store.list(&pending).await.map_err(Failure::from)?.total;
        // Jobs that wait for somebody's word have a room of their own, as large: nobody must be shut out by them.
        let held = hall.floor().queue.iter().filter(|queued| queued.held).count() as u64;
        let size = hall.options.queue_size as u64;
        if waiting.saturating_sub(held) < size && held < size {
            return Ok(());
        }
        let next = "wait until jobs are done, cancel some, or raise recycling.concurrency.queue_size";
        let error = format!("{waiting} jobs are waiting already, {held} of them for an approval");
        Err(Failure::new(Code::Busy, error, next))
    }

    /// Asks a job to stop, wherever it runs, and returns it as it was then. A final job: 1007.
    pub async fn cancel(&self, id: &JobId) -> Result<JobRecord, Failure> {
        let hall = &self.0;
        let record = hall.store.get(id).await?.ok_or_else(|| StoreError::NotFound(id.clone()))?;
        if record.status.is_final() {
            let error = format!("job {id} is {} already", record.status.as_str());
            let failure = Failure::new(Code::JobState, error, "only pending and running jobs can be cancelled");
            return Err(failure.with("job_id", id.as_str()).with("status", record.status.as_str()));
        }
        hall.store.request_cancel(id).await?;
        if let Some(token) = hall.floor().running.get(id) {
            token.cancel();
        }
        hall.wake.notify_one();
        Ok(JobRecord { cancel_requested: true, ..record })
    }

    /// Waits until a job is final, wherever it runs.
    pub async fn wait(&self, id: &JobId) -> Result<JobRecord, StoreError> {
        let mut updates = self.updates();
        loop {
            let record = self.0.store.get(id).await?.ok_or_else(|| StoreError::NotFound(id.clone()))?;
            if record.status.is_final() {
                return Ok(record);
            }
            // A missed or foreign update only means to look again; other processes' jobs are seen by polling.
            tokio::select! {
                _ = updates.recv() => {}
                () = self.0.clock.sleep(self.0.options.poll) => {}
            }
        }
    }

    /// Every record this process saves, from now on.
    pub fn updates(&self) -> broadcast::Receiver<Arc<JobRecord>> {
        self.0.updates.subscribe()
    }

    /// Jobs running in this process.
    pub fn active(&self) -> usize {
        self.0.floor().running.len()
    }

    /// The name under which this process holds leases.
    pub fn owner(&self) -> &str {
        &self.0.claim.owner
    }

    /// Where jobs are kept.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.0.store
    }

    /// Stops taking jobs, asks running ones to park, gives them `grace`, then drops what is left: all are resumed by
    /// the next process. Leases are given back, so that it need not wait.
    pub async fn shutdown(&self, grace: Duration) {
        let hall = &self.0;
        hall.park.cancel();
        hall.tasks.close();
        if tokio::time::timeout(grace, hall.tasks.wait()).await.is_err() {
            hall.halt.cancel();
            hall.tasks.wait().await;
        }
        let queue = std::mem::take(&mut hall.floor().queue);
        for Queued { lease, .. } in queue {
            if let Err(error) = hall.store.drop_lease(&lease).await {
                tracing::warn!(%error, job = lease.resource, "lease not given back; it lapses by itself");
            }
        }
    }
}
