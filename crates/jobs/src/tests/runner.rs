//! The runner: limits, cancel, leases, parking; on replayed time.

use crate::{
    Claim, Event, JobOutcome, JobRecord, Journal, MemoryStore, NewJob, Runner, RunnerOptions, RunningJob, Store, Trade,
};
use api::JobStatus;
use async_trait::async_trait;
use jiff::Timestamp;
use runtime::{Clock, Random};
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use types::{Code, Failure, JobId};

/// What every process of a test sees.
struct World {
    /// A job goes on only with a permit.
    gate: Semaphore,
    /// Runs under way per job, the most ever, and how many in all.
    runs: Mutex<HashMap<JobId, (u32, u32, u32)>>,
}

impl World {
    fn new() -> Arc<World> {
        Arc::new(World { gate: Semaphore::new(0), runs: Mutex::default() })
    }

    fn enter(self: &Arc<Self>, id: &JobId) -> Inside {
        let mut runs = self.runs.lock().unwrap();
        let (now, most, all) = runs.entry(id.clone()).or_default();
        *now += 1;
        *most = (*most).max(*now);
        *all += 1;
        Inside(Arc::clone(self), id.clone())
    }

    fn runs(&self, id: &JobId) -> (u32, u32, u32) {
        self.runs.lock().unwrap().get(id).copied().unwrap_or_default()
    }
}

/// Counts a run until it ends or its future is dropped.
struct Inside(Arc<World>, JobId);

impl Drop for Inside {
    fn drop(&mut self) {
        self.0.runs.lock().unwrap().get_mut(&self.1).unwrap().0 -= 1;
    }
}

struct Gated(Arc<World>);

impl Gated {
    async fn panic_after(&self, job: &RunningJob, event: Event) -> ! {
        let step = self.0.runs(&job.record.id).2.to_string();
        job.journal.append("unit", &step, event).await.unwrap();
        panic!("a defect")
    }
}

#[async_trait]
impl Trade for Gated {
    fn kind(&self) -> &'static str {
        "gated"
    }

    async fn run(&self, job: RunningJob) -> JobOutcome {
        let _inside = self.0.enter(&job.record.id);
        for progress in [20.0, 10.0, f64::NAN, 100.0] {
            if job.report(progress, job.record.body.clone()).await.is_err() {
                return JobOutcome::Parked;
            }
        }
        tokio::select! {
            permit = self.0.gate.acquire() => permit.unwrap().forget(),
            () = job.cancel.cancelled() => return JobOutcome::Cancelled(json!({ "left": "whole" })),
            () = job.park.cancelled() => return JobOutcome::Parked,
        }
        match job.record.body["end"].as_str() {
            Some("fail") => {
                let failure = Failure::new(Code::TimedOut, "too slow", "wait");
                JobOutcome::Failed { body: json!({ "failed": true }), failure }
            }
            Some("panic") if self.0.runs(&job.record.id).2 == 1 => panic!("a defect"),
            Some("panic-always") => panic!("a defect"),
            Some("panic-noting") => self.panic_after(&job, Event::Noted(json!(0))).await,
            Some("panic-onward") if self.0.runs(&job.record.id).2 <= 7 => self.panic_after(&job, Event::Started).await,
            _ => JobOutcome::Completed(json!({ "done": true })),
        }
    }

    async fn accepts(&self, job: &JobRecord) -> bool {
        job.body["end"] != "foreign"
    }

    fn is_held(&self, job: &JobRecord) -> bool {
        job.body["held"] == true
    }

    fn document(&self, record: &JobRecord, failure: Option<&Failure>) -> Value {
        let mut body = record.body.clone();
        assert!(body["end"] != "blot" || record.status == JobStatus::Pending, "a defect");
        body["status"] = json!(record.status);
        let text = |failure: &Failure| format!("{}; next: {}", failure.detail("error"), failure.detail("next"));
        body["error"] = json!(failure.map(text));
        body
    }

    fn left(&self, _: &JobRecord, journal: &Journal) -> Vec<String> {
        journal.units().into_iter().map(|unit| format!("look at {unit}")).collect()
    }
}

/// One store and one clock, on which processes come and go.
struct Site {
    store: Arc<dyn Store>,
    world: Arc<World>,
    clock: Clock,
    random: Random,
}

