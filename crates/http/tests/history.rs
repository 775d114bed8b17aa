//! Samples over time: disk use where it can be known, and how long samples are kept.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops loudly where it stands")]

mod support;

use api::MetricPoint;
use control::{ClusterSettings, MetricsSettings, Settings};
use jobs::MetricsHistory;
use serde_json::Value;
use std::time::Duration;
use support::Bed;
use testkit::{Engine, Fleet, PASSWORD, USER};
use types::{Address, Secret};

fn often(retention: Duration) -> MetricsSettings {
    MetricsSettings { enabled: true, interval: Duration::from_millis(100), retention }
}

fn cluster(name: &str, address: Address) -> ClusterSettings {
    let (username, password) = (USER.into(), Secret::new(PASSWORD));
    ClusterSettings { name: name.into(), address, username, password, members: Vec::new(), group: None }
}

async fn metrics(bed: &Bed) -> String {
    bed.request(reqwest::Method::GET, "/metrics").send().await.unwrap().text().await.unwrap()
}

/// Asks until it is there.
async fn until<T>(what: &str, look: impl AsyncFn() -> Option<T>) -> T {
    for _ in 0..1500 {
        if let Some(found) = look().await {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(40)).await;
    }
    panic!("{what} does not come")
}

/// The value of the line that holds all these words.
fn value(text: &str, words: &[&str]) -> Option<f64> {
    let line = text.lines().find(|line| words.iter().all(|word| line.contains(word)))?;
    line.rsplit(' ').next()?.parse().ok()
}

async fn disks(engine: Engine) {
    let fleet = Fleet::start(engine, 1).await;
    let nobody = Address::new("127.0.0.1", testkit::free_port());
    let clusters = vec![cluster("prod", fleet.primary().address()), cluster("gone", nobody.clone())];
    let metrics_settings = often(Duration::from_hours(1));
    let bed = Bed::start(Settings { clusters, metrics: metrics_settings, ..Settings::default() }).await;
    for server in &fleet.servers {
        let node = server.address().to_string();
        let read = async |name: &str| value(&metrics(&bed).await, &[name, "prod", &node]);
        let total = until("the disk's size", async || read("drydock_disk_total_bytes{").await).await;
        let free = until("the disk's free bytes", async || read("drydock_disk_free_bytes{").await).await;
        let disk = nix::sys::statvfs::statvfs(&server.data_directory()).unwrap();
        assert!((total - (disk.blocks() * disk.fragment_size()) as f64).abs() < 1.0, "{total}");
        assert!(free > 0.0 && free < total, "{free} of {total}");
        for name in ["disk_used_bytes", "disk_free_bytes"] {
            let path = format!("/api/v1/metrics/history?name={name}&subject={node}&since=2020-01-01T00:00:00Z");
            let points = until(name, async || {
                let points = bed.get(&path).await.1["data"].clone();
                points.as_array().is_some_and(|points| !points.is_empty()).then_some(points)
            });
            let value = points.await[0]["value"].as_f64().unwrap();
            assert!(value > 0.0 && value < total, "{name} {value}");
        }
    }
    let node = nobody.to_string();
    let up = until("the one that is gone", async || value(&metrics(&bed).await, &["drydock_node_up{", &node])).await;
    assert!(up.abs() < f64::EPSILON);
    assert_eq!(value(&metrics(&bed).await, &["drydock_disk_", &node]), None, "unknown is not zero");
    bed.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mariadb_disk_use_is_sampled() {
    disks(Engine::MariaDb).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mysql_disk_use_is_sampled() {
    if !Engine::MySql.is_available() {
        return eprintln!("MySQL cannot be had here: not tested");
    }
    disks(Engine::MySql).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn samples_older_than_the_retention_go_and_the_others_stay() {
    let bed = Bed::start(Settings { metrics: often(Duration::from_mins(10)), ..Settings::default() }).await;
    let now = bed.control.clock().now();
    let minutes_ago = |minutes: i64| MetricPoint {
        name: "lag_seconds".into(),
        subject: format!("{minutes} minutes"),
        at: now - jiff::SignedDuration::from_mins(minutes),
        value: 1.0,
    };
    bed.store.keep(&[minutes_ago(11), minutes_ago(9), minutes_ago(60)]).await.unwrap();
    let path = "/api/v1/metrics/history?name=lag_seconds&since=2020-01-01T00:00:00Z";
    let left = until("the end of what is old", async || {
        let points = bed.get(path).await.1["data"].as_array().cloned().unwrap();
        let subjects: Vec<Value> = points.iter().map(|point| point["subject"].clone()).collect();
        (subjects.len() < 3).then_some(subjects)
    });
    assert_eq!(left.await, ["9 minutes"]);
    bed.end().await;
}
