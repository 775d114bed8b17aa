//! The dispatcher's loop: renew what waits here, pass on requests to cancel, fill free workers.

use crate::{
    JobFilter, JobRow, Lease, StoreError,
    runner::{Hall, Queued},
    worker,
};
use api::JobStatus;
use std::{collections::HashMap, sync::Arc};
use tokio_util::sync::CancellationToken;
use types::JobId;

/// Rows looked at per round; more than any sane number of open jobs.
const ROUND: u32 = 1000;

/// Runs until the hall is parked.
pub(crate) async fn run(hall: Arc<Hall>) {
    let mut renewed = hall.clock.instant();
    while !hall.park.is_cancelled() {
        if hall.clock.since(renewed) >= hall.options.lease / 3 {
            renew_queue(&hall).await;
            renewed = hall.clock.instant();
        }
        if let Err(error) = round(&hall).await {
            tracing::warn!(%error, "the job store did not answer; asking again");
        }
        tokio::select! {
            () = hall.wake.notified() => {}
            () = hall.clock.sleep(hall.options.poll) => {}
            () = hall.park.cancelled() => {}
        }
    }
}

async fn round(hall: &Arc<Hall>) -> Result<(), StoreError> {
    let cancelled = cancelled_elsewhere(hall).await?;
    release(hall).await?;
    start_queued(hall, &cancelled);
    let now = hall.clock.now();
    hall.floor().resting.retain(|_, until| *until > now);
    for row in hall.store.unattended(now, ROUND).await? {
        if is_ours(hall, &row.id) {
            continue;
        }
        let quick = row.status == JobStatus::Pending && row.cancel_requested;
        if quick || has_room(hall) {
            adopt(hall, &row).await?;
        }
    }
    Ok(())
}

fn has_room(hall: &Hall) -> bool {
    hall.floor().running.len() < hall.options.max_workers
}

/// A job this process is at, or rests from.
fn is_ours(hall: &Hall, id: &JobId) -> bool {
    let floor = hall.floor();
    floor.running.contains_key(id)
        || floor.resting.contains_key(id)
        || floor.queue.iter().any(|queued| queued.id == *id)
}

/// Open jobs with a request to cancel; running ones here are told at once.
async fn cancelled_elsewhere(hall: &Hall) -> Result<HashMap<JobId, JobRow>, StoreError> {
    let idle = {
        let floor = hall.floor();
        floor.queue.is_empty() && floor.running.is_empty()
    };
    if idle {
        return Ok(HashMap::new());
    }
    let open = JobFilter { statuses: vec![JobStatus::Pending, JobStatus::Running], limit: ROUND, offset: 0 };
    let rows = hall.store.list(&open).await?.jobs.into_iter().filter(|row| row.cancel_requested);
    let cancelled: HashMap<JobId, JobRow> = rows.map(|row| (row.id.clone(), row)).collect();
    for (id, token) in &hall.floor().running {
        if cancelled.contains_key(id) {
            token.cancel();
        }
    }
    Ok(cancelled)
}

/// Looks which of the jobs that were held here may begin by now.
async fn release(hall: &Hall) -> Result<(), StoreError> {
    let held: Vec<JobId> = hall.floor().queue.iter().filter(|queued| queued.held).map(|job| job.id.clone()).collect();
    if held.is_empty() {
        return Ok(());
    }
    for record in hall.store.get_many(&held).await? {
        let Some(trade) = hall.trades.get(record.kind.as_str()) else { continue };
        let holds = trade.is_held(&record);
        if let Some(queued) = hall.floor().queue.iter_mut().find(|queued| queued.id == record.id) {
            queued.held = holds;
        }
    }
    Ok(())
}

/// Starts what was submitted here: in order while workers are free, cancelled ones at once because they only end.
fn start_queued(hall: &Arc<Hall>, cancelled: &HashMap<JobId, JobRow>) {
    let queue = std::mem::take(&mut hall.floor().queue);
    for queued in queue {
        if cancelled.contains_key(&queued.id) || (!queued.held && has_room(hall)) {
            start(hall, queued.id, queued.lease);
        } else {
            hall.floor().queue.push_back(queued);
        }
    }
}

/// Takes a job nobody is at, if its trade is here and wants it.
async fn adopt(hall: &Arc<Hall>, row: &JobRow) -> Result<(), StoreError> {
    let Some(trade) = hall.trades.get(row.kind.as_str()) else { return Ok(()) };
    let Some(record) = hall.store.get(&row.id).await? else { return Ok(()) };
    // A held job has touched nothing: whoever finds it cancelled can end it, password or not.
    let wanted = if trade.is_held(&record) { record.cancel_requested } else { trade.accepts(&record).await };
    if !wanted {
        return Ok(());
    }
    match hall.store.take_lease(row.id.as_str(), &hall.claim, hall.clock.now()).await {
        Ok(lease) => {
            start(hall, row.id.clone(), lease);
            Ok(())
        }
        Err(StoreError::Held(_)) => Ok(()),
        Err(error) => Err(error),
    }
}

fn start(hall: &Arc<Hall>, id: JobId, lease: Lease) {
    let cancel = CancellationToken::new();
    hall.floor().running.insert(id.clone(), cancel.clone());
    hall.tasks.spawn(worker::work(Arc::clone(hall), id, lease, cancel));
}

/// Keeps the leases of jobs that wait here; one that was lost is somebody else's job now.
async fn renew_queue(hall: &Hall) {
    let queue: Vec<Queued> = hall.floor().queue.iter().cloned().collect();
    for Queued { id, lease, .. } in queue {
        let renewed = hall.store.renew_lease(&lease, hall.options.lease, hall.clock.now()).await;
        if let Err(StoreError::Fenced { .. }) = renewed {
            tracing::warn!(job = %id, "the lease on a waiting job was lost; another process has it");
            hall.floor().queue.retain(|queued| queued.id != id);
        }
    }
}
