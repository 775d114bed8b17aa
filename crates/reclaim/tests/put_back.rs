//! What was lowered for a rebuild is put back as the node is by then: promoted, without its channel, unable to start, away.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops loudly where it stands")]

mod bed;

use api::{JobStatus, RecycleConfig, RecycleJob, TableState};
use bed::{Hall, applier, caught, lowered};
use reclaim::{
    plan::{PlanOptions, plan},
    trade::TradeOptions,
};
use runtime::Clock;
use std::{sync::Arc, time::Duration};
use testkit::{Engine, Fleet, PASSWORD, Server};
use types::JobId;

/// The account of the jobs whose rights are changed in the middle.
const WORKER: &str = "worker";

/// A replica, and a job that copies its table while the applier stands still.
struct Bench {
    fleet: Fleet,
    hall: Hall,
    id: JobId,
    /// As it was before.
    whole: (String, String),
}

impl Bench {
    /// Up to the moment at which the statement runs.
    async fn start(engine: Engine) -> Self {
        Self::with(engine, 1, TradeOptions::default()).await
    }

    /// The same, planned from one of the fleet's members.
    async fn with(engine: Engine, from: usize, options: TradeOptions) -> Self {
        let fleet = fleet(engine).await;
        let whole = lowered(&fleet.servers[1]).await;
        let hall = Hall::with(Arc::default(), options);
        let id = hall.submit_plan(planned(&fleet.servers[from]).await).await;
        caught(&fleet.servers[1]).await;
        let bench = Self { fleet, hall, id, whole };
        assert_eq!(applier(bench.replica()).await, "No");
        bench
    }

    fn replica(&self) -> &Server {
        &self.fleet.servers[1]
    }

    /// The tool dies; the statement lives on.
    async fn die(&self) {
        self.hall.runner.shutdown(Duration::ZERO).await;
    }

    /// The next process over the same store.
    fn revive(&mut self, options: TradeOptions) {
        self.hall = Hall::with(self.hall.store.clone(), options);
    }

    async fn finished(&self) -> RecycleJob {
        self.hall.finished(&self.id).await
    }

    /// Somebody reads the table: the statement gets to its last moment, and waits there.
    async fn reader(&self) -> mysql::Session {
        let mut reader = self.replica().session().await;
        reader.run("BEGIN").await.expect("begin");
        reader.run("SELECT * FROM shop.orders LIMIT 1").await.expect("a lock");
        reader
    }

    /// Both have the same rows; the replica's applier need not run for it.
    async fn same_rows(&self) {
        let [primary, replica] = [&self.fleet.servers[0], &self.fleet.servers[1]];
        assert_eq!(bed::checksum(replica, "shop.orders").await, bed::checksum(primary, "shop.orders").await);
    }
}

/// One replica, read-only with all it has, and an account for jobs alone.
async fn fleet(engine: Engine) -> Fleet {
    let fleet = bed::sturdy(engine, 1, 100_000).await;
    let create = format!("CREATE USER '{WORKER}'@'%' IDENTIFIED BY '{PASSWORD}'");
    let grant = format!("GRANT ALL PRIVILEGES ON *.* TO '{WORKER}'@'%'");
    fleet.primary().run(&[&create, &grant]).await;
    fleet.catch_up(1, 0).await;
    fleet
}

async fn planned(from: &Server) -> api::Plan {
    let mut config: RecycleConfig = bed::config(from);
    config.target.username = WORKER.to_owned();
    let made = plan(&from.endpoint(), &config, &PlanOptions::default(), &Clock::real()).await.expect("a plan");
    bed::copying(made)
}

/// True if a note of the job says so, of the replica.
fn says(job: &RecycleJob, replica: &Server, text: &str) -> bool {
    let head = format!("{}: ", replica.address());
    job.notes.iter().any(|note| note.starts_with(&head) && note.contains(text))
}

/// `read_only`, and `super_read_only` where there is one.
async fn read_only(server: &Server) -> String {
    let read_only = server.value("SELECT @@GLOBAL.read_only").await;
    match server.engine() {
        Engine::MariaDb => read_only,
        Engine::MySql => format!("{read_only}/{}", server.value("SELECT @@GLOBAL.super_read_only").await),
    }
}

