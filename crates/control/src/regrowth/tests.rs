//! When a job is looked at, what is written down, and what a round leaves alone.

use super::*;
use crate::Settings;
use api::TableState;
use jiff::SignedDuration;
use jobs::{JobStore, MemoryStore, NewJob};
use runtime::{Clock, Random};
use serde_json::{Value, json};
use std::sync::Arc;
use types::Secret;

const AFTER: Duration = Duration::from_hours(48);

fn before_now(span: Duration) -> Timestamp {
    let now = jobs::to_micros(Clock::real().now());
    now.checked_sub(SignedDuration::try_from(span).expect("fits")).expect("in range")
}

fn table(name: &str) -> Value {
    json!({
        "node": "127.0.0.1:1", "database": "shop", "table": name, "state": "done", "file_bytes": 300,
        "predicted_freed_bytes": 200, "predicted_low_bytes": 150, "predicted_high_bytes": 250, "data_free_bytes": 0,
        "method": "sql", "file_bytes_after": 100, "freed_bytes": 200, "tablespaces": [7],
    })
}

fn body(tables: &[Value]) -> Value {
    let at = Timestamp::UNIX_EPOCH;
    let config = json!({
        "target": {"host": "127.0.0.1", "port": 1, "username": "recycler"}, "mode": "binlog-off", "threshold_mb": 100,
        "threshold_percent": 10.0, "exclude_primary": true, "batch_size": 5, "timeout": "1h",
    });
    let plan = json!({
        "created_at": at, "cluster_id": "c", "config": config, "mode": "binlog-off", "nodes": [], "file_bytes": 0,
        "predicted_freed_bytes": 0, "predicted_seconds": 0.0, "warnings": [],
    });
    json!({
        "job_id": "", "status": "completed", "config": config, "created_at": at, "plan": plan,
        "progress": {"total_tables": 1, "processed_tables": 1, "failed_tables": 0, "percentage": 100.0},
        "statistics": {"space_freed_mb": 0, "space_freed_bytes": 200, "time_elapsed": "00:00:00",
                       "estimated_remaining": "", "tables_processed": tables},
    })
}

fn result(value: Value) -> TableResult {
    serde_json::from_value(value).expect("a result")
}

/// A hall that never starts its loops: rounds are run by hand. Nobody listens at the jobs' node.
async fn hall(password: Option<&str>) -> (Control, Arc<MemoryStore>) {
    let store = Arc::new(MemoryStore::default());
    // This one is for configured clusters: it must not be lent to the jobs' host, which only their requests named.
    let settings = Settings { password: Some(Secret::new("ours")), ..Settings::default() };
    let control = Control::open(settings, store.clone(), Clock::real(), Random::real()).await.expect("opens");
    if let Some(password) = password {
        control.hall.keyring.keep(&types::Address::new("127.0.0.1", 1), "recycler", &Secret::new(password));
    }
    (control, store)
}

/// A job that ended some time ago.
async fn ended(store: &MemoryStore, status: JobStatus, ago: Duration, tables: &[Value]) -> JobRecord {
    let ended = before_now(ago);
    let made = NewJob { kind: KIND.to_owned(), body: body(tables), created_at: ended };
    let made = store.create(made).await.expect("made");
    let record = JobRecord { status, progress: 55.5, updated_at: ended, ..made };
    store.save(&record, None).await.expect("saved")
}

fn job(record: &JobRecord) -> api::RecycleJob {
    serde_json::from_value::<RecycleDocument>(record.body.clone()).expect("a document").job
}

async fn now_of(store: &MemoryStore, record: &JobRecord) -> JobRecord {
    store.get(&record.id).await.expect("read").expect("there")
}

#[test]
fn a_job_has_its_turn_once_the_span_has_passed_and_is_given_up_a_week_later() {
    let at = |hours: u64| {
        let ended = Timestamp::UNIX_EPOCH;
        turn(ended, AFTER, ended.checked_add(SignedDuration::from_hours(i64::try_from(hours).unwrap())).unwrap())
    };
    assert_eq!((at(0), at(47)), (Turn::Not, Turn::Not));
    assert_eq!((at(48), at(48 + 167)), (Turn::Now, Turn::Now));
    assert_eq!((at(48 + 168), at(48 + 720)), (Turn::Last, Turn::Last));
    assert_eq!(at(48 + 721), Turn::Not, "nobody looked for a month: such jobs are not even read");
    let (ended, early) = (before_now(Duration::ZERO), before_now(Duration::from_secs(9)));
    assert_eq!(turn(ended, Duration::from_secs(1), early), Turn::Not, "a clock that went back");
}

#[test]
fn rounds_follow_the_span() {
    assert_eq!(rhythm(Duration::from_hours(168)), Duration::from_hours(1));
    assert_eq!(rhythm(Duration::from_secs(2)), Duration::from_millis(500));
}

#[test]
fn only_tables_rebuilt_into_known_files_are_looked_at_and_once() {
    assert!(result(table("t")).awaits_regrowth());
    for (key, value) in [
        ("state", json!("failed")),
        ("state", json!("skipped")),
        ("tablespaces", json!([])),
        ("regrown_at", json!(Timestamp::UNIX_EPOCH)),
        ("regrown_note", json!("given up")),
    ] {
        let mut other = table("t");
        other[key] = value;
        assert!(!result(other.clone()).awaits_regrowth(), "{other}");
    }
}

