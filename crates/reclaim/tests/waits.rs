//! S10, whole jobs: what a gate waits for is waited for, and the job goes on by itself once it may.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops loudly where it stands")]

mod bed;

use api::{JobStatus, RecycleConfig};
use bed::Hall;
use jiff::{SignedDuration, tz::TimeZone};
use reclaim::{gates::window::Window, trade::TradeOptions};
use runtime::Clock;
use std::{sync::Arc, time::Duration};
use testkit::{Engine, Fleet, Server};

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