impl Site {
    fn new() -> Site {
        let origin: Timestamp = "2026-11-21T10:00:00Z".parse().unwrap();
        let (clock, random) = (Clock::starting_at(origin), Random::seeded(1));
        Site { store: Arc::new(MemoryStore::new()), world: World::new(), clock, random }
    }

    fn process(&self, max_workers: usize, queue_size: usize) -> Runner {
        let options = RunnerOptions { max_workers, queue_size, ..RunnerOptions::default() };
        let trade: Arc<dyn Trade> = Arc::new(Gated(Arc::clone(&self.world)));
        Runner::start(Arc::clone(&self.store), vec![trade], options, self.clock, &self.random)
    }

    async fn until(&self, id: &JobId, wanted: impl Fn(&JobRecord) -> bool) -> JobRecord {
        loop {
            let record = self.store.get(id).await.unwrap().unwrap();
            if wanted(&record) {
                return record;
            }
            self.clock.sleep(Duration::from_millis(10)).await;
        }
    }

    async fn until_inside(&self, id: &JobId, runs: u32) {
        while self.world.runs(id).2 < runs || self.world.runs(id).0 == 0 {
            self.clock.sleep(Duration::from_millis(10)).await;
        }
    }
}

async fn submitted(runner: &Runner, end: &str) -> JobId {
    runner.submit("gated", json!({ "end": end })).await.unwrap().id
}

