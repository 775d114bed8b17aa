//! How fast a store of 10,000 jobs answers what `GET /jobs` asks, on SQLite and on every server to be had.
//!
//! `cargo run --release -p bench --bin jobs_10000 [-- --small]`
#![allow(
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    reason = "a measuring program stops loudly and prints figures for people"
)]

use api::JobStatus;
use bench::{table, year};
use jobs::{JobFilter, Store};
use runtime::Clock;
use std::{sync::Arc, time::Duration};
use store::Mirror;
use testkit::{Engine, Options, PASSWORD, Postgres, Server, USER};

const HEADS: &[&str] = &["store", "call", "p50 ms", "p99 ms", "max ms"];
const CALLS: usize = 100;

#[tokio::main]
async fn main() {
    let home = tempfile::tempdir().unwrap();
    let mut rows = measure("SQLite", home.path().join("jobs.db").to_str().unwrap()).await;
    table::print(&format!("{} jobs in SQLite", year::jobs()), HEADS, &rows);
    for engine in Engine::available() {
        let server = Server::start(engine, Options::default()).await;
        server.run(&["CREATE DATABASE drydock_jobs"]).await;
        let url = format!("mysql://{USER}:{PASSWORD}@{}/drydock_jobs", server.address());
        rows.extend(measure(engine.name(), &url).await);
    }
    if Postgres::is_available() {
        let server = Postgres::start().await;
        rows.extend(measure("PostgreSQL", &server.database("drydock_jobs")).await);
    }
    table::print(&format!("{} jobs in the store", year::jobs()), HEADS, &rows);
}

async fn measure(name: &str, place: &str) -> Vec<Vec<String>> {
    let store: Arc<dyn Store> = store::open(place, None).await.unwrap();
    let clock = Clock::real();
    let start = clock.instant();
    year::fill(&store, "recycle", status).await;
    let commits = format!("{:.2}", clock.since(start).as_secs_f64() * 1e3 / (2.0 * year::jobs() as f64));
    eprintln!("{name}: filled, {commits} ms per commit");
    let page = |limit, offset, statuses: &[JobStatus]| JobFilter { statuses: statuses.to_vec(), limit, offset };
    let last = u32::try_from(year::jobs()).unwrap() - 10;
    let mut rows = Vec::new();
    for (call, filter) in [
        ("first page of 10 (the default)", page(10, 0, &[])),
        ("first page of 1000", page(1000, 0, &[])),
        ("last page of 10", page(10, last, &[])),
        ("10 running ones", page(10, 0, &[JobStatus::Running])),
        ("10 completed ones, far down", page(10, last / 2, &[JobStatus::Completed])),
    ] {
        let spans = timed(CALLS, async || drop(store.list(&filter).await.unwrap())).await;
        rows.push(row(name, call, &spans));
    }
    let open = timed(CALLS, async || drop(store.unattended(Clock::real().now(), 1000).await.unwrap())).await;
    rows.push(row(name, "work nobody is at (each poll)", &open));
    let file = tempfile::tempdir().unwrap();
    let mut mirror = Mirror::new(Arc::clone(&store), "recycle", &file.path().join("jobs.json"));
    let clock = Clock::real();
    for call in ["writing jobs.json, all of it", "writing jobs.json, one job changed"] {
        year::make(store.as_ref(), "recycle", status(1)).await;
        let start = clock.instant();
        assert!(mirror.write().await.unwrap());
        rows.push(row(name, call, &[clock.since(start)]));
    }
    rows
}

/// A few run.
fn status(n: usize) -> JobStatus {
    if n.is_multiple_of(1000) { JobStatus::Running } else { JobStatus::Completed }
}

async fn timed(calls: usize, call: impl AsyncFn()) -> Vec<Duration> {
    let clock = Clock::real();
    let mut spans = Vec::new();
    for _ in 0..calls {
        let start = clock.instant();
        call().await;
        spans.push(clock.since(start));
    }
    spans.sort();
    spans
}

fn row(store: &str, call: &str, spans: &[Duration]) -> Vec<String> {
    let at = |percent: usize| {
        format!("{:.2}", spans[(spans.len() * percent / 100).min(spans.len() - 1)].as_secs_f64() * 1e3)
    };
    eprintln!("{store}: {call}: {}", at(50));
    vec![store.to_owned(), call.to_owned(), at(50), at(99), at(100)]
}