#[test]
fn what_cannot_be_told_is_never_a_number() {
    let at = Timestamp::UNIX_EPOCH;
    let written = |seen: Seen, turn: Turn| {
        let mut result = result(table("t"));
        let settled = write(&mut result, seen, at, turn);
        assert_eq!(settled, !result.awaits_regrowth());
        (result.regrown_bytes, result.regrown_at, result.regrown_note)
    };
    assert_eq!(written(Seen::Grown(-5), Turn::Now), (Some(-5), Some(at), String::new()));
    assert_eq!(written(Seen::Untold("gone".into()), Turn::Now), (None, Some(at), "gone".into()));
    assert_eq!(written(Seen::NotNow("away".into()), Turn::Now), (None, None, String::new()));
    assert_eq!(written(Seen::NotNow("away".into()), Turn::Last), (None, None, "given up: away".into()));
}

#[test]
fn the_sum_is_of_what_could_be_told() {
    let with = |bytes: Value| {
        let mut table = table("t");
        table["regrown_bytes"] = bytes;
        table
    };
    let summed = |tables: &[Value]| {
        let mut document: RecycleDocument = serde_json::from_value(body(tables)).expect("a document");
        sum_up(&mut document);
        document.job.statistics.space_regrown_bytes
    };
    assert_eq!(summed(&[with(json!(7)), with(Value::Null), with(json!(-2))]), Some(5));
    assert_eq!(summed(&[with(Value::Null)]), None);
}

#[tokio::test]
async fn a_node_that_does_not_answer_is_tried_for_a_week_and_then_given_up_with_a_note() {
    let (control, store) = hall(Some("secret-word")).await;
    let mut rounds = control.rounds();
    let early = ended(&store, JobStatus::Completed, AFTER.saturating_sub(Duration::from_hours(1)), &[table("a")]).await;
    let open = ended(&store, JobStatus::Completed, AFTER + Duration::from_hours(1), &[table("a")]).await;
    let late = ended(&store, JobStatus::Failed, AFTER + GIVE_UP, &[table("a"), table("b")]).await;
    let old = ended(&store, JobStatus::Completed, AFTER + MISSED + Duration::from_hours(1), &[table("a")]).await;
    control.look_back(AFTER, &mut rounds).await.expect("a round");
    for untouched in [&early, &open, &old] {
        assert_eq!(now_of(&store, untouched).await, *untouched);
    }
    let kept = now_of(&store, &late).await;
    assert_eq!(
        JobRecord { body: Value::Null, version: 0, ..kept.clone() },
        JobRecord { body: Value::Null, version: 0, ..late },
        "status, progress and times stay as they were"
    );
    let job = job(&kept);
    assert!(job.statistics.tables_processed.iter().all(|table| table.regrown_note.starts_with("given up: cannot")));
    assert_eq!(job.notes.len(), 1, "once for the node: {:?}", job.notes);
    assert!(job.notes[0].starts_with("127.0.0.1:1: what grew again was not seen, given up:"), "{:?}", job.notes);
    assert!(!kept.body.to_string().contains("secret-word"));
    assert_eq!(rounds.settled, HashSet::from([kept.id.clone()]), "and it is not read again");
    control.look_back(AFTER, &mut rounds).await.expect("a round");
    assert_eq!(now_of(&store, &kept).await, kept);
}

#[tokio::test]
async fn without_a_password_a_look_waits_too() {
    let (control, store) = hall(None).await;
    let open = ended(&store, JobStatus::Cancelled, AFTER, &[table("a")]).await;
    let late = ended(&store, JobStatus::Completed, AFTER + GIVE_UP, &[table("a")]).await;
    control.look_back(AFTER, &mut control.rounds()).await.expect("a round");
    assert_eq!(now_of(&store, &open).await, open);
    let told = job(&now_of(&store, &late).await);
    assert!(told.notes[0].contains("no password is known for `recycler` at 127.0.0.1:1"), "{:?}", told.notes);
    assert_eq!(told.statistics.tables_processed[0].regrown_at, None, "it was not looked at");
}

#[tokio::test]
async fn a_job_without_such_tables_is_left_as_it_is() {
    let (control, store) = hall(Some("secret-word")).await;
    let mut failed = table("a");
    failed["state"] = json!(TableState::Failed);
    let none = ended(&store, JobStatus::Failed, AFTER + GIVE_UP, &[failed]).await;
    let mut rounds = control.rounds();
    control.look_back(AFTER, &mut rounds).await.expect("a round");
    assert_eq!(now_of(&store, &none).await, none);
    assert!(rounds.settled.contains(&none.id));
}

#[tokio::test]
async fn of_two_servers_one_writes() {
    let (control, store) = hall(None).await;
    let late = ended(&store, JobStatus::Completed, AFTER + GIVE_UP, &[table("a")]).await;
    let mut rounds = control.rounds();
    // The other one is at it.
    let other = Claim { owner: "other".to_owned(), span: Duration::from_hours(1) };
    let held = store.take_lease(late.id.as_str(), &other, control.clock().now()).await.expect("free");
    control.look_back(AFTER, &mut rounds).await.expect("a round");
    assert_eq!(now_of(&store, &late).await, late);
    assert!(rounds.settled.is_empty());
    // It has written and is gone; we had read before.
    store.drop_lease(&held).await.expect("given back");
    let theirs = store.save(&JobRecord { progress: 44.0, ..late.clone() }, None).await.expect("saved");
    assert!(!control.look_again(&late, Turn::Last, &mut rounds).await.expect("a look"), "the next round reads again");
    assert_eq!(now_of(&store, &late).await, theirs);
    control.look_back(AFTER, &mut rounds).await.expect("a round");
    assert!(rounds.settled.contains(&late.id));
}