#[tokio::test(start_paused = true)]
async fn a_job_runs_to_each_end() {
    let site = Site::new();
    let runner = site.process(2, 10);
    let mut updates = runner.updates();
    site.world.gate.add_permits(2);
    let (good, bad) = (submitted(&runner, "").await, submitted(&runner, "fail").await);
    let done = runner.wait(&good).await.unwrap();
    assert_eq!((done.status, done.progress), (JobStatus::Completed, 100.0));
    assert_eq!(done.body, json!({ "done": true, "status": "completed", "error": null }));
    let failed = runner.wait(&bad).await.unwrap();
    assert_eq!((failed.status, failed.progress), (JobStatus::Failed, 99.9));
    assert_eq!(failed.body, json!({ "failed": true, "status": "failed", "error": "too slow; next: wait" }));
    let mut seen = Vec::new();
    while let Ok(update) = updates.try_recv() {
        if update.id == good {
            seen.push((update.status, update.progress));
        }
    }
    let running = |progress| (JobStatus::Running, progress);
    let wanted = [
        (JobStatus::Pending, 0.0),
        running(0.0),
        running(20.0),
        running(20.0),
        running(99.9),
        running(99.9),
        (JobStatus::Completed, 100.0),
    ];
    assert_eq!(seen, wanted, "each save is told, progress never falls, 100 comes with completion only");
    assert!(runner.submit("unknown", json!({})).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn workers_and_queue_are_limited() {
    let site = Site::new();
    let runner = site.process(2, 3);
    let mut ids = Vec::new();
    for running in 1..=2 {
        ids.push(submitted(&runner, "").await);
        site.until_inside(&ids[running - 1], 1).await;
    }
    for _ in 0..3 {
        ids.push(submitted(&runner, "").await);
    }
    let refused = runner.submit("gated", json!({})).await.unwrap_err();
    assert_eq!(refused.code, Code::Busy);
    // Far beyond the lease: what waits here stays ours.
    site.clock.sleep(Duration::from_secs(100)).await;
    let idle = site.process(5, 10);
    site.clock.sleep(Duration::from_secs(100)).await;
    assert_eq!((runner.active(), idle.active()), (2, 0));
    for (index, id) in ids.iter().enumerate() {
        assert_eq!(site.world.runs(id).2, u32::from(index < 2), "job {index}");
    }
    site.world.gate.add_permits(5);
    for id in &ids {
        assert_eq!(runner.wait(id).await.unwrap().status, JobStatus::Completed);
        assert_eq!(site.world.runs(id), (0, 1, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn running_waiting_and_final_jobs_are_cancelled_each_in_its_way() {
    let site = Site::new();
    let runner = site.process(1, 10);
    let (running, waiting) = (submitted(&runner, "").await, submitted(&runner, "").await);
    site.until_inside(&running, 1).await;
    assert!(runner.cancel(&waiting).await.unwrap().cancel_requested);
    let waited = runner.wait(&waiting).await.unwrap();
    assert_eq!((waited.status, site.world.runs(&waiting).2), (JobStatus::Cancelled, 0), "it ends without a worker");
    assert_eq!(waited.body["status"], "cancelled");
    // By another process, through the store alone.
    site.store.request_cancel(&running).await.unwrap();
    let ran = runner.wait(&running).await.unwrap();
    assert_eq!((ran.status, ran.body["left"].as_str()), (JobStatus::Cancelled, Some("whole")));
    let again = runner.cancel(&running).await.unwrap_err();
    assert_eq!((again.code, again.detail("status")), (Code::JobState, "cancelled"));
    let nobody = runner.cancel(&JobId("job-20261121-999".to_owned())).await.unwrap_err();
    assert_eq!(nobody.code, Code::JobNotFound);
}

#[tokio::test(start_paused = true)]
async fn a_job_of_a_dead_process_is_resumed_once_its_lease_lapsed() {
    let site = Site::new();
    let dead = Claim { owner: "dead".to_owned(), span: Duration::from_secs(15) };
    let new =
        |end: &str| NewJob { kind: "gated".to_owned(), body: json!({ "end": end }), created_at: site.clock.now() };
    let (job, lease) = site.store.create_held(new(""), &dead).await.unwrap();
    let running = JobRecord { status: JobStatus::Running, progress: 40.0, ..job };
    let job = site.store.save(&running, Some(&lease)).await.unwrap();
    let foreign = site.store.create(new("foreign")).await.unwrap();
    let (one, two) = (site.process(3, 10), site.process(3, 10));
    site.clock.sleep(Duration::from_secs(14)).await;
    assert_eq!(site.world.runs(&job.id).2, 0, "the lease still stands");
    site.until_inside(&job.id, 1).await;
    site.clock.sleep(Duration::from_mins(1)).await;
    assert_eq!(site.world.runs(&job.id), (1, 1, 1), "one of the two processes has it");
    site.world.gate.add_permits(1);
    let (by_one, by_two) = tokio::join!(one.wait(&job.id), two.wait(&job.id));
    assert_eq!(by_one.unwrap(), by_two.unwrap());
    assert_eq!(site.world.runs(&foreign.id).2, 0, "no process accepts it");
    assert_eq!(site.store.get(&foreign.id).await.unwrap().unwrap().status, JobStatus::Pending);
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_lost_its_lease_is_dropped_before_it_runs_again_here() {
    let site = Site::new();
    let runner = site.process(3, 10);
    let id = submitted(&runner, "").await;
    site.until_inside(&id, 1).await;
    // Another process takes over, as it may after this one stood still for too long.
    let thief = Claim { owner: "thief".to_owned(), span: Duration::from_secs(20) };
    let lapsed = site.clock.now() + jiff::SignedDuration::from_secs(16);
    let stolen = site.store.take_lease(id.as_str(), &thief, lapsed).await.unwrap();
    while site.world.runs(&id).0 > 0 {
        site.clock.sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(site.store.get(&id).await.unwrap().unwrap().status, JobStatus::Running);
    assert!(site.store.renew_lease(&stolen, Duration::from_secs(1), lapsed).await.is_ok(), "the thief's stays");
    // The thief dies; this process resumes.
    site.until_inside(&id, 2).await;
    site.world.gate.add_permits(1);
    assert_eq!(runner.wait(&id).await.unwrap().status, JobStatus::Completed);
    assert_eq!(site.world.runs(&id), (0, 1, 2));
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_parks_what_runs_and_what_waits() {
    let site = Site::new();
    let first = site.process(1, 10);
    let (running, waiting) = (submitted(&first, "").await, submitted(&first, "").await);
    site.until_inside(&running, 1).await;
    first.shutdown(Duration::from_secs(5)).await;
    assert_eq!(first.submit("gated", json!({})).await.unwrap_err().code, Code::Busy);
    let before = site.clock.now();
    let second = site.process(2, 10);
    site.until_inside(&running, 2).await;
    site.until_inside(&waiting, 1).await;
    let took = site.clock.now().duration_since(before);
    assert!(took < jiff::SignedDuration::from_secs(15), "leases were given back, so nobody waited for them: {took}");
    site.world.gate.add_permits(2);
    for id in [running, waiting] {
        assert_eq!(second.wait(&id).await.unwrap().status, JobStatus::Completed);
        assert_eq!(site.world.runs(&id).1, 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_trade_that_panics_is_resumed_after_a_rest() {
    let site = Site::new();
    let runner = site.process(1, 10);
    site.world.gate.add_permits(2);
    let id = submitted(&runner, "panic").await;
    assert_eq!(runner.wait(&id).await.unwrap().status, JobStatus::Completed);
    assert_eq!(site.world.runs(&id), (0, 1, 2));
}

#[tokio::test(start_paused = true)]
async fn a_document_that_cannot_be_made_keeps_no_job_from_its_end() {
    let site = Site::new();
    let runner = site.process(1, 10);
    site.world.gate.add_permits(1);
    let id = submitted(&runner, "blot").await;
    let record = tokio::time::timeout(Duration::from_hours(1), runner.wait(&id)).await.expect("an end").unwrap();
    assert_eq!((record.status, &record.body["done"]), (JobStatus::Completed, &json!(true)));
}

/// How a job ends, and after how many runs; a day is more than any may take.
async fn ended(site: &Site, runner: &Runner, id: &JobId) -> (JobStatus, u32, String) {
    site.world.gate.add_permits(100);
    let ended = tokio::time::timeout(Duration::from_hours(24), runner.wait(id)).await;
    let record = ended.unwrap_or_else(|_| panic!("no end after {} runs", site.world.runs(id).2)).unwrap();
    (record.status, site.world.runs(id).2, record.body["error"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test(start_paused = true)]
async fn a_trade_that_always_panics_ends_its_job() {
    for (end, left) in [("panic-always", ""), ("panic-noting", "look at unit")] {
        let site = Site::new();
        let runner = site.process(1, 10);
        let mut updates = runner.updates();
        let id = submitted(&runner, end).await;
        let (status, runs, error) = ended(&site, &runner, &id).await;
        assert_eq!((status, runs), (JobStatus::Failed, 5), "{end}: {error}");
        assert!(error.contains("panicked in 5 runs") && error.contains("a defect"), "{error}");
        assert!(error.ends_with(left), "what it left is not named: {error}");
        let told = std::iter::from_fn(|| updates.try_recv().ok()).last().unwrap();
        assert_eq!((&told.id, told.status), (&id, JobStatus::Failed));
    }
}

/// Another process takes the count up where the first one left it.
#[tokio::test(start_paused = true)]
async fn panics_are_counted_across_processes() {
    let site = Site::new();
    let first = site.process(1, 10);
    let id = submitted(&first, "panic-always").await;
    site.world.gate.add_permits(3);
    site.until_inside(&id, 4).await;
    first.shutdown(Duration::from_secs(5)).await;
    let (status, runs, error) = ended(&site, &site.process(1, 10), &id).await;
    assert_eq!((status, runs), (JobStatus::Failed, 6), "the fourth was parked, the sixth is the fifth panic: {error}");
}

#[tokio::test(start_paused = true)]
async fn a_job_that_gets_on_between_its_panics_is_not_given_up() {
    let site = Site::new();
    let runner = site.process(1, 10);
    let id = submitted(&runner, "panic-onward").await;
    let (status, runs, error) = ended(&site, &runner, &id).await;
    assert_eq!((status, runs), (JobStatus::Completed, 8), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_job_that_had_begun_is_given_to_its_trade_to_take_back() {
    let site = Site::new();
    let dead = Claim { owner: "dead".to_owned(), span: Duration::from_secs(1) };
    let new = NewJob { kind: "gated".to_owned(), body: json!({}), created_at: site.clock.now() };
    // The process died between its first journal entry and saving `running`.
    let (job, lease) = site.store.create_held(new, &dead).await.unwrap();
    let entry = crate::NewEntry { unit: "u".into(), step: "s".into(), event: Event::Started, at: site.clock.now() };
    site.store.append(&job.id, entry, &lease).await.unwrap();
    site.store.request_cancel(&job.id).await.unwrap();
    let runner = site.process(1, 10);
    assert_eq!(runner.wait(&job.id).await.unwrap().status, JobStatus::Cancelled);
    assert_eq!(site.world.runs(&job.id).2, 1, "its trade ran, with the token set");
    let saved = site.until(&job.id, |job| job.status.is_final()).await;
    assert_eq!(saved.body["left"], "whole");
}

/// What a job that waits for somebody's word needs to hear.
async fn let_go(site: &Site, id: &JobId) {
    let mut job = site.store.get(id).await.unwrap().unwrap();
    job.body["held"] = json!(false);
    site.store.save(&job, None).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_held_job_begins_nowhere_until_it_is_let_go() {
    let site = Site::new();
    let (runner, other) = (site.process(1, 10), site.process(3, 10));
    site.world.gate.add_permits(10);
    let held = runner.submit("gated", json!({ "held": true })).await.unwrap().id;
    let later = submitted(&runner, "").await;
    assert_eq!(runner.wait(&later).await.unwrap().status, JobStatus::Completed, "it keeps no worker from others");
    site.clock.sleep(Duration::from_mins(5)).await;
    assert_eq!((site.world.runs(&held), other.active()), ((0, 0, 0), 0));
    let_go(&site, &held).await;
    assert_eq!(runner.wait(&held).await.unwrap().status, JobStatus::Completed);
    assert_eq!(site.world.runs(&held), (0, 1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_held_job_outlives_its_process_and_is_let_go_by_the_next() {
    let site = Site::new();
    let first = site.process(1, 10);
    site.world.gate.add_permits(10);
    let held = first.submit("gated", json!({ "held": true })).await.unwrap().id;
    first.shutdown(Duration::from_secs(1)).await;
    let next = site.process(1, 10);
    site.clock.sleep(Duration::from_mins(5)).await;
    let waiting = site.store.get(&held).await.unwrap().unwrap();
    assert_eq!((waiting.status, site.world.runs(&held)), (JobStatus::Pending, (0, 0, 0)));
    let_go(&site, &held).await;
    assert_eq!(next.wait(&held).await.unwrap().status, JobStatus::Completed);
}

#[tokio::test(start_paused = true)]
async fn a_held_job_that_was_handed_to_a_worker_all_the_same_is_put_back() {
    let site = Site::new();
    site.world.gate.add_permits(10);
    let dead = Claim { owner: "dead".to_owned(), span: Duration::from_secs(15) };
    let new = NewJob { kind: "gated".to_owned(), body: json!({ "held": true }), created_at: site.clock.now() };
    let (held, lease) = site.store.create_held(new, &dead).await.unwrap();
    let runner = site.process(1, 10);
    crate::worker::work(Arc::clone(&runner.0), held.id.clone(), lease, CancellationToken::new()).await;
    let put_back = site.store.get(&held.id).await.unwrap().unwrap();
    assert_eq!((put_back.status, put_back.version, site.world.runs(&held.id)), (JobStatus::Pending, 1, (0, 0, 0)));
}

#[tokio::test(start_paused = true)]
async fn a_held_job_is_cancelled_here_and_by_a_process_that_could_not_run_it() {
    let site = Site::new();
    let runner = site.process(1, 10);
    let held = runner.submit("gated", json!({ "held": true })).await.unwrap().id;
    runner.cancel(&held).await.unwrap();
    assert_eq!(runner.wait(&held).await.unwrap().status, JobStatus::Cancelled);
    let body = json!({ "held": true, "end": "foreign" });
    let orphan = NewJob { kind: "gated".to_owned(), body, created_at: site.clock.now() };
    let orphan = site.store.create(orphan).await.unwrap().id;
    site.store.request_cancel(&orphan).await.unwrap();
    let ended = tokio::time::timeout(Duration::from_hours(1), runner.wait(&orphan)).await.expect("an end").unwrap();
    assert_eq!(ended.status, JobStatus::Cancelled);
    assert_eq!((site.world.runs(&held), site.world.runs(&orphan)), ((0, 0, 0), (0, 0, 0)));
}

/// Whoever has the password of the one who asked is the process they asked: it keeps the job while it waits.
#[tokio::test(start_paused = true)]
async fn a_held_job_stays_with_its_maker_who_alone_can_run_it() {
    let site = Site::new();
    let (maker, _other) = (site.process(1, 10), site.process(3, 10));
    site.world.gate.add_permits(1);
    let held = maker.submit("gated", json!({ "held": true, "end": "foreign" })).await.unwrap().id;
    site.clock.sleep(Duration::from_mins(5)).await;
    let_go(&site, &held).await;
    let done = tokio::time::timeout(Duration::from_hours(1), maker.wait(&held)).await.expect("an end").unwrap();
    assert_eq!((done.status, site.world.runs(&held)), (JobStatus::Completed, (0, 1, 1)));
}