/// What a server says that takes writes.
fn writable(engine: Engine) -> &'static str {
    if engine == Engine::MySql { "0/0" } else { "0" }
}

/// Somebody makes the node the primary while its applier is stopped: it stays as that one left it.
async fn promoted(engine: Engine, tool_dies: bool) {
    let mut bench = Bench::start(engine).await;
    if tool_dies {
        bench.die().await;
    }
    // It cannot end as if nothing had happened before the node is promoted.
    let reader = bench.reader().await;
    bench.replica().run(&["SET GLOBAL read_only = 0"]).await;
    if tool_dies {
        bench.revive(TradeOptions::default());
    }
    let job = bench.finished().await;
    reader.close().await;
    assert_eq!((job.status, job.error_code), (JobStatus::Failed, 1004), "{job:#?}");
    assert_eq!((read_only(bench.replica()).await.as_str(), &*applier(bench.replica()).await), (writable(engine), "No"));
    assert!(says(&job, bench.replica(), "read_only is OFF now, so its applier was left stopped"), "{:?}", job.notes);
    if engine == Engine::MySql {
        assert!(says(&job, bench.replica(), "so super_read_only was left OFF as well"), "{:?}", job.notes);
    }
    bench.same_rows().await;
}

#[tokio::test]
async fn a_node_promoted_in_the_middle_is_left_as_it_was_made() {
    bed::on_each(|engine| promoted(engine, false)).await;
}

#[tokio::test]
async fn a_node_promoted_while_the_tool_was_dead_is_left_as_it_was_made() {
    bed::on_each(|engine| promoted(engine, true)).await;
}

/// Somebody takes its channel away, the first half of a promotion: `super_read_only` would be in the way of the second.
async fn channel_is_gone(engine: Engine, tool_dies: bool) {
    let mut bench = Bench::start(engine).await;
    if tool_dies {
        bench.die().await;
    }
    let reader = bench.reader().await;
    bench.replica().run(&["STOP REPLICA", "RESET REPLICA ALL"]).await;
    reader.close().await;
    if tool_dies {
        bench.revive(TradeOptions::default());
    }
    let told =
        |job: &RecycleJob| says(job, bench.replica(), "its channel '' is gone, so no applier was started for it");
    // Whether the statement could still be ended in time or not, all that was lowered is handled.
    let job = bench.hall.until(&bench.id, told).await;
    assert_eq!(applier(bench.replica()).await, "none");
    let expected = if engine == Engine::MySql { "1/0" } else { "1" };
    assert_eq!(read_only(bench.replica()).await, expected);
    if engine == Engine::MySql {
        let why = "it has no inbound channel any more, so super_read_only was left OFF as well";
        assert!(says(&job, bench.replica(), why), "{:?}", job.notes);
    }
    let job = bench.finished().await;
    assert!(job.status.is_final(), "{job:#?}");
    bench.same_rows().await;
}

#[tokio::test]
async fn a_node_whose_channel_was_removed_is_not_kept_from_its_promotion() {
    bed::on_each(|engine| channel_is_gone(engine, false)).await;
}

#[tokio::test]
async fn a_channel_removed_while_the_tool_was_dead_is_not_missed() {
    bed::on_each(|engine| channel_is_gone(engine, true)).await;
}

/// A process that gives up a node soon.
fn impatient() -> TradeOptions {
    TradeOptions { away_limit: Duration::from_secs(1), ..TradeOptions::default() }
}

/// The rights that `START` of an applier needs.
fn rights(engine: Engine) -> &'static str {
    match engine {
        Engine::MySql => "REPLICATION_SLAVE_ADMIN, SUPER",
        Engine::MariaDb => "REPLICATION SLAVE ADMIN, SUPER",
    }
}

/// Takes the right to start an applier from the job's account, as long as the statement runs and `super_read_only` is lowered.
async fn revoke_start(bench: &Bench, engine: Engine) {
    let revoke = format!("REVOKE {} ON *.* FROM '{WORKER}'@'%'", rights(engine));
    bench.replica().run(&["SET SESSION sql_log_bin = 0", &revoke]).await;
}

