//! What is removed from a SQLite store gives its room back to the file system, and the file serves on.
#![allow(clippy::unwrap_used, reason = "a test stops loudly where it stands")]

use api::{JobStatus, MetricPoint};
use jiff::Timestamp;
use jobs::{JobRecord, JobStore, MetricsHistory, NewJob};
use serde_json::json;
use std::path::Path;
use tempfile::TempDir;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_795_255_200 + seconds).unwrap()
}

/// The file with its log.
fn bytes(file: &Path) -> u64 {
    let size = |path: &Path| std::fs::metadata(path).map_or(0, |metadata| metadata.len());
    let mut log = file.as_os_str().to_owned();
    log.push("-wal");
    size(file) + size(Path::new(&log))
}

#[tokio::test]
async fn old_jobs_leave_a_small_file() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("jobs.db");
    let store = store::open(file.to_str().unwrap(), None).await.unwrap();
    for n in 0..60 {
        let body = json!({ "text": "x".repeat(200_000) });
        let job = store.create(NewJob { kind: "recycle".to_owned(), body, created_at: at(n) }).await.unwrap();
        store.save(&JobRecord { status: JobStatus::Completed, ..job }, None).await.unwrap();
    }
    assert!(bytes(&file) > 12_000_000);
    assert_eq!(store.forget_jobs_before(at(58)).await.unwrap(), 58);
    // A second handle reads what is left while the first is still open.
    let other = store::open(file.to_str().unwrap(), None).await.unwrap();
    let left = other.get(&types::JobId::of_day("20261121", 60)).await.unwrap().unwrap();
    assert_eq!(left.body["text"].as_str().unwrap().len(), 200_000);
    other.close().await;
    store.close().await;
    assert!(bytes(&file) < 2_000_000, "{} bytes", bytes(&file));
}

#[tokio::test]
async fn old_samples_leave_a_small_file() {
    let directory = TempDir::new().unwrap();
    let (file, metrics) = (directory.path().join("jobs.db"), directory.path().join("metrics.db"));
    let store = store::open(file.to_str().unwrap(), Some(&metrics)).await.unwrap();
    let point =
        |n| MetricPoint { name: "lag_seconds".to_owned(), subject: "replica".repeat(20), at: at(n), value: 1.0 };
    let points: Vec<MetricPoint> = (0..12_000).map(|n| point(n / 3)).collect();
    store.keep(&points).await.unwrap();
    assert!(bytes(&metrics) > 4_000_000, "{} bytes", bytes(&metrics));
    assert_eq!(store.forget_before(at(3_990)).await.unwrap(), 3 * 3_990);
    assert_eq!(store.history("", "", at(0)).await.unwrap().len(), 30);
    store.close().await;
    assert!(bytes(&metrics) < 1_000_000, "{} bytes", bytes(&metrics));
}
