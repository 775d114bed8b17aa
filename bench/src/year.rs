//! A store as it looks after a year: ten thousand jobs of about 6 KB, nearly all of them completed.

use crate::size;
use api::JobStatus;
use jobs::{JobRecord, JobStore, NewJob, Store};
use runtime::Clock;
use serde_json::{Value, json};
use std::sync::Arc;

/// Jobs in it.
const JOBS: usize = 10_000;
/// Tables in each job's document.
const TABLES: usize = 20;
/// Jobs made at once.
const MAKERS: usize = 16;

/// How many jobs it holds.
pub fn jobs() -> usize {
    size::count(JOBS)
}

/// Fills it; `status` says how the job of a number ended.
pub async fn fill(store: &Arc<dyn Store>, kind: &'static str, status: fn(usize) -> JobStatus) {
    let jobs = jobs();
    let makers = (0..MAKERS).map(|maker| {
        let store = Arc::clone(store);
        tokio::spawn(async move {
            for n in (maker..jobs).step_by(MAKERS) {
                make(store.as_ref(), kind, status(n)).await;
            }
        })
    });
    for maker in makers.collect::<Vec<_>>() {
        maker.await.unwrap();
    }
}

/// Makes one job.
pub async fn make(store: &dyn Store, kind: &str, status: JobStatus) {
    let new = NewJob { kind: kind.to_owned(), body: document(), created_at: Clock::real().now() };
    let job = JobStore::create(store, new).await.unwrap();
    let progress = if status == JobStatus::Completed { 100.0 } else { job.progress };
    store.save(&JobRecord { status, progress, ..job }, None).await.unwrap();
}

fn document() -> Value {
    let tables = (0..TABLES).map(|n| {
        json!({ "node": "192.168.1.101:3306", "database": "shop", "table": format!("orders_{n}"), "state": "done",
                "file_bytes": 1_073_741_824_u64, "predicted_freed_bytes": 536_870_912, "predicted_low_bytes": 500_000_000,
                "predicted_high_bytes": 560_000_000, "data_free_bytes": 530_000_000, "freed_bytes": 537_000_000 })
    });
    let tables: Vec<Value> = tables.collect();
    json!({ "status": "completed", "statistics": { "space_freed_mb": 10_240, "tables_processed": tables } })
}
