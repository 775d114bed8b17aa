//! Tests of the ledger over a store: which jobs count, and for how long.

use super::*;
use jobs::{Claim, Event, JobStore, MemoryStore, NewEntry, NewJob};
use serde_json::json;

const HOUR: i64 = 3600;

fn now() -> Timestamp {
    Clock::real().now()
}

fn ago(seconds: i64) -> Timestamp {
    budget::before(now(), SignedDuration::from_secs(seconds))
}

/// A job with one attempt, in a state, last saved so long ago.
async fn job(store: &MemoryStore, made: i64, saved: i64, status: JobStatus) -> JobId {
    let new = NewJob { kind: KIND.into(), body: json!({}), created_at: ago(made) };
    let claim = Claim { owner: "a".into(), span: Duration::from_mins(1) };
    let (record, lease) = store.create_held(new, &claim).await.expect("a job");
    let note = json!({
        "connection": 1, "marker": "/* */", "before": { "spaces": {} }, "definition": "", "own": "", "below": [],
        "at": ago(saved), "predicted": 10
    });
    for event in [Event::Noted(note), Event::Done(json!({}))] {
        let (unit, step) = ("h:1/`d`.`t`".to_owned(), "rebuild".to_owned());
        store.append(&record.id, NewEntry { unit, step, event, at: ago(saved) }, &lease).await.expect("an entry");
    }
    store.drop_lease(&lease).await.expect("given back");
    let saved = jobs::JobRecord { status, updated_at: ago(saved), ..record };
    store.save(&saved, None).await.expect("saved").id
}

async fn found(ledger: &Ledger) -> usize {
    ledger.spendings(None, Clock::real().instant()).await.expect("the store").len()
}

#[tokio::test]
async fn jobs_count_by_when_they_worked_and_not_by_when_they_were_made() {
    let store = Arc::new(MemoryStore::new());
    job(&store, 900 * HOUR, HOUR, JobStatus::Completed).await;
    job(&store, 900 * HOUR, HOUR, JobStatus::Running).await;
    job(&store, 900 * HOUR, 26 * HOUR, JobStatus::Failed).await;
    let fresh = Ledger::new(store.clone(), Clock::real());
    assert_eq!(found(&fresh).await, 2, "the long ended one counts no more");
    job(&store, 0, 0, JobStatus::Cancelled).await;
    assert_eq!(found(&fresh).await, 3);
}

#[tokio::test]
async fn a_job_counts_on_once_it_has_ended() {
    let store = Arc::new(MemoryStore::new());
    let id = job(&store, 900 * HOUR, HOUR, JobStatus::Running).await;
    let ledger = Ledger::new(store.clone(), Clock::real());
    assert_eq!(found(&ledger).await, 1);
    let record = store.get(&id).await.expect("the store").expect("the job");
    let ended = jobs::JobRecord { status: JobStatus::Completed, updated_at: now(), ..record };
    store.save(&ended, None).await.expect("saved");
    assert_eq!(found(&ledger).await, 1);
}

#[tokio::test]
async fn thousands_of_jobs_are_looked_through() {
    let store = Arc::new(MemoryStore::new());
    job(&store, 900 * HOUR, HOUR, JobStatus::Completed).await;
    for _ in 0..2 * PAGE {
        let new = NewJob { kind: KIND.into(), body: json!({}), created_at: ago(30 * HOUR) };
        let record = store.create(new).await.expect("a job");
        let ended = jobs::JobRecord { status: JobStatus::Completed, ..record };
        store.save(&ended, None).await.expect("saved");
    }
    assert_eq!(found(&Ledger::new(store, Clock::real())).await, 1, "it is behind all of them");
}
