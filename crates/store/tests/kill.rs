//! `kill -9` at random moments of real processes on one SQLite file: nothing done is lost, nothing is done twice, and
//! the file stays whole.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops loudly where it stands")]

mod support;

use api::JobStatus;
use async_trait::async_trait;
use jobs::{Event, JobFilter, JobStore, Step, StepContext, StepError, Store};
use runtime::{Clock, Random};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};
use support::Units;
use tempfile::TempDir;

/// Set in the worker process: the directory it works in.
const HOME: &str = "DRYDOCK_TEST_KILL_HOME";
const JOBS: usize = 3;
const UNITS: usize = 12;
/// Workers killed before the last one may finish.
const KILLS: u64 = 25;

/// The world outside the store: one file per effect, so that an effect comes about in one step or not at all.
#[derive(Clone)]
struct World(PathBuf);

impl World {
    fn file(&self, what: &str, ctx: &StepContext<'_>) -> PathBuf {
        self.0.join(format!("{what}-{}-{}", ctx.job(), ctx.unit()))
    }
}

/// Lowers a setting; its marker file stands while it is lowered.
struct Arm(World);

#[async_trait]
impl Step for Arm {
    fn name(&self) -> &'static str {
        "arm"
    }

    async fn act(&self, ctx: &StepContext<'_>) -> Result<Value, StepError> {
        if ctx.notes().is_empty() {
            ctx.note(json!("was on")).await?;
        }
        fs::write(self.0.file("lowered", ctx), "").unwrap();
        Ok(ctx.notes()[0].clone())
    }

    async fn undo(&self, ctx: &StepContext<'_>) -> Result<(), StepError> {
        let _ = fs::remove_file(self.0.file("lowered", ctx));
        Ok(())
    }
}

/// Rebuilds once: the effect can be found again, as a table's new file can.
struct Rebuild(World);

#[async_trait]
impl Step for Rebuild {
    fn name(&self) -> &'static str {
        "rebuild"
    }

    async fn act(&self, ctx: &StepContext<'_>) -> Result<Value, StepError> {
        ctx.clock().sleep(Duration::from_millis(2)).await;
        fs::write(self.0.file("rebuilt", ctx), "").unwrap();
        Ok(json!(null))
    }

    async fn undo(&self, _: &StepContext<'_>) -> Result<(), StepError> {
        Ok(())
    }
}

struct Restore(World);

#[async_trait]
impl Step for Restore {
    fn name(&self) -> &'static str {
        "restore"
    }

    async fn act(&self, ctx: &StepContext<'_>) -> Result<Value, StepError> {
        assert_eq!(ctx.output("arm"), Some(json!("was on")));
        let _ = fs::remove_file(self.0.file("lowered", ctx));
        Ok(json!(null))
    }

    async fn undo(&self, _: &StepContext<'_>) -> Result<(), StepError> {
        Ok(())
    }
}

fn steps(world: &World) -> Vec<Box<dyn Step>> {
    vec![Box::new(Arm(world.clone())), Box::new(Rebuild(world.clone())), Box::new(Restore(world.clone()))]
}

/// Not a test of its own: what the test below starts and kills.
#[tokio::test(flavor = "multi_thread")]
async fn worker() {
    let Some(home) = std::env::var_os(HOME).map(PathBuf::from) else { return };
    let store: Arc<dyn Store> = store::open(home.join("jobs.db").to_str().unwrap(), None).await.unwrap();
    let world = World(home);
    let units = Units::new(UNITS, move || steps(&world));
    let runner = units.work(store, support::options(2, Duration::from_millis(300)));
    for id in names() {
        runner.wait(&id).await.unwrap();
    }
    runner.shutdown(Duration::from_secs(5)).await;
}

fn names() -> impl Iterator<Item = types::JobId> {
    (1..=JOBS as u64).map(|n| types::JobId::of_day("20261121", n))
}

fn start_worker(home: &Path) -> Child {
    let program = std::env::current_exe().unwrap();
    let mut command = Command::new(program);
    command.args(["--exact", "worker", "--nocapture"]).env(HOME, home).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().unwrap()
}

