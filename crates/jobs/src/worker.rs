//! One job under one lease: take it up, run its trade, write down how it ended.

use crate::{JobOutcome, JobRecord, Journal, Lease, RunningJob, StoreError, Trade, panics, runner::Hall, trade::Desk};
use api::JobStatus;
use futures::FutureExt;
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;
use types::JobId;

/// How a worker left its job.
#[derive(PartialEq)]
enum Left {
    /// It is final.
    Final,
    /// Someone else, or this process later, goes on.
    Parked,
}

/// Attends a job until it is final, parked, the lease is lost, or the process halts.
pub(crate) async fn work(hall: Arc<Hall>, id: JobId, lease: Lease, cancel: CancellationToken) {
    let left = tokio::select! {
        left = attend(&hall, &id, &lease, cancel) => left.unwrap_or_else(|error| {
            tracing::warn!(job = %id, %error, "job parked: the store failed");
            Left::Parked
        }),
        () = keep_lease(&hall, &lease) => {
            tracing::warn!(job = %id, "job parked: its lease was lost");
            Left::Parked
        }
        () = hall.halt.cancelled() => Left::Parked,
    };
    if let Err(error) = hall.store.drop_lease(&lease).await {
        tracing::warn!(job = %id, %error, "lease not given back; it lapses by itself");
    }
    let mut floor = hall.floor();
    if left == Left::Parked {
        let rest = crate::record::later(hall.clock.now(), hall.options.rest);
        floor.resting.insert(id.clone(), rest);
    }
    floor.running.remove(&id);
    drop(floor);
    hall.wake.notify_one();
}

/// Renews until the lease is known or must be feared to be lost.
async fn keep_lease(hall: &Hall, lease: &Lease) {
    let mut until = lease.until;
    loop {
        hall.clock.sleep(hall.options.lease / 3).await;
        let renewal = hall.store.renew_lease(lease, hall.options.lease, hall.clock.now());
        // A store that does not answer must not keep a worker going beyond its lease: another may have it by then.
        let left = Duration::try_from(until.duration_since(hall.clock.now())).unwrap_or_default();
        let renewed = tokio::select! {
            renewed = renewal => renewed,
            () = hall.clock.sleep(left) => return,
        };
        match renewed {
            Ok(renewed) => until = renewed.until,
            Err(StoreError::Fenced { .. }) => return,
            Err(error) => tracing::warn!(job = lease.resource, %error, "lease not renewed"),
        }
        if hall.clock.now() >= until {
            return;
        }
    }
}

async fn attend(hall: &Hall, id: &JobId, lease: &Lease, cancel: CancellationToken) -> Result<Left, StoreError> {
    let Some(record) = hall.store.get(id).await? else { return Err(StoreError::NotFound(id.clone())) };
    let trade = hall.trades.get(record.kind.as_str());
    if record.status.is_final() {
        return Ok(Left::Final);
    }
    let Some(trade) = trade else { return Ok(Left::Parked) };
    if record.cancel_requested {
        cancel.cancel();
    }
    // The last word before anything is begun, whichever way the job came here.
    if trade.is_held(&record) && !cancel.is_cancelled() {
        return Ok(Left::Parked);
    }
    let desk = Arc::new(desk(hall, trade, lease, record.clone()));
    // A worker may have died before it could save `running`; the journal tells whether anything was begun.
    let journal = Journal::load(Arc::clone(&hall.store), id.clone(), lease.clone(), hall.clock).await?;
    if cancel.is_cancelled() && record.status == JobStatus::Pending && journal.units().is_empty() {
        desk.save(None, |job| job.status = JobStatus::Cancelled).await?;
        return Ok(Left::Final);
    }
    desk.save(None, |job| job.status = JobStatus::Running).await?;
    let record = desk.record.lock().await.clone();
    let job = RunningJob { record, journal, cancel, park: hall.park.clone(), desk: Arc::clone(&desk) };
    let journal = job.journal.clone();
    let outcome = match AssertUnwindSafe(trade.run(job)).catch_unwind().await {
        Ok(outcome) => outcome,
        Err(panic) => panicked(hall, &desk, &journal, panics::text(&*panic)).await?,
    };
    finish(hall, &desk, outcome).await
}

/// Another run may do better, as the server may be in another state by then; one that never does must end.
async fn panicked(hall: &Hall, desk: &Desk, journal: &Journal, text: &str) -> Result<JobOutcome, StoreError> {
    let runs = panics::count(journal, text).await?;
    tracing::error!(job = %journal.job(), text, runs, "the job's work panicked");
    if runs < hall.options.panics {
        return Ok(JobOutcome::Parked);
    }
    let record = desk.record.lock().await.clone();
    let left = catch_unwind(AssertUnwindSafe(|| desk.trade.left(&record, journal))).unwrap_or_default();
    Ok(JobOutcome::Failed { body: record.body, failure: panics::failure(runs, text, &left) })
}

fn desk(hall: &Hall, trade: &Arc<dyn Trade>, lease: &Lease, record: JobRecord) -> Desk {
    Desk {
        store: Arc::clone(&hall.store),
        trade: Arc::clone(trade),
        lease: lease.clone(),
        clock: hall.clock,
        updates: hall.updates.clone(),
        record: Mutex::new(record),
    }
}

/// Writes the final state; while the store is away it tries again as long as the lease lasts.
async fn finish(hall: &Hall, desk: &Desk, outcome: JobOutcome) -> Result<Left, StoreError> {
    let (status, body, failure) = match outcome {
        JobOutcome::Completed(body) => (JobStatus::Completed, body, None),
        JobOutcome::Failed { body, failure } => (JobStatus::Failed, body, Some(failure)),
        JobOutcome::Cancelled(body) => (JobStatus::Cancelled, body, None),
        JobOutcome::Parked => return Ok(Left::Parked),
    };
    loop {
        let saved = desk.save(failure.as_ref(), |job| {
            job.status = status;
            job.body = body.clone();
            if status == JobStatus::Completed {
                job.progress = 100.0;
            }
        });
        match saved.await {
            Ok(()) => return Ok(Left::Final),
            Err(StoreError::Unavailable(error) | StoreError::Unknown(error)) => {
                tracing::warn!(error, "the job's end is not saved yet; trying again");
                hall.clock.sleep(hall.options.poll).await;
            }
            Err(error) => return Err(error),
        }
    }
}
