//! Undo tablespaces made small by a job, and put back as they were wherever it is broken off.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops loudly where it stands")]

mod bed;

use api::{JobStatus, Plan, RecycleConfig, RecycleJob, Strategy, TableState};
use bed::{Hall, on_each};
use mysql::Session;
use reclaim::{
    plan::{PlanOptions, plan},
    trade::TradeOptions,
};
use runtime::Clock;
use std::{sync::Arc, time::Duration};
use testkit::{Engine, Fleet, Options, Server};
use types::JobId;

/// A replica that comes back read-only from a crash, with one undo tablespace grown large.
async fn bloated(engine: Engine) -> Fleet {
    let mut arguments: Vec<String> =
        ["--innodb-buffer-pool-size=64M", "--innodb-undo-log-truncate=OFF", "--read-only=1"].map(Into::into).into();
    if engine == Engine::MariaDb {
        arguments.push("--innodb-undo-tablespaces=3".into());
    }
    let fleet = Fleet::start_with(engine, 1, &Options { arguments, ..Options::default() }).await;
    fleet.primary().run(&["SET GLOBAL read_only = 0"]).await;
    bed::fill(fleet.primary(), "shop", "orders", 150_000, "").await;
    fleet.primary().run(&["UPDATE shop.orders SET v = REPEAT('y', 180)"]).await;
    fleet.catch_up(1, 0).await;
    if engine == Engine::MySql {
        fleet.servers[1].run(&["SET PERSIST super_read_only = ON"]).await;
    }
    fleet.servers[1].settled().await;
    fleet
}

fn config(server: &Server) -> RecycleConfig {
    RecycleConfig { shrink_undo: true, threshold_mb: 16, ..bed::config(server) }
}

async fn planned(server: &Server) -> Plan {
    plan(&server.endpoint(), &config(server), &PlanOptions::default(), &Clock::real()).await.expect("a plan")
}

/// A plan with the work these tests are about; where it is left, the server's own log says more.
async fn planned_work(server: &Server) -> Plan {
    let made = planned(server).await;
    let node = &made.nodes[0];
    let is_work = node.batches.iter().flat_map(|batch| &batch.tables).any(|table| table.table == "undo");
    assert!(is_work, "its undo is left: {:#?}\n{}", node.left, server.error_log());
    made
}

/// Transactions that stay open are no reason to wait before the work: they are to be met in the middle of it.
fn options() -> TradeOptions {
    TradeOptions { long_transaction_seconds: 3600, ..TradeOptions::default() }
}

/// Everything the work touches: settings, which tablespaces there are, and whether they are in use.
async fn standing(server: &Server) -> String {
    let mut session = server.session().await;
    let settings = "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('read_only', 'super_read_only', \
                    'innodb_undo_log_truncate', 'innodb_max_undo_log_size')";
    let spaces = match server.engine() {
        Engine::MariaDb => {
            "SELECT NAME AS n, 'active' AS s FROM information_schema.INNODB_SYS_TABLESPACES \
                            WHERE NAME LIKE '%undo%' ORDER BY NAME"
        }
        Engine::MySql => {
            "SELECT NAME AS n, STATE AS s FROM information_schema.INNODB_TABLESPACES \
                          WHERE SPACE_TYPE = 'Undo' ORDER BY NAME"
        }
    };
    let mut all = Vec::new();
    for row in session.rows(settings).await.unwrap() {
        all.push((row.text("Variable_name"), row.text("Value")));
    }
    for row in session.rows(spaces).await.unwrap() {
        all.push((row.text("n"), row.text("s")));
    }
    session.close().await;
    format!("{all:?}")
}

/// The work's own line in a job.
fn line(job: &RecycleJob) -> &api::TableResult {
    job.statistics.tables_processed.iter().find(|result| result.table == "undo").expect("the undo was planned")
}

/// A reader whose view of the past keeps the purge from going on.
async fn reader(server: &Server) -> Session {
    let mut reader = server.session().await;
    reader.run("START TRANSACTION WITH CONSISTENT SNAPSHOT").await.unwrap();
    reader.run("SELECT COUNT(*) FROM shop.orders").await.unwrap();
    reader
}

/// A job that waits in the middle of its work for a reader who keeps undo in use.
struct Held {
    fleet: Fleet,
    before: String,
    reader: Session,
    hall: Hall,
    id: JobId,
}

