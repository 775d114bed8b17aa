//! Several processes open one store that is not there yet, all at once: none fails, the tables are whole, and each write
//! stays.
#![allow(clippy::unwrap_used, reason = "a test stops loudly where it stands")]

use jobs::{JobFilter, JobStore, NewJob};
use runtime::Clock;
use serde_json::json;
use sqlx::{AnyConnection, Connection, Row};
use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};
use tempfile::TempDir;

/// Set in the opening process: the directory with the signal to begin.
const HOME: &str = "DRYDOCK_TEST_FIRST_START_HOME";
/// And the store.
const PLACE: &str = "DRYDOCK_TEST_FIRST_START_PLACE";
/// And how many milliseconds after the signal.
const DELAY: &str = "DRYDOCK_TEST_FIRST_START_DELAY";
const PROCESSES: u64 = 6;
const ROUNDS: u64 = 6;

/// Not a test of its own: what the tests below start.
#[tokio::test(flavor = "multi_thread")]
async fn opener() {
    let Some(home) = std::env::var_os(HOME).map(PathBuf::from) else { return };
    let clock = Clock::real();
    std::fs::write(home.join(format!("ready-{}", std::process::id())), "").unwrap();
    while !home.join("go").exists() {
        clock.sleep(Duration::from_millis(1)).await;
    }
    clock.sleep(Duration::from_millis(std::env::var(DELAY).unwrap().parse().unwrap())).await;
    let place = std::env::var(PLACE).unwrap();
    let metrics = home.join("metrics.db");
    let store = store::open(&place, Some(&metrics)).await.unwrap();
    store.create(new_job()).await.unwrap();
    store.close().await;
}

fn new_job() -> NewJob {
    NewJob { kind: "recycle".to_owned(), body: json!({}), created_at: "2026-11-21T10:00:00Z".parse().unwrap() }
}

fn start(home: &Path, place: &str, delay: u64) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "opener", "--nocapture"]).stdout(Stdio::null());
    command.env(HOME, home).env(PLACE, place).env(DELAY, delay.to_string()).spawn().unwrap()
}

/// `apart` milliseconds between two of them.
async fn open_at_once(place: &str, apart: u64) {
    let home = TempDir::new().unwrap();
    let mut processes: Vec<Child> = (0..PROCESSES).map(|n| start(home.path(), place, n * apart)).collect();
    while std::fs::read_dir(home.path()).unwrap().count() < processes.len() {
        Clock::real().sleep(Duration::from_millis(5)).await;
    }
    std::fs::write(home.path().join("go"), "").unwrap();
    let ends: Vec<bool> = processes.iter_mut().map(|process| process.wait().unwrap().success()).collect();
    assert!(ends.iter().all(|end| *end), "{ends:?}");
}

/// All jobs are there under numbers without a gap, and every migration is noted as done.
async fn check(place: &str, url: &str, migrations: i64) {
    sqlx::any::install_default_drivers();
    let mut connection = AnyConnection::connect(url).await.unwrap();
    // Whole without the help of the next start, which would mend what it can.
    let noted = "SELECT COUNT(*) FROM _sqlx_migrations WHERE success";
    assert_eq!(sqlx::query(noted).fetch_one(&mut connection).await.unwrap().get::<i64, _>(0), migrations);
    connection.close().await.unwrap();
    let store = store::open(place, None).await.unwrap();
    let all = JobFilter { limit: 100, ..JobFilter::default() };
    let mut names: Vec<String> = store.list(&all).await.unwrap().jobs.into_iter().map(|job| job.id.0).collect();
    names.sort();
    assert_eq!(names, (1..=PROCESSES).map(|n| format!("job-20261121-{n:03}")).collect::<Vec<_>>());
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_file() {
    let directory = TempDir::new().unwrap();
    for round in 0..ROUNDS {
        let file = directory.path().join(format!("{round}/jobs.db"));
        let place = file.to_str().unwrap();
        open_at_once(place, round).await;
        check(place, &format!("sqlite://{place}"), 1).await;
    }
}

async fn one_database(engine: testkit::Engine) {
    if !engine.is_available() {
        return eprintln!("SKIPPED: no {} here", engine.name());
    }
    let server = testkit::Server::start(engine, testkit::Options::default()).await;
    for round in 0..ROUNDS {
        server.run(&[&format!("CREATE DATABASE drydock_{round}")]).await;
        let (user, password, address) = (testkit::USER, testkit::PASSWORD, server.address());
        let url = format!("mysql://{user}:{password}@{address}/drydock_{round}");
        open_at_once(&url, round * 10).await;
        check(&url, &url, 6).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_mariadb() {
    one_database(testkit::Engine::MariaDb).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_mysql() {
    one_database(testkit::Engine::MySql).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_postgresql() {
    if !testkit::Postgres::is_available() {
        return eprintln!("SKIPPED: no PostgreSQL here");
    }
    let server = testkit::Postgres::start().await;
    for round in 0..ROUNDS {
        let url = server.database(&format!("drydock_{round}"));
        open_at_once(&url, round * 10).await;
        check(&url, &url, 1).await;
    }
}
