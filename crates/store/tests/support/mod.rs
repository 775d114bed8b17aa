//! What the tests that break a store in the middle of a job share: a trade of many small units, and short leases.
#![allow(dead_code, reason = "each test program uses its part")]

use async_trait::async_trait;
use jobs::{
    JobOutcome, JournalEntry, Runner, RunnerOptions, RunningJob, Step, Store, StoreError, Trade, Unit, UnitOutcome,
    run_unit,
};
use runtime::{Clock, Random};
use serde_json::json;
use std::{sync::Arc, time::Duration};
use tokio::sync::mpsc;

/// A short lease, so that a successor need not wait for long, and all else in proportion.
pub fn options(max_workers: usize, lease: Duration) -> RunnerOptions {
    RunnerOptions { max_workers, lease, poll: lease / 20, rest: lease / 10, ..RunnerOptions::default() }
}

/// The steps of one unit, made anew for each.
pub type Steps = Box<dyn Fn() -> Vec<Box<dyn Step>> + Send + Sync>;

/// Does so many units, one after the other, and leaves the job to be taken up again when the store fails it.
pub struct Units {
    count: usize,
    steps: Steps,
    failed: Option<mpsc::UnboundedSender<StoreError>>,
}

impl Units {
    pub fn new(count: usize, steps: impl Fn() -> Vec<Box<dyn Step>> + Send + Sync + 'static) -> Self {
        Self { count, steps: Box::new(steps), failed: None }
    }

    /// The same, and every failure of the store is told.
    pub fn telling(self, failed: mpsc::UnboundedSender<StoreError>) -> Self {
        Self { failed: Some(failed), ..self }
    }

    /// A process that works on such jobs.
    pub fn work(self, store: Arc<dyn Store>, options: RunnerOptions) -> Runner {
        Runner::start(store, vec![Arc::new(self)], options, Clock::real(), &Random::real())
    }

    async fn unit(&self, job: &RunningJob, n: usize) -> Result<(), StoreError> {
        let unit = Unit { key: format!("t{n:02}"), steps: (self.steps)() };
        match run_unit(&job.journal, &unit, &job.cancel).await? {
            UnitOutcome::Done(_) => {}
            other => panic!("{other:?}"),
        }
        let progress = f64::from(u32::try_from(n).unwrap()) * 100.0 / f64::from(u32::try_from(self.count).unwrap());
        job.report(progress, json!({ "units": n + 1 })).await.map(drop)
    }
}

#[async_trait]
impl Trade for Units {
    fn kind(&self) -> &'static str {
        "recycle"
    }

    async fn run(&self, job: RunningJob) -> JobOutcome {
        for n in 0..self.count {
            if let Err(error) = self.unit(&job, n).await {
                let _ = self.failed.as_ref().map(|failed| failed.send(error));
                return JobOutcome::Parked;
            }
        }
        JobOutcome::Completed(json!({ "units": self.count }))
    }
}

/// The numbers of a journal have no gap.
pub fn numbered(journal: &[JournalEntry]) {
    let places: Vec<u64> = journal.iter().map(|entry| entry.sequence).collect();
    assert_eq!(places, (1..=journal.len() as u64).collect::<Vec<_>>());
}
