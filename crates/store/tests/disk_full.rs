//! A disk that really fills up: the store says so, and works again as soon as there is room, without being opened anew.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops loudly where it stands")]

mod support;

use api::JobStatus;
use async_trait::async_trait;
use jobs::{Claim, Event, JobStore, Lease, NewEntry, NewJob, Step, StepContext, StepError, Store, StoreError};
use runtime::Clock;
use serde_json::{Value, json};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use store::SqlStore;
use support::Units;
use testkit::SmallDisk;
use tokio::sync::mpsc;
use types::JobId;

/// More than SQLite finds room for in what it has allocated already.
const LARGE: usize = 40_000;
const UNITS: usize = 12;
/// The unit at which the disk fills up.
const FULL_AT: &str = "t03";

async fn stored() -> Option<(Arc<SmallDisk>, Arc<SqlStore>)> {
    let Some(disk) = SmallDisk::new(32) else {
        eprintln!("SKIPPED: no right to mount a small disk");
        return None;
    };
    let place = disk.path().join("drydock.db");
    let store = store::open(place.to_str().unwrap(), None).await.unwrap();
    Some((Arc::new(disk), store))
}

fn new_job() -> NewJob {
    NewJob { kind: "recycle".to_owned(), body: json!({}), created_at: Clock::real().now() }
}

async fn append(store: &SqlStore, id: &JobId, lease: &Lease, unit: &str) -> Result<(), StoreError> {
    let event = Event::Done(json!("x".repeat(LARGE)));
    let entry = NewEntry { unit: unit.to_owned(), step: "rebuild".to_owned(), event, at: Clock::real().now() };
    store.append(id, entry, lease).await.map(|_| ())
}

fn assert_names_the_disk(error: &StoreError) {
    assert!(matches!(error, StoreError::Unavailable(_) | StoreError::Unknown(_)), "{error:?}");
    let text = error.to_string();
    assert!(text.contains("disk is full") && text.contains("make room"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_store_works_again() {
    let Some((disk, store)) = stored().await else { return };
    let claim = Claim { owner: "me".to_owned(), span: Duration::from_mins(10) };
    let (job, lease) = store.create_held(new_job(), &claim).await.unwrap();
    append(&store, &job.id, &lease, "before").await.unwrap();
    // More than once: what one failure leaves behind must not change the next, nor the recovery.
    for round in 0..3 {
        disk.leave_free(0);
        for _ in 0..3 {
            assert_names_the_disk(&append(&store, &job.id, &lease, "lost").await.unwrap_err());
        }
        assert_eq!(store.get(&job.id).await.unwrap().unwrap().id, job.id, "reading goes on");
        disk.make_room();
        append(&store, &job.id, &lease, &format!("after {round}")).await.unwrap();
    }
    let journal = store.journal(&job.id).await.unwrap();
    let units: Vec<&str> = journal.iter().map(|entry| entry.unit.as_str()).collect();
    assert_eq!(units, ["before", "after 0", "after 1", "after 2"]);
    store.create(new_job()).await.unwrap();
    store.close().await;
}

/// Its effect is a full disk, the first time; what it returns must then be written down.
#[derive(Clone)]
struct Rebuild {
    disk: Arc<SmallDisk>,
    filled: Arc<AtomicBool>,
}

#[async_trait]
impl Step for Rebuild {
    fn name(&self) -> &'static str {
        "rebuild"
    }

    async fn act(&self, ctx: &StepContext<'_>) -> Result<Value, StepError> {
        if ctx.unit() == FULL_AT && !self.filled.swap(true, Ordering::SeqCst) {
            self.disk.leave_free(0);
        }
        Ok(json!("x".repeat(LARGE)))
    }

    async fn undo(&self, _: &StepContext<'_>) -> Result<(), StepError> {
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_goes_on_to_its_end() {
    let Some((disk, store)) = stored().await else { return };
    let (failed, mut failures) = mpsc::unbounded_channel();
    let step = Rebuild { disk: Arc::clone(&disk), filled: Arc::default() };
    let units = Units::new(UNITS, move || vec![Box::new(step.clone())]).telling(failed);
    let shared: Arc<dyn Store> = Arc::clone(&store) as Arc<dyn Store>;
    let runner = units.work(shared, support::options(1, Duration::from_millis(600)));
    let id = runner.submit("recycle", json!({})).await.unwrap().id;
    assert_names_the_disk(&failures.recv().await.unwrap());
    assert!(!store.get(&id).await.unwrap().unwrap().status.is_final());
    disk.make_room();
    let job = runner.wait(&id).await.unwrap();
    assert_eq!((job.status, &job.body["units"]), (JobStatus::Completed, &json!(UNITS)));
    let journal = store.journal(&id).await.unwrap();
    let done = journal.iter().filter(|entry| matches!(entry.event, Event::Done(_))).count();
    assert_eq!(done, UNITS, "nothing is lost, nothing is done twice");
    runner.shutdown(Duration::from_secs(5)).await;
}
