//! A page of a long list is found through indexes: bodies, which are large, are not read to choose or to count.
#![allow(clippy::unwrap_used, reason = "a test stops loudly where it stands")]

use api::JobStatus;
use jobs::{JobFilter, JobStore};
use testkit::{Engine, Options, PASSWORD, Server, USER};

const JOBS: u64 = 2000;

/// Rows that statements without an index have read on the server so far.
async fn scanned(server: &Server) -> u64 {
    let mut session = server.session().await;
    let row = session.row("SHOW GLOBAL STATUS LIKE 'Handler_read_rnd_next'").await.unwrap().unwrap();
    session.close().await;
    row.text("Value").unwrap().parse().unwrap()
}

async fn filled(server: &Server) {
    let digits = "(SELECT 0 d UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5 UNION SELECT 6 \
                  UNION SELECT 7 UNION SELECT 8 UNION SELECT 9)";
    let insert = format!(
        "INSERT INTO drydock_jobs.jobs SELECT CONCAT('job-20261121-', LPAD(n, 4, '0')), 'recycle', \
         IF(n % 1000 = 0, 'running', 'completed'), 100, n, n, n, 0, 1, CONCAT('{{\"x\":\"', REPEAT('x', 5000), '\"}}') \
         FROM (SELECT a.d * 1000 + b.d * 100 + c.d * 10 + d.d + 1 n FROM {digits} a, {digits} b, {digits} c, {digits} d) n \
         WHERE n <= {JOBS}"
    );
    server.run(&[&insert]).await;
}

async fn pages_are_found_by_index(engine: Engine) {
    if !engine.is_available() {
        return eprintln!("SKIPPED: no {} here", engine.name());
    }
    let server = Server::start(engine, Options::default()).await;
    server.run(&["CREATE DATABASE drydock_jobs"]).await;
    let url = format!("mysql://{USER}:{PASSWORD}@{}/drydock_jobs", server.address());
    let store = store::open(&url, None).await.unwrap();
    let page = |limit, offset, statuses: &[JobStatus]| JobFilter { statuses: statuses.to_vec(), limit, offset };
    filled(&server).await;
    for (name, filter, total) in [
        ("first", page(10, 0, &[]), JOBS),
        ("last", page(10, 1990, &[]), JOBS),
        ("running", page(10, 0, &[JobStatus::Running]), 2),
        ("completed", page(10, 1000, &[JobStatus::Completed]), JOBS - 2),
        ("several", page(10, 1000, &[JobStatus::Completed, JobStatus::Failed]), JOBS - 2),
    ] {
        let before = scanned(&server).await;
        for _ in 0..5 {
            assert_eq!(store.list(&filter).await.unwrap().total, total);
        }
        // What the server and this count read for themselves is far less than one pass over the table.
        let read = scanned(&server).await - before;
        assert!(read < JOBS, "{name}: {read} rows were read without an index");
    }
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_mariadb() {
    pages_are_found_by_index(Engine::MariaDb).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_mysql() {
    pages_are_found_by_index(Engine::MySql).await;
}
