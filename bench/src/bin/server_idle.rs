//! What the server weighs when nothing happens, and how fast `GET /jobs` answers over 10,000 jobs.
//!
//! `cargo build --release -p drydock && cargo run --release -p bench --bin server_idle [-- --small]`
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a measuring program stops loudly and prints figures for people"
)]

use api::JobStatus;
use bench::{program, table, year};
use jobs::Store;
use reqwest::Client;
use runtime::Clock;
use std::{path::Path, sync::Arc, time::Duration};
use tokio::process::Child;

const CALLS: usize = 500;

#[tokio::main]
async fn main() {
    let client = Client::new();
    let mut rows = empty(&client).await;
    rows.extend(filled(&client).await);
    table::print("Server", &["what", "p50", "p99", "max"], &rows);
}

/// A server over a store that is still empty.
async fn empty(client: &Client) -> Vec<Vec<String>> {
    let home = tempfile::tempdir().unwrap();
    let (server, _) = start(home.path(), client).await;
    vec![weight(&server, "idle, over an empty store").await]
}

/// A server over 10,000 jobs, before it is asked anything, while, and after.
async fn filled(client: &Client) -> Vec<Vec<String>> {
    let home = tempfile::tempdir().unwrap();
    fill(&home.path().join("data/jobs.db")).await;
    let (server, base) = start(home.path(), client).await;
    let last = format!("/api/v1/recycle/jobs?limit=10&offset={}", year::jobs() - 10);
    let mut rows = vec![weight(&server, "idle, over 10,000 jobs").await];
    for (call, path) in [
        ("GET /jobs", "/api/v1/recycle/jobs"),
        ("GET /jobs?status=running", "/api/v1/recycle/jobs?status=running"),
        ("GET /jobs, the last ten", last.as_str()),
        ("GET /jobs?limit=1000", "/api/v1/recycle/jobs?limit=1000"),
        ("GET /health", "/api/v1/health"),
        ("GET /", "/"),
    ] {
        rows.push(timed(client, call, &format!("{base}{path}")).await);
    }
    rows.push(weight(&server, "idle again").await);
    rows
}

/// A server at home here, once it answers, and its address.
async fn start(home: &Path, client: &Client) -> (Child, String) {
    let port = testkit::free_port();
    std::fs::write(home.join("config.yaml"), format!("server:\n  host: 127.0.0.1\n  port: {port}\n")).unwrap();
    let server = program::drydock(home).arg("server").kill_on_drop(true).spawn().unwrap();
    let base = format!("http://127.0.0.1:{port}");
    answer(client, &base).await;
    (server, base)
}

/// Of a kind nobody works on, so that the server stays idle.
async fn fill(file: &Path) {
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    let store = store::open(file.to_str().unwrap(), None).await.unwrap();
    let shared: Arc<dyn Store> = store.clone();
    year::fill(&shared, "elsewhere", |_| JobStatus::Completed).await;
    store.close().await;
}

async fn answer(client: &Client, base: &str) {
    for _ in 0..600 {
        if client.get(format!("{base}/api/v1/health")).send().await.is_ok_and(|answer| answer.status().is_success()) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the server does not answer");
}

/// Resident memory, ten seconds later, once it has settled.
async fn weight(server: &Child, when: &str) -> Vec<String> {
    tokio::time::sleep(Duration::from_secs(10)).await;
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.id().unwrap())).unwrap();
    let kib = |key: &str| -> i64 {
        let line = status.lines().find(|line| line.starts_with(key)).unwrap_or_default();
        line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).unwrap_or(0)
    };
    let mib = |key: &str| table::mib(kib(key) << 10);
    let now = format!("{} MiB, of it {} not of files", mib("VmRSS"), mib("RssAnon"));
    vec![format!("resident memory, {when}"), now, String::new(), format!("{} MiB", mib("VmHWM"))]
}

async fn timed(client: &Client, call: &str, url: &str) -> Vec<String> {
    let clock = Clock::real();
    let mut spans = Vec::with_capacity(CALLS);
    for _ in 0..CALLS {
        let start = clock.instant();
        let answer = client.get(url).send().await.unwrap().error_for_status().unwrap();
        drop(answer.bytes().await.unwrap());
        spans.push(clock.since(start));
    }
    spans.sort_unstable();
    let at = |share: f64| spans[((spans.len() - 1) as f64 * share) as usize];
    let ms = |span: Duration| format!("{:.2} ms", span.as_secs_f64() * 1e3);
    vec![call.to_owned(), ms(at(0.5)), ms(at(0.99)), ms(at(1.0))]
}
