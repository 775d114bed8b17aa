//! Tables of every shape: partitions, FULLTEXT, foreign keys, names, old dates, an impatient applier.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops loudly where it stands")]

mod bed;

use api::{JobStatus, Plan, RecycleConfig, RecycleJob, Strategy, TableResult, TableState};
use bed::{Hall, gtids, settings};
use reclaim::plan::{PlanOptions, plan};
use runtime::Clock;
use testkit::{Engine, Fleet, Server};

fn result<'a>(job: &'a RecycleJob, table: &str) -> &'a TableResult {
    let found = job.statistics.tables_processed.iter().find(|result| result.table == table);
    found.unwrap_or_else(|| panic!("no result for {table}: {job:#?}"))
}

/// Plans, makes sure that these tables are to be worked on, and says why one is not.
async fn planned(replica: &Server, config: &RecycleConfig, tables: &[&str]) -> Plan {
    let plan = plan(&replica.endpoint(), config, &PlanOptions::default(), &Clock::real()).await.expect("a plan");
    for table in tables {
        let found = plan.work().any(|work| work.table == *table);
        assert!(found, "{table} is not worked on: {:#?}", plan.nodes.iter().flat_map(|n| &n.left).collect::<Vec<_>>());
    }
    plan
}

async fn settled(fleet: &Fleet) {
    fleet.catch_up(1, 0).await;
    fleet.servers[1].settled().await;
}

async fn every_shape(engine: Engine) {
    let fleet = bed::fleet(engine, 1).await;
    let (primary, replica) = (&fleet.servers[0], &fleet.servers[1]);
    bed::fill(primary, "Größe`d", "表 \"x\".y", 30_000, "").await;
    bed::scatter(primary, "Größe`d", "表 \"x\".y").await;
    bed::fill(primary, "shop", "texts", 30_000, "").await;
    primary.run(&["ALTER TABLE shop.texts ADD FULLTEXT (v)"]).await;
    bed::scatter(primary, "shop", "texts").await;
    bed::fill(primary, "shop", "parent", 30_000, "").await;
    primary
        .run(&[
            "CREATE TABLE shop.child (id INT PRIMARY KEY, p INT, pad VARCHAR(200), FOREIGN KEY (p) REFERENCES shop.parent (id))",
            "INSERT INTO shop.child SELECT id, id, v FROM shop.parent",
            "DELETE FROM shop.child WHERE id % 10 <> 0",
        ])
        .await;
    bed::scatter(primary, "shop", "parent").await;
    bed::fill(primary, "shop", "dates", 30_000, "").await;
    primary
        .run(&[
            "SET SESSION sql_mode = ''",
            "ALTER TABLE shop.dates ADD d DATETIME NOT NULL DEFAULT '0000-00-00 00:00:00'",
        ])
        .await;
    bed::scatter(primary, "shop", "dates").await;
    settled(&fleet).await;
    let before = (settings(replica).await, gtids(replica).await);
    let tables = ["表 \"x\".y", "texts", "parent", "child", "dates"];
    let drawn = planned(replica, &bed::config(replica), &tables).await;
    let hall = Hall::new();
    let id = hall.submit_plan(drawn).await;
    let job = hall.finished(&id).await;
    assert_eq!(job.status, JobStatus::Completed, "{job:#?}");
    assert_eq!(job.progress.failed_tables, 0, "{job:#?}");
    for table in tables {
        let result = result(&job, table);
        assert_eq!(result.state, TableState::Done, "{result:#?}");
        assert!(result.freed_bytes.is_some_and(|freed| freed > 1 << 20), "{result:#?}");
    }
    assert_eq!((settings(replica).await, gtids(replica).await), before);
    for table in ["`Größe``d`.`表 \"x\".y`", "shop.texts", "shop.parent", "shop.dates"] {
        bed::same_rows(&fleet, table).await;
    }
    let child = "SELECT CONCAT(COUNT(*), '/', SUM(CRC32(CONCAT_WS('#', id, p, pad)))) FROM shop.child";
    assert_eq!(primary.value(child).await, replica.value(child).await);
    assert_eq!(bed::leftovers(replica), Vec::<String>::new());
}

#[tokio::test]
async fn every_shape_of_table_is_rebuilt_and_keeps_its_rows() {
    bed::on_each(every_shape).await;
}

