//! Saga tests for free: hand in a unit and how to tell what it left behind, and every step is acted twice, failed,
//! cancelled, undone twice, and crashed at every journal write.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a test stops loudly where it stands"
)]

mod faults;
mod interrupted;

use crate::{Claim, Journal, MemoryStore, NewJob, Store, Unit, UnitOutcome, run_unit};
use async_trait::async_trait;
use faults::{Fault, faulty};
use interrupted::{InterruptedStore, Moment};
use jiff::Timestamp;
use runtime::Clock;
use std::{sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;
use types::{Code, Failure, JobId};

/// A saga and the world it works on.
#[async_trait]
pub trait SagaUnderTest: Send + Sync {
    /// Puts the world in its starting state.
    async fn reset(&self);

    /// The unit, as a process that has just started would build it.
    fn unit(&self) -> Unit;

    /// Panics, naming `what`, unless the world is as a completed unit leaves it: done once, nothing left lowered.
    async fn assert_done(&self, what: &str);

    /// Panics, naming `what`, unless the world is as it was at the start.
    async fn assert_undone(&self, what: &str);
}

/// Every test below.
pub async fn check(saga: &dyn SagaUnderTest) {
    each_step_twice(saga).await;
    failed_at_each_step(saga).await;
    each_undo_twice(saga).await;
    crashed_at_each_write(saga).await;
    cancelled_at_each_write(saga).await;
}

/// A job's journal on a store in memory, which new runs take over as after a crash.
pub(crate) struct Bench {
    store: Arc<MemoryStore>,
    job: JobId,
    runs: u32,
}

impl Bench {
    pub(crate) async fn new() -> Bench {
        let store = Arc::new(MemoryStore::new());
        let new = NewJob { kind: "test".to_owned(), body: serde_json::json!({}), created_at: Timestamp::UNIX_EPOCH };
        let job = crate::JobStore::create(store.as_ref(), new).await.expect("a job is made").id;
        Bench { store, job, runs: 0 }
    }

    /// The next worker: a lease under a higher epoch, the journal read anew, through `store`.
    async fn journal(&mut self, store: Arc<dyn Store>) -> Journal {
        self.runs += 1;
        let claim = Claim { owner: format!("worker-{}", self.runs), span: Duration::from_secs(1) };
        let now = Timestamp::from_second(i64::from(self.runs) * 10).expect("within range");
        let lease = store.take_lease(self.job.as_str(), &claim, now).await.expect("the last one has lapsed");
        Journal::load(store, self.job.clone(), lease, Clock::real()).await.expect("the journal is read")
    }

    pub(crate) async fn run(&mut self, unit: &Unit) -> UnitOutcome {
        let journal = self.journal(Arc::clone(&self.store) as Arc<dyn Store>).await;
        run_unit(&journal, unit, &CancellationToken::new()).await.expect("the store in memory does not fail")
    }

    /// Runs until the `write`-th append, at which `moment` says what happens. `None` if it was interrupted.
    async fn run_interrupted(&mut self, unit: &Unit, write: u32, moment: Moment) -> Option<UnitOutcome> {
        let cancel = CancellationToken::new();
        let store = Arc::new(InterruptedStore::new(Arc::clone(&self.store), write, moment, cancel.clone()));
        let journal = self.journal(Arc::clone(&store) as Arc<dyn Store>).await;
        tokio::select! {
            biased;
            outcome = run_unit(&journal, unit, &cancel) => Some(outcome.expect("the store in memory does not fail")),
            // The future is dropped where it stands: nothing of it runs any more, as after `kill -9`.
            () = store.interrupted() => None,
        }
    }
}

/// A step that crashed right after its effect acts again: the second act must not spoil the first.
pub async fn each_step_twice(saga: &dyn SagaUnderTest) {
    saga.reset().await;
    let unit = faulty(saga.unit(), None, Fault::ActTwice);
    let outcome = Bench::new().await.run(&unit).await;
    assert!(matches!(outcome, UnitOutcome::Done(_)), "each step acted twice: {outcome:?}");
    saga.assert_done("each step acted twice").await;
}

/// Whatever step fails, before or after its effect, all is taken back.
pub async fn failed_at_each_step(saga: &dyn SagaUnderTest) {
    for index in 0..saga.unit().steps.len() {
        for fault in [Fault::FailBefore, Fault::FailAfter, Fault::AmbiguousAfter, Fault::PanicAfter] {
            let what = format!("{fault:?} at step {index}");
            unwind(saga, faulty(saga.unit(), Some(index), fault), &what).await;
        }
    }
}

/// An undo that crashed right after its effect is run again.
pub async fn each_undo_twice(saga: &dyn SagaUnderTest) {
    for index in 0..saga.unit().steps.len() {
        let unit = faulty(faulty(saga.unit(), None, Fault::UndoTwice), Some(index), Fault::FailAfter);
        unwind(saga, unit, &format!("each undo twice, from step {index}")).await;
    }
}

async fn unwind(saga: &dyn SagaUnderTest, unit: Unit, what: &str) {
    saga.reset().await;
    let mut bench = Bench::new().await;
    let outcome = bench.run(&unit).await;
    assert!(matches!(outcome, UnitOutcome::Failed(_)), "{what}: {outcome:?}");
    saga.assert_undone(what).await;
    assert_eq!(bench.run(&saga.unit()).await, outcome, "{what}: a failed unit stays failed when run again");
    saga.assert_undone(&format!("{what}, run again")).await;
}

/// Crashes before and after every journal write, forward and back; the next run brings the unit to the same end.
pub async fn crashed_at_each_write(saga: &dyn SagaUnderTest) {
    let last = saga.unit().steps.len() - 1;
    for moment in [Moment::CrashBefore, Moment::CrashAfter] {
        for write in 1.. {
            saga.reset().await;
            let mut bench = Bench::new().await;
            let finished = bench.run_interrupted(&saga.unit(), write, moment).await;
            let outcome = bench.run(&saga.unit()).await;
            let what = format!("{moment:?} of write {write}");
            assert!(matches!(outcome, UnitOutcome::Done(_)), "{what}: {outcome:?}");
            saga.assert_done(&what).await;
            if finished.is_some() {
                break;
            }
        }
        for write in 1.. {
            saga.reset().await;
            let mut bench = Bench::new().await;
            let failing = || faulty(saga.unit(), Some(last), Fault::FailAfter);
            let finished = bench.run_interrupted(&failing(), write, moment).await;
            let outcome = bench.run(&failing()).await;
            let what = format!("{moment:?} of write {write} while failing");
            assert!(matches!(outcome, UnitOutcome::Failed(_)), "{what}: {outcome:?}");
            saga.assert_undone(&what).await;
            if finished.is_some() {
                break;
            }
        }
    }
}

/// Cancelled during every journal write: either taken back whole, or, past the pivot, done.
pub async fn cancelled_at_each_write(saga: &dyn SagaUnderTest) {
    let mut cancelled = 0;
    for write in 1.. {
        saga.reset().await;
        let what = format!("cancelled during write {write}");
        let unit = saga.unit();
        let steps = u32::try_from(unit.steps.len()).expect("few steps");
        match Bench::new().await.run_interrupted(&unit, write, Moment::Cancel).await {
            Some(UnitOutcome::Cancelled) => {
                cancelled += 1;
                saga.assert_undone(&what).await;
            }
            Some(UnitOutcome::Done(_)) => {
                saga.assert_done(&what).await;
                // Two writes per step at least; notes add more and only prolong the loop.
                if write > 4 * steps + 64 {
                    break;
                }
            }
            other => panic!("{what}: {other:?}"),
        }
    }
    assert!(cancelled > 0, "no cancel took anything back");
}

fn failure(text: &str) -> Failure {
    Failure::new(Code::JobState, text, "none, this is a test")
}
