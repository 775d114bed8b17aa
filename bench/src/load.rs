//! A steady write load on a primary, and the lag of every member seen through a heartbeat row.

use hdrhistogram::Histogram;
use mysql::{Endpoint, Session};
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::task::JoinHandle;

/// A running load; [`Load::stop`] ends it and tells what was seen.
pub struct Load {
    stop: Arc<AtomicBool>,
    writes: Arc<AtomicU64>,
    lags: Vec<Arc<Mutex<Histogram<u64>>>>,
    tasks: Vec<JoinHandle<()>>,
}

/// What the load saw: writes committed, and each watched member's lag in milliseconds.
pub struct Seen {
    /// Transactions committed on the primary.
    pub writes: u64,
    /// One histogram per watched member, in the order given.
    pub lags: Vec<Histogram<u64>>,
}

/// Creates the tables the load works on.
pub async fn prepare(primary: &Endpoint) {
    let mut session = Session::connect(primary).await.unwrap();
    for statement in [
        "CREATE DATABASE IF NOT EXISTS bench_load",
        "CREATE TABLE IF NOT EXISTS bench_load.heartbeat (id INT PRIMARY KEY, at_ms BIGINT NOT NULL)",
        "REPLACE INTO bench_load.heartbeat VALUES (1, ROUND(UNIX_TIMESTAMP(NOW(3)) * 1000))",
        "CREATE TABLE IF NOT EXISTS bench_load.rows_in (id BIGINT AUTO_INCREMENT PRIMARY KEY, k INT, pad VARCHAR(200), KEY (k))",
    ] {
        session.run(statement).await.unwrap();
    }
    session.close().await;
}

/// Starts `per_second` small transactions on the primary, a heartbeat every 50 ms, and a watcher per member. Every other
/// transaction is an insert elsewhere, the rest change one row each of `table` (`id` below `ids`), which is being rebuilt.
pub fn start(primary: &Endpoint, watched: &[Endpoint], per_second: u64, table: &'static str, ids: u64) -> Load {
    let (stop, writes) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let mut tasks = vec![
        tokio::spawn(beat(primary.clone(), stop.clone())),
        tokio::spawn(write(primary.clone(), per_second, (table, ids), stop.clone(), writes.clone())),
    ];
    let mut lags = Vec::new();
    for endpoint in watched {
        let lag = Arc::new(Mutex::new(Histogram::new(3).unwrap()));
        lags.push(lag.clone());
        tasks.push(tokio::spawn(watch(endpoint.clone(), stop.clone(), lag)));
    }
    Load { stop, writes, lags, tasks }
}

impl Load {
    /// Ends the load.
    pub async fn stop(self) -> Seen {
        self.stop.store(true, Ordering::Relaxed);
        for task in self.tasks {
            task.await.unwrap();
        }
        let lags = self.lags.iter().map(|lag| lag.lock().unwrap().clone()).collect();
        Seen { writes: self.writes.load(Ordering::Relaxed), lags }
    }
}

async fn beat(primary: Endpoint, stop: Arc<AtomicBool>) {
    let mut session = Session::connect(&primary).await.unwrap();
    let mut tick = tokio::time::interval(Duration::from_millis(50));
    while !stop.load(Ordering::Relaxed) {
        tick.tick().await;
        let update = "UPDATE bench_load.heartbeat SET at_ms = ROUND(UNIX_TIMESTAMP(NOW(3)) * 1000) WHERE id = 1";
        session.run(update).await.unwrap();
    }
}

async fn write(
    primary: Endpoint,
    per_second: u64,
    (table, ids): (&'static str, u64),
    stop: Arc<AtomicBool>,
    writes: Arc<AtomicU64>,
) {
    let mut session = Session::connect(&primary).await.unwrap();
    let mut tick = tokio::time::interval(Duration::from_micros(1_000_000 / per_second.max(1)));
    while !stop.load(Ordering::Relaxed) {
        tick.tick().await;
        let count = writes.fetch_add(1, Ordering::Relaxed);
        let statement = if count.is_multiple_of(2) {
            format!("INSERT INTO bench_load.rows_in (k, pad) VALUES ({}, REPEAT('x', 180))", count % 1000)
        } else {
            // A stride prime to the number of ids comes by everywhere.
            format!("UPDATE {table} SET k = k + 1 WHERE id = {}", count * 7919 % ids)
        };
        session.run(&statement).await.unwrap();
    }
}

/// One clock serves all: every member runs on this machine.
async fn watch(member: Endpoint, stop: Arc<AtomicBool>, lag: Arc<Mutex<Histogram<u64>>>) {
    let mut session = Session::connect(&member).await.unwrap();
    let mut tick = tokio::time::interval(Duration::from_millis(50));
    let read =
        "SELECT GREATEST(0, ROUND(UNIX_TIMESTAMP(NOW(3)) * 1000) - at_ms) FROM bench_load.heartbeat WHERE id = 1";
    while !stop.load(Ordering::Relaxed) {
        tick.tick().await;
        if let Ok(Some(text)) = session.value(read).await {
            lag.lock().unwrap().record(text.parse().unwrap_or(0)).unwrap();
        }
    }
}
