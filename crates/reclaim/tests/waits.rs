//! S10, whole jobs: what a gate waits for is waited for, and the job goes on by itself once it may.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops loudly where it stands")]

mod bed;

use api::{GateVerdict, JobStatus, RecycleConfig, RecycleJob, TableState};
use bed::Hall;
use jiff::{SignedDuration, tz::TimeZone};
use reclaim::{
    Ledger,
    gates::{budget::Budget, window::Window},
    plan::{PlanOptions, plan},
    trade::TradeOptions,
};
use runtime::Clock;
use std::{sync::Arc, time::Duration};
use testkit::{Engine, Fleet, Heart, Server};
use topology::Heartbeat;
use types::TableName;

/// Seconds by which a replica applies late.
async fn delay(fleet: &Fleet, seconds: u32) {
    let replica = &fleet.servers[1];
    match replica.engine() {
        Engine::MariaDb => {
            replica.run(&["STOP SLAVE", &format!("CHANGE MASTER TO MASTER_DELAY = {seconds}"), "START SLAVE"]).await;
        }
        Engine::MySql => {
            let change = format!("CHANGE REPLICATION SOURCE TO SOURCE_DELAY = {seconds}");
            replica.run(&["STOP REPLICA SQL_THREAD", &change, "START REPLICA SQL_THREAD"]).await;
        }
    }
}