async fn written(store: &dyn Store) -> usize {
    let mut entries = 0;
    for id in names() {
        entries += store.journal(&id).await.unwrap().len();
    }
    entries
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_or_done_twice_however_often_workers_are_killed() {
    let home = TempDir::new().unwrap();
    let file = home.path().join("jobs.db");
    let store = store::open(file.to_str().unwrap(), None).await.unwrap();
    let created_at = "2026-11-21T10:00:00Z".parse().unwrap();
    for _ in 0..JOBS {
        let new = jobs::NewJob { kind: "recycle".to_owned(), body: json!({}), created_at };
        JobStore::create(store.as_ref(), new).await.unwrap();
    }
    let (random, clock) = (Random::real(), Clock::real());
    // Two at once: they contend for the jobs, and one sees the other die.
    let mut interrupted = 0;
    let mut workers = [start_worker(home.path()), start_worker(home.path())];
    for round in 0..KILLS {
        // At least one more entry, so that every round gets somewhere, and then any moment after it.
        let before = written(store.as_ref()).await;
        while written(store.as_ref()).await == before && !all_done(store.as_ref()).await {
            clock.sleep(Duration::from_millis(1)).await;
        }
        clock.sleep(Duration::from_micros(random.below(15_000))).await;
        interrupted += u32::from(!all_done(store.as_ref()).await);
        let victim = &mut workers[usize::try_from(round % 2).unwrap()];
        victim.kill().unwrap();
        victim.wait().unwrap();
        *victim = start_worker(home.path());
    }
    for worker in &mut workers {
        assert!(worker.wait().unwrap().success());
    }
    eprintln!("{interrupted} of {KILLS} kills met work under way");
    assert!(interrupted >= 3, "the kills came too late to mean anything");
    check_journals(store.as_ref()).await;
    check_world(home.path());
    store.close().await;
    check_file(&file).await;
}

async fn all_done(store: &dyn Store) -> bool {
    let done = JobFilter { statuses: vec![JobStatus::Completed], limit: 0, offset: 0 };
    store.list(&done).await.unwrap().total == JOBS as u64
}

/// Each job is completed, its numbers have no gap, and each step of each unit is started and done exactly once.
async fn check_journals(store: &dyn Store) {
    for id in names() {
        let job = store.get(&id).await.unwrap().unwrap();
        assert_eq!((job.status, job.progress, &job.body["units"]), (JobStatus::Completed, 100.0, &json!(UNITS)));
        let journal = store.journal(&id).await.unwrap();
        support::numbered(&journal);
        let mut events: BTreeMap<(String, String), Vec<&str>> = BTreeMap::new();
        for entry in &journal {
            let word = match entry.event {
                Event::Started => "started",
                Event::Noted(_) => "noted",
                Event::Done(_) => "done",
                ref other => panic!("{other:?}"),
            };
            events.entry((entry.unit.clone(), entry.step.clone())).or_default().push(word);
        }
        assert_eq!(events.len(), UNITS * 3);
        for ((unit, step), words) in events {
            let wanted: &[&str] = if step == "arm" { &["started", "noted", "done"] } else { &["started", "done"] };
            assert_eq!(words, wanted, "{id} {unit} {step}");
        }
        assert!(journal.is_sorted_by(|a, b| a.unit <= b.unit), "units of a job run in order");
    }
}

/// Every table was rebuilt, and no setting is left lowered.
fn check_world(home: &Path) {
    let names = fs::read_dir(home).unwrap().map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    let names: Vec<String> = names.collect();
    let of = |what: &str| names.iter().filter(|name| name.starts_with(what)).count();
    assert_eq!((of("rebuilt"), of("lowered")), (JOBS * UNITS, 0), "{names:?}");
}

async fn check_file(file: &Path) {
    use sqlx::{Connection, Row};
    sqlx::any::install_default_drivers();
    let mut connection = sqlx::AnyConnection::connect(&format!("sqlite://{}", file.display())).await.unwrap();
    let verdict = sqlx::query("PRAGMA integrity_check").fetch_one(&mut connection).await.unwrap();
    assert_eq!(verdict.get::<String, _>(0), "ok");
}
