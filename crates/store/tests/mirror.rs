//! `jobs.json` is whole at every moment, has no secret, and is written when something changed.
#![allow(clippy::unwrap_used, reason = "a test stops loudly where it stands")]

use jiff::Timestamp;
use jobs::{JobRecord, JobStore, MemoryStore, NewJob, Store};
use runtime::Clock;
use serde_json::{Value, json};
use std::{path::Path, sync::Arc, time::Duration};
use store::Mirror;
use tokio_util::sync::CancellationToken;

async fn add(store: &MemoryStore, kind: &str, body: Value) -> JobRecord {
    store.create(NewJob { kind: kind.to_owned(), body, created_at: Timestamp::UNIX_EPOCH }).await.unwrap()
}

fn read(file: &Path) -> Vec<Value> {
    serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
}

fn names(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).unwrap();
    entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect()
}

#[tokio::test]
async fn it_holds_the_documents_without_passwords_and_only_changes_when_they_do() {
    let directory = tempfile::TempDir::new().unwrap();
    let file = directory.path().join("data/jobs.json");
    let store = Arc::new(MemoryStore::new());
    let mut mirror = Mirror::new(Arc::clone(&store) as Arc<dyn Store>, "recycle", &file);
    assert!(mirror.write().await.unwrap());
    assert_eq!(read(&file), Vec::<Value>::new());
    let target = json!({ "config": { "target": { "host": "h", "password": "s3cret" } } });
    let job = add(&store, "recycle", target).await;
    add(&store, "other", json!({})).await;
    add(&store, "recycle", json!({ "n": 2 })).await;
    assert!(mirror.write().await.unwrap());
    let first = json!({ "config": { "target": { "host": "h" } }, "job_id": "job-19700101-001" });
    let third = json!({ "n": 2, "job_id": "job-19700101-003" });
    assert_eq!(read(&file), [first, third.clone()]);
    assert!(!mirror.write().await.unwrap(), "nothing changed");
    store.save(&JobRecord { body: json!({ "n": 1 }), ..job }, None).await.unwrap();
    assert!(mirror.write().await.unwrap());
    assert_eq!(read(&file), [json!({ "n": 1 }), third]);
    assert_eq!(names(file.parent().unwrap()), ["jobs.json"], "no temporary file stays");
}

#[tokio::test]
async fn unchanged_documents_are_copied_from_the_file_before_whatever_lies_between_them() {
    let directory = tempfile::TempDir::new().unwrap();
    let file = directory.path().join("jobs.json");
    let store = Arc::new(MemoryStore::new());
    let mut jobs = Vec::new();
    for n in 0..250 {
        jobs.push(add(&store, "recycle", json!({ "n": n, "text": "ü".repeat(n) })).await);
    }
    let mut mirror = Mirror::new(Arc::clone(&store) as Arc<dyn Store>, "recycle", &file);
    mirror.write().await.unwrap();
    // First, last, neighbours, single ones; one grows, one shrinks; another process puts its own file there.
    for (round, changed) in [vec![0, 100, 101, 249], vec![3, 248, 249], vec![], vec![0]].into_iter().enumerate() {
        for n in changed {
            let body = json!({ "n": n, "text": "x".repeat((n * 7 + 31 * round) % 400) });
            jobs[n] = store.save(&JobRecord { body, ..jobs[n].clone() }, None).await.unwrap();
        }
        jobs.push(add(&store, "recycle", json!({ "round": round })).await);
        std::fs::rename(&file, directory.path().join("old")).unwrap();
        std::fs::write(&file, "[]").unwrap();
        assert!(mirror.write().await.unwrap());
        let bodies: Vec<Value> = jobs.iter().map(|job| job.body.clone()).collect();
        assert_eq!(read(&file), bodies, "round {round}");
    }
}

#[tokio::test]
async fn a_reader_never_sees_half_a_file() {
    let directory = tempfile::TempDir::new().unwrap();
    let file = directory.path().join("jobs.json");
    let store = Arc::new(MemoryStore::new());
    for n in 0..300 {
        add(&store, "recycle", json!({ "n": n, "text": "x".repeat(2000) })).await;
    }
    let mut mirror = Mirror::new(Arc::clone(&store) as Arc<dyn Store>, "recycle", &file);
    mirror.write().await.unwrap();
    let stop = CancellationToken::new();
    let (seen, done) = (file.clone(), stop.clone());
    let reader = tokio::task::spawn_blocking(move || {
        let mut reads = 0;
        while !done.is_cancelled() || reads == 0 {
            assert!(read(&seen).len() >= 300);
            reads += 1;
        }
    });
    for n in 0..20 {
        add(&store, "recycle", json!({ "n": n })).await;
        mirror.write().await.unwrap();
    }
    stop.cancel();
    reader.await.unwrap();
    assert_eq!(read(&file).len(), 320);
}

#[tokio::test]
async fn it_is_written_a_last_time_at_the_end_and_sweeps_up_after_the_killed() {
    let directory = tempfile::TempDir::new().unwrap();
    let file = directory.path().join("jobs.json");
    // No process has a number that high.
    std::fs::write(directory.path().join(".jobs.json.4194999.tmp"), "[half").unwrap();
    let store = Arc::new(MemoryStore::new());
    let mirror = Mirror::new(Arc::clone(&store) as Arc<dyn Store>, "recycle", &file);
    let stop = CancellationToken::new();
    let running = tokio::spawn(mirror.run(Duration::from_hours(1), Clock::real(), stop.clone()));
    while !file.exists() {
        tokio::task::yield_now().await;
    }
    add(&store, "recycle", json!({})).await;
    stop.cancel();
    running.await.unwrap();
    assert_eq!(read(&file).len(), 1);
    assert_eq!(names(directory.path()), ["jobs.json"]);
}

#[tokio::test]
async fn a_mirror_that_cannot_be_written_says_so_and_leaves_the_old_one() {
    let directory = tempfile::TempDir::new().unwrap();
    let file = directory.path().join("jobs.json");
    std::fs::create_dir(&file).unwrap();
    let mut mirror = Mirror::new(Arc::new(MemoryStore::new()), "recycle", &file);
    let error = mirror.write().await.unwrap_err().to_string();
    assert!(error.contains("jobs.json"), "{error}");
    assert_eq!(names(directory.path()), ["jobs.json"]);
}
