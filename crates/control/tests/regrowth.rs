//! On both engines: what rebuilt tables take again is seen by a later look, also by a hall that was started since.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops loudly where it stands")]

use api::{ClusterJobRequest, JobConfig, JobStatus, RecycleJob, TableResult};
use control::{Caller, ClusterSettings, Control, Created, RegrowthSettings, Role, Settings};
use jobs::Store;
use runtime::{Clock, Random};
use std::{sync::Arc, time::Duration};
use testkit::{Engine, Fleet, PASSWORD, Server, USER};
use types::{JobId, Secret};

fn settings(primary: &Server, after: Duration) -> Settings {
    let (name, address) = ("shop".to_owned(), primary.address());
    let cluster = ClusterSettings {
        name,
        address,
        username: USER.into(),
        password: Secret::new(PASSWORD),
        members: vec![],
        group: None,
    };
    Settings { clusters: vec![cluster], regrowth: RegrowthSettings { after }, ..Settings::default() }
}

async fn hall(store: &Arc<store::SqlStore>, settings: Settings) -> Control {
    let store: Arc<dyn Store> = store.clone();
    let control = Control::open(settings, store, Clock::real(), Random::real()).await.expect("opens");
    control.start().await.expect("starts");
    control.make_home();
    control
}

fn ann() -> Caller {
    Caller::new("ann", Role::Admin)
}

/// Four tables, most of each deleted, on both members; one of them in two partitions.
async fn waste(fleet: &Fleet) {
    let rows = "SELECT (@n := @n + 1), REPEAT('x', 500) FROM (SELECT @n := 0) z, \
                (SELECT 1 FROM information_schema.COLUMNS LIMIT 1000) a, (SELECT 1 FROM information_schema.COLUMNS LIMIT 8) b";
    let primary = fleet.primary();
    primary.run(&["CREATE DATABASE shop"]).await;
    for name in ["orders", "quiet", "dropped", "again"] {
        let parts = if name == "orders" { " PARTITION BY HASH (id) PARTITIONS 2" } else { "" };
        let create = format!("CREATE TABLE shop.{name} (id INT PRIMARY KEY, body VARCHAR(600)) ENGINE=InnoDB{parts}");
        let fill = format!("INSERT INTO shop.{name} {rows}");
        let delete = format!("DELETE FROM shop.{name} WHERE id % 10 <> 0");
        primary.run(&[&create, &fill, &delete]).await;
    }
    fleet.catch_up(1, 0).await;
}

fn orders_bytes(server: &Server) -> i64 {
    let directory = std::fs::read_dir(server.data_directory().join("shop")).unwrap();
    let files = directory.map(Result::unwrap).filter(|file| file.file_name().to_string_lossy().starts_with("orders#"));
    files.map(|file| i64::try_from(file.metadata().unwrap().len()).unwrap()).sum()
}

async fn until(control: &Control, id: &JobId, what: &str, holds: impl Fn(&RecycleJob) -> bool) -> RecycleJob {
    let mut last = None;
    for _ in 0..2400 {
        let job = control.job(&ann(), id).await.expect("the job");
        if holds(&job) {
            return job;
        }
        last = Some(job);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("not {what}: {last:?}")
}

fn of<'a>(job: &'a RecycleJob, table: &str) -> &'a TableResult {
    job.statistics.tables_processed.iter().find(|result| result.table == table).expect("part of the job")
}

/// The job with nothing a look may write.
fn without_look(mut job: RecycleJob) -> RecycleJob {
    job.statistics.space_regrown_bytes = None;
    for table in &mut job.statistics.tables_processed {
        (table.regrown_bytes, table.regrown_at) = (None, None);
        table.regrown_note.clear();
    }
    job
}

async fn recycled(control: &Control, replica: &Server) -> RecycleJob {
    let types::Address { host, port } = replica.address();
    let config = JobConfig {
        threshold_mb: Some(0),
        threshold_percent: Some(0.0),
        databases: Some(vec!["shop".into()]),
        ..JobConfig::default()
    };
    // On the cluster's name: a later hall has no password for a host that only a request named.
    let request = ClusterJobRequest { host: Some(host), port: Some(port), config, plan_digest: None };
    let made = control.create_cluster_job(&ann(), "shop", request).await.expect("a job");
    let Created::Job(made) = made else { panic!("a plan") };
    let job = until(control, &made.job_id, "ended", |job| job.status.is_final()).await;
    assert_eq!((job.status, job.statistics.tables_processed.len()), (JobStatus::Completed, 4), "{job:?}");
    job
}

async fn regrown(engine: Engine) {
    let fleet = Fleet::start(engine, 1).await;
    waste(&fleet).await;
    let (primary, replica) = (fleet.primary(), &fleet.servers[1]);
    let directory = tempfile::tempdir().unwrap();
    let store = store::open(directory.path().join("jobs.db").to_str().unwrap(), None).await.unwrap();
    let first = hall(&store, settings(primary, Duration::from_hours(1))).await;
    let before = recycled(&first, replica).await;
    let after = orders_bytes(replica);
    assert_eq!(of(&before, "orders").file_bytes_after.map(|bytes| i64::try_from(bytes).unwrap()), Some(after));
    first.shutdown().await;

    let fill = "INSERT INTO shop.orders SELECT id + 1, REPEAT('y', 550) FROM shop.again";
    primary.run(&[fill, &fill.replace("+ 1", "+ 2"), &fill.replace("+ 1", "+ 3"), "DROP TABLE shop.dropped"]).await;
    primary.run(&["ALTER TABLE shop.again FORCE"]).await;
    fleet.catch_up(1, 0).await;
    let grown = orders_bytes(replica) - after;
    assert!(grown > 0, "the file grew: {grown}");

    let second = hall(&store, settings(primary, Duration::from_millis(1))).await;
    let looked = |job: &RecycleJob| job.statistics.tables_processed.iter().all(|table| !table.awaits_regrowth());
    let job = until(&second, &before.job_id, "looked at", looked).await;
    assert_eq!(of(&job, "orders").regrown_bytes, Some(grown), "as the disk says: {job:?}");
    assert_eq!(of(&job, "quiet").regrown_bytes, Some(0));
    assert_eq!(of(&job, "dropped").regrown_bytes, None);
    assert!(of(&job, "dropped").regrown_note.contains("gone"), "{job:?}");
    assert_eq!(of(&job, "again").regrown_bytes, None);
    assert!(of(&job, "again").regrown_note.contains("other files"), "{job:?}");
    assert_eq!(job.statistics.space_regrown_bytes, Some(grown));
    assert!(job.statistics.tables_processed.iter().all(|table| table.regrown_at >= job.completed_at), "{job:?}");
    assert_eq!(without_look(job), before, "nothing else changed");

    let gauges = second.gauges(&ann()).await.expect("gauges");
    let gauge = gauges.iter().find(|gauge| gauge.name == "drydock_regrown_bytes_total").expect("a gauge");
    #[allow(clippy::cast_precision_loss, reason = "a few MB")]
    let expected = grown as f64;
    assert!((gauge.value - expected).abs() < 0.5, "{gauge:?}");
    second.shutdown().await;
}

#[tokio::test]
async fn mariadb_what_grew_again_is_seen_after_a_restart_of_the_hall() {
    regrown(Engine::MariaDb).await;
}

#[tokio::test]
async fn mysql_what_grew_again_is_seen_after_a_restart_of_the_hall() {
    if !Engine::MySql.is_available() {
        return eprintln!("MySQL cannot be had here: not tested");
    }
    regrown(Engine::MySql).await;
}