/// Gives it back while no tool runs, which would put `super_read_only` back under our hands.
async fn grant_start(bench: &Bench, engine: Engine) {
    let grant = format!("GRANT {} ON *.* TO '{WORKER}'@'%'", rights(engine));
    let statements = ["SET SESSION sql_log_bin = 0", &grant];
    match engine {
        Engine::MariaDb => bench.replica().run(&statements).await,
        Engine::MySql => {
            bench.replica().run(&["SET GLOBAL super_read_only = 0"]).await;
            bench.replica().run(&statements).await;
            bench.replica().run(&["SET GLOBAL super_read_only = 1"]).await;
        }
    }
}

/// The applier cannot be started: the job does not end, tries on, and says what it waits for.
async fn cannot_start(engine: Engine) {
    let mut bench = Bench::with(engine, 1, impatient()).await;
    revoke_start(&bench, engine).await;
    let waits = format!("{}: waiting to go on: ", bench.replica().address());
    let told = |job: &RecycleJob| job.notes.iter().any(|note| note.starts_with(&waits) && note.contains("denied"));
    bench.hall.until(&bench.id, told).await;
    bed::until("the run is given up", 0, async || bench.hall.runner.active()).await;
    assert_eq!(applier(bench.replica()).await, "No");
    bench.die().await;
    grant_start(&bench, engine).await;
    bench.revive(impatient());
    let job = bench.finished().await;
    assert_eq!(job.status, JobStatus::Completed, "{job:#?}");
    assert!(!job.notes.iter().any(|note| note.contains("waiting to go on")), "{:?}", job.notes);
    assert_eq!(lowered(bench.replica()).await, bench.whole);
    bed::same_rows(&bench.fleet, "shop.orders").await;
}

#[tokio::test]
async fn an_applier_that_cannot_be_started_keeps_the_job_open() {
    bed::on_each(cannot_start).await;
}

/// The same, and the job is asked to stop: it ends after a while, and says what is to be done by hand.
async fn cannot_start_and_is_cancelled(engine: Engine) {
    let options = TradeOptions { cancel_limit: Duration::from_secs(2), ..impatient() };
    let bench = Bench::with(engine, 1, options).await;
    revoke_start(&bench, engine).await;
    bench.hall.runner.cancel(&bench.id).await.expect("it can be cancelled");
    let job = bench.finished().await;
    assert_eq!(job.status, JobStatus::Cancelled, "{job:#?}");
    let result = &job.statistics.tables_processed[0];
    assert_eq!(result.state, TableState::Cancelled, "{result:#?}");
    assert!(job.notes.iter().any(|note| note.contains("start the applier of channel ''")), "{:?}", job.notes);
    assert_eq!(applier(bench.replica()).await, "No");
    bench.same_rows().await;
}

#[tokio::test]
async fn a_cancelled_job_tells_which_applier_it_left_stopped() {
    bed::on_each(cannot_start_and_is_cancelled).await;
}

/// The tool and the server die, and the server stays away for longer than it is waited for. Planned from the primary the job
/// knows its fleet without it, planned from itself it does not.
async fn away_for_long(engine: Engine, from: usize) {
    let mut bench = Bench::with(engine, from, TradeOptions::default()).await;
    bench.die().await;
    bench.fleet.servers[1].kill();
    bench.revive(impatient());
    let waits = format!("{}: waiting to go on: ", bench.replica().address());
    bench.hall.until(&bench.id, |job| job.notes.iter().any(|note| note.starts_with(&waits))).await;
    bed::until("the run is given up", 0, async || bench.hall.runner.active()).await;
    bench.fleet.servers[1].restart().await;
    let job = bench.finished().await;
    assert_eq!(job.status, JobStatus::Completed, "{job:#?}");
    assert_eq!(applier(bench.replica()).await, "Yes");
    bed::same_rows(&bench.fleet, "shop.orders").await;
}

#[tokio::test]
async fn a_server_away_for_longer_than_the_limit_is_gone_on_with() {
    bed::on_each(|engine| away_for_long(engine, 0)).await;
}

#[tokio::test]
async fn a_target_away_for_longer_than_the_limit_is_gone_on_with() {
    bed::on_each(|engine| away_for_long(engine, 1)).await;
}