impl Held {
    async fn start(engine: Engine) -> Self {
        let fleet = bloated(engine).await;
        let before = standing(&fleet.servers[1]).await;
        let made = planned_work(&fleet.servers[1]).await;
        let reader = reader(&fleet.servers[1]).await;
        // More undo, and it lies behind the reader.
        fleet.primary().run(&["UPDATE shop.orders SET v = REPEAT('z', 180)"]).await;
        fleet.catch_up(1, 0).await;
        let hall = Hall::with(Arc::default(), options());
        let id = hall.submit_plan(made).await;
        hall.until(&id, |job| job.progress.phase.contains("still need undo tablespace")).await;
        let held = Self { fleet, before, reader, hall, id };
        assert_ne!(standing(held.replica()).await, held.before, "nothing is lowered");
        if engine == Engine::MySql {
            let ask = async || held.replica().value("SELECT @@GLOBAL.super_read_only").await;
            bed::until("nobody may write while it waits", "1".to_owned(), ask).await;
        }
        held
    }

    fn replica(&self) -> &Server {
        &self.fleet.servers[1]
    }

    /// The tool dies, and the next process takes its job up.
    async fn reborn(&mut self) {
        self.hall.runner.shutdown(Duration::ZERO).await;
        self.hall = Hall::with(self.hall.store.clone(), options());
    }

    /// Small, and everything else as it was.
    async fn is_done(&self) {
        let job = self.hall.finished(&self.id).await;
        let line = line(&job);
        assert_eq!((job.status, line.state), (JobStatus::Completed, TableState::Done), "{job:#?}");
        assert!(line.freed_bytes.unwrap() > 8 << 20, "{line:#?}");
        assert_eq!(standing(self.replica()).await, self.before);
        bed::same_rows(&self.fleet, "shop.orders").await;
    }
}

#[tokio::test]
async fn undo_comes_after_the_tables_and_is_freed_as_predicted() {
    on_each(async |engine| {
        let fleet = bloated(engine).await;
        let replica = &fleet.servers[1];
        let (before, gtids) = (standing(replica).await, bed::gtids(replica).await);
        let primary = standing(fleet.primary()).await;
        let hall = Hall::new();
        let id = hall.submit_plan(planned_work(replica).await).await;
        let job = hall.finished(&id).await;
        let line = line(&job);
        assert_eq!((job.status, line.state), (JobStatus::Completed, TableState::Done), "{job:#?}");
        assert_eq!(line.freed_bytes, Some(line.estimate.predicted_freed_bytes), "{line:#?}");
        assert!(line.freed_bytes.unwrap() > 8 << 20, "{line:#?}");
        assert_eq!(standing(replica).await, before);
        assert_eq!(bed::gtids(replica).await, gtids, "nothing of it is in the binlog");
        assert_eq!(standing(fleet.primary()).await, primary);
        bed::same_rows(&fleet, "shop.orders").await;
        // What is small is left alone.
        let again = planned(replica).await;
        let left = again.nodes[0].left.iter().find(|left| left.table == "undo").unwrap();
        assert!(
            matches!(&left.strategy, Strategy::Skip { reason } if reason.contains("none of its undo")),
            "{left:#?}"
        );
    })
    .await;
}

#[tokio::test]
async fn undo_that_is_needed_is_waited_for_and_a_dead_tool_is_taken_over_from() {
    on_each(async |engine| {
        let mut held = Held::start(engine).await;
        held.reborn().await;
        held.hall.until(&held.id, |job| job.progress.phase.contains("still need undo tablespace")).await;
        held.reader.run("ROLLBACK").await.unwrap();
        held.is_done().await;
    })
    .await;
}

#[tokio::test]
async fn a_cancel_puts_the_undo_tablespaces_back_into_use() {
    on_each(async |engine| {
        let mut held = Held::start(engine).await;
        held.hall.runner.cancel(&held.id).await.expect("it can be cancelled");
        // A spare that is still needed stays for as long, but nothing else.
        let without_spare =
            |standing: String| standing.replace(", (Some(\"drydock_spare_undo\"), Some(\"inactive\"))", "");
        let ask = async || without_spare(standing(held.replica()).await);
        bed::until("all is in use again", held.before.clone(), ask).await;
        held.reader.run("ROLLBACK").await.unwrap();
        let job = held.hall.finished(&held.id).await;
        assert_eq!((job.status, line(&job).state), (JobStatus::Cancelled, TableState::Cancelled), "{job:#?}");
        assert_eq!(standing(held.replica()).await, held.before);
    })
    .await;
}

#[tokio::test]
async fn a_server_killed_while_its_undo_is_emptied_goes_on_where_it_was() {
    on_each(async |engine| {
        let mut held = Held::start(engine).await;
        held.fleet.servers[1].kill();
        held.fleet.servers[1].restart().await;
        held.is_done().await;
    })
    .await;
}
