//! Recycle jobs on real fleets: what is freed, and what is left exactly as it was.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops loudly where it stands")]

mod bed;

use api::{JobStatus, RecycleConfig, TableState, WorkMode};
use bed::{Hall, gtids, same_rows, settings};
use testkit::{Engine, Server};

/// `shop.orders` as a file.
fn file(server: &Server) -> u64 {
    server.file_bytes("shop/orders.ibd")
}

/// S1 (statements out of the binlog), S7 (freed bytes are file sizes), S11 (`super_read_only` is lowered and restored).
async fn frees_replicas_and_leaves_no_trace(engine: Engine) {
    let fleet = bed::wasteful(engine, 2, 60_000).await;
    let before: Vec<(String, String, u64)> = {
        let mut all = Vec::new();
        for server in &fleet.servers {
            all.push((gtids(server).await, settings(server).await, file(server)));
        }
        all
    };
    let hall = Hall::new();
    let job = hall.run(fleet.primary(), bed::config(fleet.primary())).await;
    assert_eq!(job.status, JobStatus::Completed, "{job:#?}");
    assert_eq!(job.progress.processed_tables, 2);
    assert!((job.progress.percentage - 100.0).abs() < 1e-9);
    assert_eq!(job.notes, Vec::<String>::new());
    let mut freed = 0;
    for (index, server) in fleet.servers.iter().enumerate() {
        assert_eq!(gtids(server).await, before[index].0, "GTIDs of server {index}");
        assert_eq!(settings(server).await, before[index].1, "settings of server {index}");
        let results = &job.statistics.tables_processed;
        let result = results.iter().find(|result| result.node == server.address().to_string());
        if index == 0 {
            assert!(result.is_none());
            assert_eq!(file(server), before[0].2, "the primary was touched");
            continue;
        }
        let result = result.expect("a result for each replica");
        assert_eq!(result.state, TableState::Done);
        assert_eq!(result.estimate.file_bytes, before[index].2);
        assert_eq!(result.file_bytes_after, Some(file(server)));
        let really = i64::try_from(before[index].2).unwrap() - i64::try_from(file(server)).unwrap();
        assert_eq!(result.freed_bytes, Some(really));
        assert!(really > 8 << 20, "{result:#?}");
        freed += really;
    }
    assert_eq!(job.statistics.space_freed_bytes, freed);
    same_rows(&fleet, "shop.orders").await;
}

#[tokio::test]
async fn s1_s7_s11_replicas_are_freed_and_nothing_else_changes() {
    bed::on_each(frees_replicas_and_leaves_no_trace).await;
}

/// S2: the seed's tool leaked a connection per statement and hung around the tenth table. S6: its lock gate failed every
/// table on servers without `INNODB_LOCKS`.
async fn many_tables_one_connection_each(engine: Engine) {
    let fleet = bed::fleet(engine, 1).await;
    for number in 0..14 {
        let table = format!("t{number}");
        bed::fill(fleet.primary(), "shop", &table, 12_000, "").await;
        bed::scatter(fleet.primary(), "shop", &table).await;
    }
    fleet.catch_up(1, 0).await;
    let replica = &fleet.servers[1];
    replica.settled().await;
    let job = Hall::new().run(replica, bed::config(replica)).await;
    assert_eq!(job.status, JobStatus::Completed, "{job:#?}");
    assert_eq!((job.progress.processed_tables, job.progress.failed_tables), (14, 0), "{job:#?}");
    bed::until_alone(replica).await;
    same_rows(&fleet, "shop.t13").await;
}

#[tokio::test]
async fn s2_s6_more_tables_than_a_pool_has_connections() {
    bed::on_each(many_tables_one_connection_each).await;
}

/// One logged statement on the primary flows to all; freed bytes are measured on every node.
async fn a_logged_statement_flows(engine: Engine) {
    let fleet = bed::wasteful(engine, 2, 60_000).await;
    let before: Vec<u64> = fleet.servers.iter().map(file).collect();
    let config = RecycleConfig { mode: WorkMode::BinlogOn, exclude_primary: false, ..bed::config(fleet.primary()) };
    let job = Hall::new().run(fleet.primary(), config).await;
    assert_eq!(job.status, JobStatus::Completed, "{job:#?}");
    assert_eq!(job.statistics.tables_processed.len(), 3, "{job:#?}");
    for (server, before) in fleet.servers.iter().zip(before) {
        let node = server.address().to_string();
        let result = job.statistics.tables_processed.iter().find(|result| result.node == node).expect("a result");
        assert_eq!(result.file_bytes_after, Some(file(server)), "{result:#?}");
        assert!(file(server) < before / 2, "{node} was not rebuilt");
    }
    same_rows(&fleet, "shop.orders").await;
    let (primary, replica) = (gtids(&fleet.servers[0]).await, gtids(&fleet.servers[1]).await);
    if engine == Engine::MySql {
        assert_eq!(primary, replica, "an errant transaction");
    }
}

#[tokio::test]
async fn binlog_on_flows_from_the_primary() {
    bed::on_each(a_logged_statement_flows).await;
}

/// Two at once of three: the third stays out of work, and all are done in the end.
async fn two_at_once(engine: Engine) {
    let fleet = bed::wasteful(engine, 3, 30_000).await;
    let config = RecycleConfig { parallel: 2, ..bed::config(fleet.primary()) };
    let hall = Hall::new();
    let id = hall.submit(fleet.primary(), config).await;
    let mut most = 0;
    let job = loop {
        let job = hall.job(&id).await;
        let running = |result: &&api::TableResult| result.state == TableState::Running;
        most = most.max(job.statistics.tables_processed.iter().filter(running).count());
        if job.status.is_final() {
            break job;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    };
    assert_eq!(job.status, JobStatus::Completed, "{job:#?}");
    assert_eq!((job.progress.processed_tables, job.progress.failed_tables), (3, 0), "{job:#?}");
    assert_eq!(most, 2, "how many ran at once");
    same_rows(&fleet, "shop.orders").await;
}

#[tokio::test]
async fn parallel_keeps_one_replica_out_of_work() {
    bed::on_each(two_at_once).await;
}