/// Only the partition that pays is rebuilt; the others keep their tablespaces.
async fn one_partition(engine: Engine) {
    let fleet = bed::fleet(engine, 1).await;
    let (primary, replica) = (&fleet.servers[0], &fleet.servers[1]);
    let options =
        "PARTITION BY RANGE (id) (PARTITION old VALUES LESS THAN (60000), PARTITION now VALUES LESS THAN MAXVALUE)";
    bed::fill(primary, "shop", "log", 120_000, options).await;
    primary.run(&["DELETE FROM shop.log WHERE id < 60000 AND id % 20 <> 0"]).await;
    settled(&fleet).await;
    let file = |partition: &str| {
        let mark = if engine == Engine::MySql { "#p#" } else { "#P#" };
        replica.file_bytes(format!("shop/log{mark}{partition}.ibd"))
    };
    let (old, now) = (file("old"), file("now"));
    let config = RecycleConfig { threshold_percent: 40.0, ..bed::config(replica) };
    let job = Hall::new().run(replica, config).await;
    assert_eq!(job.status, JobStatus::Completed, "{job:#?}");
    let result = result(&job, "log");
    assert_eq!(
        (result.state, result.partitions.as_slice()),
        (TableState::Done, &["old".to_owned()][..]),
        "{result:#?}"
    );
    assert_eq!(file("now"), now, "the other partition was rebuilt");
    let freed = i64::try_from(old).unwrap() - i64::try_from(file("old")).unwrap();
    assert_eq!(result.freed_bytes, Some(freed));
    assert!(freed > 4 << 20, "{result:#?}");
    bed::same_rows(&fleet, "shop.log").await;
}

#[tokio::test]
async fn only_the_partition_that_pays_is_rebuilt() {
    bed::on_each(one_partition).await;
}

/// An applier that would give up waiting for the table is stopped in good order, and started again.
async fn impatient_applier(engine: Engine) {
    let fleet = bed::fleet(engine, 1).await;
    let (primary, replica) = (&fleet.servers[0], &fleet.servers[1]);
    bed::fill(primary, "shop", "texts", 30_000, "").await;
    primary.run(&["ALTER TABLE shop.texts ADD FULLTEXT (v)"]).await;
    bed::scatter(primary, "shop", "texts").await;
    settled(&fleet).await;
    replica.run(&["SET GLOBAL lock_wait_timeout = 1", "SET GLOBAL slave_transaction_retries = 0"]).await;
    let drawn = plan(&replica.endpoint(), &bed::config(replica), &PlanOptions::default(), &Clock::real()).await;
    let drawn = drawn.expect("a plan");
    let table = drawn.work().next().expect("work");
    assert_eq!(table.strategy, Strategy::Copy { stop_applier: true }, "{table:#?}");
    let hall = Hall::new();
    let id = hall.submit_plan(drawn).await;
    let job = hall.finished(&id).await;
    assert_eq!(job.status, JobStatus::Completed, "{job:#?}");
    primary.run(&["INSERT INTO shop.texts (k, v) VALUES (7, 'after')"]).await;
    bed::same_rows(&fleet, "shop.texts").await;
}

#[tokio::test]
async fn an_impatient_applier_is_stopped_and_started() {
    bed::on_each(impatient_applier).await;
}

/// Tables of compressed pages, one whose rows compress well and one whose rows hardly do.
async fn compressed(engine: Engine) {
    let fleet = bed::fleet(engine, 1).await;
    let (primary, replica) = (&fleet.servers[0], &fleet.servers[1]);
    for table in ["packed", "noise"] {
        bed::fill(primary, "shop", table, 30_000, "ROW_FORMAT=COMPRESSED KEY_BLOCK_SIZE=8").await;
    }
    primary.run(&["UPDATE shop.noise SET v = HEX(RANDOM_BYTES(90))"]).await;
    for table in ["packed", "noise"] {
        bed::scatter(primary, "shop", table).await;
    }
    settled(&fleet).await;
    let length = |table: &str| i64::try_from(replica.file_bytes(format!("shop/{table}.ibd"))).unwrap();
    let before = ["packed", "noise"].map(length);
    let drawn = planned(replica, &bed::config(replica), &["packed", "noise"]).await;
    let hall = Hall::new();
    let id = hall.submit_plan(drawn).await;
    let job = hall.finished(&id).await;
    assert_eq!(job.status, JobStatus::Completed, "{job:#?}");
    for (table, before) in ["packed", "noise"].into_iter().zip(before) {
        let result = result(&job, table);
        assert_eq!(result.state, TableState::Done, "{result:#?}");
        let freed = before - length(table);
        assert_eq!(result.freed_bytes, Some(freed), "{result:#?}");
        assert!(freed > 1 << 20, "{result:#?}");
        let (low, high) = (result.estimate.predicted_low_bytes, result.estimate.predicted_high_bytes);
        assert!((low..=high).contains(&freed), "{freed} in {low}..={high}: {result:#?}");
        let format = format!("SELECT ROW_FORMAT FROM information_schema.TABLES WHERE TABLE_NAME = '{table}'");
        assert_eq!(replica.value(&format).await, "Compressed");
        bed::same_rows(&fleet, &format!("shop.{table}")).await;
    }
}

#[tokio::test]
async fn tables_of_compressed_pages_are_rebuilt() {
    bed::on_each(compressed).await;
}