/// Waits until a replica says itself that it is behind.
async fn late(replica: &Server) {
    let mut session = replica.session().await;
    for _ in 0..1200 {
        let row = session.row("SHOW REPLICA STATUS").await.expect("the status").expect("a replica");
        let behind = row.first(&["Seconds_Behind_Source", "Seconds_Behind_Master"]);
        if behind.and_then(|text| text.parse::<u64>().ok()).is_some_and(|seconds| seconds > 3) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the replica is not behind");
}

async fn lag_is_waited_for(engine: Engine) {
    let fleet = bed::wasteful(engine, 1, 20_000).await;
    fleet.primary().run(&["CREATE TABLE shop.beats (id INT AUTO_INCREMENT PRIMARY KEY)"]).await;
    fleet.catch_up(1, 0).await;
    delay(&fleet, 600).await;
    fleet.primary().run(&["INSERT INTO shop.beats VALUES ()"]).await;
    late(&fleet.servers[1]).await;
    let hall = Hall::new();
    let config = RecycleConfig { max_lag: 1.0, ..bed::config(&fleet.servers[1]) };
    let id = hall.submit(&fleet.servers[1], config).await;
    hall.until(&id, |job| job.progress.phase.starts_with("waiting: lag")).await;
    delay(&fleet, 0).await;
    let job = hall.finished(&id).await;
    assert_eq!((job.status, job.progress.failed_tables), (JobStatus::Completed, 0), "{job:#?}");
    bed::same_rows(&fleet, "shop.orders").await;
}

#[tokio::test]
async fn s10_lag_is_waited_for() {
    bed::on_each(lag_is_waited_for).await;
}

/// Nothing is wrong with the channel; the heartbeat alone says that nothing comes any more.
async fn a_heartbeat_that_stands_still_is_waited_for(engine: Engine) {
    let fleet = bed::wasteful(engine, 1, 20_000).await;
    let replica = &fleet.servers[1];
    let table = TableName::new("percona", "heartbeat");
    let heartbeat = Some(Heartbeat { table, utc: true, roots: Vec::new() });
    let config = RecycleConfig { max_lag: 5.0, ..bed::config(replica) };
    let hall = Hall::with(Arc::default(), TradeOptions { heartbeat: heartbeat.clone(), ..TradeOptions::default() });
    let id = hall.submit(replica, config.clone()).await;
    hall.until(&id, |job| job.progress.phase.contains("cannot be read")).await;
    // The last beat was an hour ago.
    let id_of = fleet.primary().value("SELECT @@server_id").await;
    let old = format!(
        "INSERT INTO percona.heartbeat (ts, server_id) \
         VALUES (DATE_FORMAT(UTC_TIMESTAMP(6) - INTERVAL 1 HOUR, '%Y-%m-%dT%H:%i:%s.%f'), {id_of})"
    );
    fleet.primary().run(&["CREATE DATABASE percona", testkit::HEARTBEAT, &old]).await;
    hall.until(&id, |job| job.progress.phase.contains("heartbeat in `percona`.`heartbeat` is")).await;
    let options = PlanOptions { heartbeat, ..PlanOptions::default() };
    let planned = plan(&replica.endpoint(), &config, &options, &Clock::real()).await.expect("a plan");
    let lag = planned.nodes[0].gates.iter().find(|gate| gate.name == "lag").expect("the gate");
    let GateVerdict::Wait { reason } = &lag.verdict else { panic!("{lag:?}") };
    assert!(reason.contains("s old"), "{reason}");
    let heart = Heart::start(fleet.primary()).await;
    let job = hall.finished(&id).await;
    assert_eq!((job.status, job.progress.failed_tables), (JobStatus::Completed, 0), "{job:#?}");
    drop(heart);
}

#[tokio::test]
async fn s10_a_heartbeat_that_stands_still_is_waited_for() {
    bed::on_each(a_heartbeat_that_stands_still_is_waited_for).await;
}

/// From so many hours from now to so many.
fn window(from: i64, to: i64) -> TradeOptions {
    let now = Clock::real().now().to_zoned(TimeZone::UTC).time();
    let at = |hours| now.wrapping_add(SignedDuration::from_hours(hours));
    TradeOptions { window: Some(Window { start: at(from), end: at(to) }), ..TradeOptions::default() }
}

async fn the_window_is_kept(engine: Engine) {
    let fleet = bed::wasteful(engine, 1, 20_000).await;
    let replica = &fleet.servers[1];
    let before = replica.file_bytes("shop/orders.ibd");
    let mut hall = Hall::with(Arc::default(), window(2, 4));
    let id = hall.submit(replica, bed::config(replica)).await;
    hall.until(&id, |job| job.progress.phase.contains("outside the maintenance window")).await;
    assert_eq!(replica.file_bytes("shop/orders.ibd"), before);
    // The night comes: another process takes the job up inside the window.
    hall.runner.shutdown(Duration::ZERO).await;
    hall = Hall::with(hall.store.clone(), window(-2, 4));
    let job = hall.finished(&id).await;
    assert_eq!(job.status, JobStatus::Completed, "{job:#?}");
    assert!(replica.file_bytes("shop/orders.ibd") < before);
}

#[tokio::test]
async fn s10_the_window_is_kept() {
    bed::on_each(the_window_is_kept).await;
}

fn budget(bytes_per_hour: Option<u64>, minutes_per_day: Option<u64>) -> TradeOptions {
    TradeOptions { budget: Budget { bytes_per_hour, minutes_per_day }, ..TradeOptions::default() }
}

/// Tables that are rebuilt.
fn done(job: &RecycleJob) -> Vec<&str> {
    let results = job.statistics.tables_processed.iter();
    results.filter(|result| result.state == TableState::Done).map(|result| result.table.as_str()).collect()
}

fn waits_for_budget(job: &RecycleJob) -> bool {
    job.progress.phase.starts_with("waiting: budget")
}

/// A primary and a replica with two tables to rebuild.
async fn two_tables(engine: Engine) -> Fleet {
    let fleet = bed::fleet(engine, 1).await;
    for table in ["orders", "parcels"] {
        bed::fill(fleet.primary(), "shop", table, 20_000, "").await;
        bed::scatter(fleet.primary(), "shop", table).await;
    }
    fleet.catch_up(1, 0).await;
    fleet.servers[1].settled().await;
    fleet
}

async fn a_spent_budget_is_waited_for(engine: Engine) {
    let fleet = two_tables(engine).await;
    let replica = &fleet.servers[1];
    // Nothing leaks out that could be seen: the second table finds the first one's bytes, whoever runs the job.
    let mut hall = Hall::with(Arc::default(), budget(Some(1024), None));
    let id = hall.submit(replica, bed::config(replica)).await;
    let job = hall.until(&id, waits_for_budget).await;
    assert_eq!(done(&job).len(), 1, "{job:#?}");
    hall.runner.shutdown(Duration::ZERO).await;
    hall = Hall::with(hall.store.clone(), budget(Some(1024), None));
    hall.until(&id, |job| waits_for_budget(job) && done(job).len() == 1).await;
    // Another job, too, and its plan says so.
    let options = PlanOptions {
        budget: Budget { bytes_per_hour: Some(1024), minutes_per_day: None },
        ledger: Some(Arc::new(Ledger::new(hall.store.clone(), Clock::real()))),
        ..PlanOptions::default()
    };
    let shown = plan(&replica.endpoint(), &bed::config(replica), &options, &Clock::real()).await.expect("a plan");
    let gates = shown.nodes[0].gates.iter().chain(shown.work().flat_map(|table| &table.gates));
    let of_budget: Vec<_> = gates.filter(|gate| gate.name == "budget").map(|gate| &gate.verdict).collect();
    assert!(of_budget.len() > 1, "{shown:#?}");
    assert!(of_budget.iter().all(|verdict| matches!(verdict, GateVerdict::Wait { .. })), "{of_budget:?}");
    // A larger budget, beside which what was spent leaves room.
    hall.runner.shutdown(Duration::ZERO).await;
    hall = Hall::with(hall.store.clone(), budget(Some(1 << 30), None));
    let job = hall.finished(&id).await;
    assert_eq!((job.status, done(&job).len()), (JobStatus::Completed, 2), "{job:#?}");
    bed::same_rows(&fleet, "shop.orders").await;
    bed::same_rows(&fleet, "shop.parcels").await;
}

#[tokio::test]
async fn a_budget_of_bytes_is_kept_across_processes() {
    bed::on_each(a_spent_budget_is_waited_for).await;
}

async fn an_earlier_job_has_spent_it(engine: Engine) {
    let fleet = two_tables(engine).await;
    let replica = &fleet.servers[1];
    let only = |table: &str| RecycleConfig { tables: vec![table.to_owned()], ..bed::config(replica) };
    let mut hall = Hall::with(Arc::default(), budget(Some(1024), None));
    let job = hall.run(replica, only("orders")).await;
    assert_eq!(job.status, JobStatus::Completed, "{job:#?}");
    let before = replica.file_bytes("shop/parcels.ibd");
    let id = hall.submit(replica, only("parcels")).await;
    hall.until(&id, waits_for_budget).await;
    assert_eq!(replica.file_bytes("shop/parcels.ibd"), before);
    // The same by the clock: a day whose minutes are enough for it lets it begin.
    hall.runner.shutdown(Duration::ZERO).await;
    hall = Hall::with(hall.store.clone(), budget(None, Some(1440)));
    let job = hall.finished(&id).await;
    assert_eq!(job.status, JobStatus::Completed, "{job:#?}");
    assert!(replica.file_bytes("shop/parcels.ibd") < before);
}

#[tokio::test]
async fn what_an_earlier_job_spent_counts() {
    bed::on_each(an_earlier_job_has_spent_it).await;
}
