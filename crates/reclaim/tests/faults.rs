//! What goes wrong while a job runs: locks, limits, crashes of the tool and of the server, promotion, a second tool.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops loudly where it stands")]

mod bed;

use api::{JobStatus, RecycleConfig, TableState};
use bed::{Hall, caught, gtids, same_rows, settings};
use jobs::JobStore as _;
use reclaim::trade::TradeOptions;
use std::{sync::Arc, time::Duration};
use testkit::Engine;
use types::Span;

/// S2: a job that waits for a metadata lock says so, can be cancelled, and kills nobody.
async fn waits_for_a_lock_and_is_cancelled(engine: Engine) {
    let fleet = bed::wasteful(engine, 1, 30_000).await;
    let replica = &fleet.servers[1];
    let before = (settings(replica).await, gtids(replica).await, replica.file_bytes("shop/orders.ibd"));
    let mut holder = replica.session().await;
    holder.run("BEGIN").await.expect("begin");
    holder.run("SELECT * FROM shop.orders LIMIT 1").await.expect("a lock");
    let hall = Hall::new();
    let id = hall.submit(replica, bed::config(replica)).await;
    let job = hall.until(&id, |job| job.progress.phase.starts_with("waiting")).await;
    assert_eq!(job.status, JobStatus::Running);
    assert!(job.progress.phase.to_lowercase().contains("lock"), "{}", job.progress.phase);
    hall.runner.cancel(&id).await.expect("it can be cancelled");
    let job = hall.finished(&id).await;
    assert_eq!(job.status, JobStatus::Cancelled, "{job:#?}");
    assert_eq!(job.statistics.tables_processed[0].state, TableState::Cancelled);
    assert_eq!(
        holder.value("SELECT COUNT(*) > 0 FROM shop.orders").await.expect("the holder lives").as_deref(),
        Some("1")
    );
    holder.close().await;
    let after = (settings(replica).await, gtids(replica).await, replica.file_bytes("shop/orders.ibd"));
    assert_eq!(after, before);
}

#[tokio::test]
async fn a_lock_is_waited_for_and_the_wait_can_be_cancelled() {
    bed::on_each(waits_for_a_lock_and_is_cancelled).await;
}

async fn fails_at_its_limit(engine: Engine) {
    let fleet = bed::wasteful(engine, 1, 30_000).await;
    let replica = &fleet.servers[1];
    let before = settings(replica).await;
    let mut holder = replica.session().await;
    holder.run("BEGIN").await.expect("begin");
    holder.run("SELECT * FROM shop.orders LIMIT 1").await.expect("a lock");
    let config = RecycleConfig { timeout: Span::from_secs(3), ..bed::config(replica) };
    let job = Hall::new().run(replica, config).await;
    assert_eq!((job.status, job.error_code), (JobStatus::Failed, 1009), "{job:#?}");
    assert!(job.error.contains("next:"), "{}", job.error);
    holder.close().await;
    assert_eq!(settings(replica).await, before);
}

#[tokio::test]
async fn a_job_fails_with_1009_at_its_limit() {
    bed::on_each(fails_at_its_limit).await;
}

async fn is_stopped_at_the_workers_limit(engine: Engine) {
    let fleet = bed::sturdy(engine, 1, 400_000).await;
    let replica = &fleet.servers[1];
    let before = (settings(replica).await, gtids(replica).await);
    // The first look at the running statement finds it too old.
    let options = TradeOptions { longest: Some(Duration::from_millis(1)), ..TradeOptions::default() };
    let hall = Hall::with(Arc::default(), options);
    let job = hall.run(replica, bed::config(replica)).await;
    assert_eq!((job.status, job.error_code), (JobStatus::Failed, 1009), "{job:#?}");
    assert!(job.error.contains("raise recycling.concurrency.worker_timeout"), "{}", job.error);
    assert!(job.error.contains("the table is whole"), "{}", job.error);
    assert_eq!((settings(replica).await, gtids(replica).await), before);
    assert_eq!(bed::leftovers(replica), Vec::<String>::new());
    same_rows(&fleet, "shop.orders").await;
}

#[tokio::test]
async fn the_workers_limit_kills_the_statement_and_leaves_the_table_whole() {
    bed::on_each(is_stopped_at_the_workers_limit).await;
}

async fn is_cancelled_in_the_middle(engine: Engine) {
    let fleet = bed::sturdy(engine, 1, 400_000).await;
    let replica = &fleet.servers[1];
    let before = (settings(replica).await, gtids(replica).await);
    let hall = Hall::new();
    let id = hall.submit(replica, bed::config(replica)).await;
    caught(replica).await;
    hall.runner.cancel(&id).await.expect("it can be cancelled");
    let job = hall.finished(&id).await;
    assert_eq!(job.status, JobStatus::Cancelled, "{job:#?}");
    assert_eq!((settings(replica).await, gtids(replica).await), before);
    assert_eq!(bed::leftovers(replica), Vec::<String>::new());
    same_rows(&fleet, "shop.orders").await;
}

#[tokio::test]
async fn cancel_kills_the_statement_and_leaves_the_table_whole() {
    bed::on_each(is_cancelled_in_the_middle).await;
}

/// The connection of each attempt in a job's journal.
async fn attempts(hall: &Hall, id: &types::JobId) -> Vec<u64> {
    let journal = hall.store.journal(id).await.expect("the journal");
    let of_attempts = journal.iter().filter(|entry| entry.step == "rebuild");
    of_attempts
        .filter_map(|entry| match &entry.event {
            jobs::Event::Noted(note) => note.get("connection").and_then(serde_json::Value::as_u64),
            _ => None,
        })
        .collect()
}

/// The tool dies in the middle: the statement goes on, the next process finds it, waits, restores, measures.
async fn tool_dies_and_comes_back(engine: Engine) {
    let fleet = bed::sturdy(engine, 1, 400_000).await;
    let replica = &fleet.servers[1];
    let before = (settings(replica).await, gtids(replica).await, replica.file_bytes("shop/orders.ibd"));
    let hall = Hall::new();
    let id = hall.submit(replica, bed::config(replica)).await;
    let connection = caught(replica).await;
    hall.runner.shutdown(Duration::ZERO).await;
    let later = Hall::over(hall.store.clone());
    let job = later.finished(&id).await;
    assert_eq!(job.status, JobStatus::Completed, "{job:#?}");
    assert_eq!((settings(replica).await, gtids(replica).await), (before.0, before.1));
    assert!(replica.file_bytes("shop/orders.ibd") < before.2);
    // Run once: the journal holds one attempt, the statement that was found running.
    assert_eq!(attempts(&later, &id).await, [connection], "{:#?}", later.store.journal(&id).await);
    same_rows(&fleet, "shop.orders").await;
}

#[tokio::test]
async fn a_crash_of_the_tool_is_picked_up_where_it_was() {
    bed::on_each(tool_dies_and_comes_back).await;
}

/// Writes another attempt into a job's journal, made by a given connection, as a crash would leave it.
async fn note_attempt_of(hall: &Hall, id: &types::JobId, connection: u32) {
    let store = &*hall.store;
    let journal = store.journal(id).await.expect("the journal");
    let mut noted = journal.into_iter().filter(|entry| entry.step == "rebuild");
    let (unit, mut note) = noted
        .find_map(|entry| match entry.event {
            jobs::Event::Noted(note) => Some((entry.unit, note)),
            _ => None,
        })
        .expect("an attempt");
    note["connection"] = connection.into();
    let now = runtime::Clock::real().now();
    let claim = jobs::Claim { owner: "crashed".to_owned(), span: Duration::from_mins(1) };
    let lease = store.take_lease(id.as_str(), &claim, now).await.expect("the lease");
    let entry = jobs::NewEntry { unit, step: "rebuild".to_owned(), event: jobs::Event::Noted(note), at: now };
    store.append(id, entry, &lease).await.expect("a note");
    store.drop_lease(&lease).await.expect("the lease is given back");
}

/// The process list does not show the statement as ours, but its session is there and at work: it is neither ended nor is a
/// second statement sent, and what it did counts.
async fn session_is_still_at_it(engine: Engine) {
    let fleet = bed::sturdy(engine, 1, 100_000).await;
    let replica = &fleet.servers[1];
    let hall = Hall::new();
    let id = hall.submit(replica, bed::config(replica)).await;
    let first = caught(replica).await;
    hall.runner.shutdown(Duration::ZERO).await;
    // It ends in one way or the other; the table lies in its old file or, on a quick machine, in a new one already.
    let _ = replica.session().await.run(&format!("KILL {first}")).await;
    let mut blocker = replica.session().await;
    while blocker.value("SELECT IS_FREE_LOCK('drydock.work')").await.expect("the lock").as_deref() != Some("1") {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    blocker.run("BEGIN").await.expect("begin");
    blocker.run("SELECT * FROM shop.orders LIMIT 1").await.expect("a lock");
    let mut session = replica.session().await;
    let connection = session.id();
    session.run("SET SESSION sql_log_bin = 0").await.expect("out of the binlog");
    session.run("SELECT GET_LOCK('drydock.work', 10)").await.expect("the work lock");
    let at_work = tokio::spawn(async move {
        let ended = session.run("ALTER TABLE shop.orders FORCE").await;
        session.close().await;
        ended
    });
    note_attempt_of(&hall, &id, connection).await;
    let later = Hall::over(hall.store.clone());
    later.until(&id, |job| job.progress.phase.contains("has not ended")).await;
    blocker.close().await;
    at_work.await.expect("it ends").expect("nobody ended it");
    let job = later.finished(&id).await;
    assert_eq!(job.status, JobStatus::Completed, "{job:#?}");
    assert_eq!(attempts(&later, &id).await, [first, u64::from(connection)]);
    same_rows(&fleet, "shop.orders").await;
}

#[tokio::test]
async fn a_session_that_is_still_at_it_is_left_to_end() {
    bed::on_each(session_is_still_at_it).await;
}

/// The server dies in the middle: the job waits for it, tries again, restores.
async fn server_dies_and_comes_back(engine: Engine) {
    let mut fleet = bed::sturdy(engine, 1, 400_000).await;
    let before = (settings(&fleet.servers[1]).await, gtids(&fleet.servers[1]).await);
    let hall = Hall::new();
    let id = hall.submit(&fleet.servers[1], bed::config(&fleet.servers[1])).await;
    caught(&fleet.servers[1]).await;
    fleet.servers[1].kill();
    hall.until(&id, |job| job.progress.phase.contains("not there")).await;
    fleet.servers[1].restart().await;
    let job = hall.finished(&id).await;
    assert_eq!(job.status, JobStatus::Completed, "{job:#?}");
    let replica = &fleet.servers[1];
    assert_eq!((settings(replica).await, gtids(replica).await), before);
    assert_eq!(bed::leftovers(replica), Vec::<String>::new());
    same_rows(&fleet, "shop.orders").await;
}

#[tokio::test]
async fn a_crash_of_the_server_is_waited_out() {
    bed::on_each(server_dies_and_comes_back).await;
}

/// Somebody promotes the replica in the middle: the statement is stopped, the rest of the node is left alone, and the
/// new primary is not made read-only again.
async fn promoted_in_the_middle(engine: Engine) {
    let fleet = bed::sturdy(engine, 1, 400_000).await;
    let replica = &fleet.servers[1];
    let hall = Hall::new();
    let id = hall.submit(replica, bed::config(replica)).await;
    caught(replica).await;
    replica.run(&["SET GLOBAL read_only = 0"]).await;
    let job = hall.finished(&id).await;
    assert_eq!((job.status, job.error_code), (JobStatus::Failed, 1004), "{job:#?}");
    assert_eq!(replica.value("SELECT @@GLOBAL.read_only").await, "0");
    let reserve = "SELECT VARIABLE_VALUE FROM performance_schema.global_variables \
                   WHERE VARIABLE_NAME = 'innodb_segment_reserve_factor'";
    if engine == Engine::MySql {
        assert_eq!(replica.value(reserve).await, "12.500000");
    }
    same_rows(&fleet, "shop.orders").await;
}

#[tokio::test]
async fn a_promoted_replica_is_let_go() {
    bed::on_each(promoted_in_the_middle).await;
}

async fn second_tool_is_refused(engine: Engine) {
    let fleet = bed::wasteful(engine, 1, 30_000).await;
    let replica = &fleet.servers[1];
    let mut holder = replica.session().await;
    holder.run("BEGIN").await.expect("begin");
    holder.run("SELECT * FROM shop.orders LIMIT 1").await.expect("a lock");
    let (first, second) = (Hall::new(), Hall::new());
    let one = first.submit(replica, bed::config(replica)).await;
    first.until(&one, |job| job.progress.phase.starts_with("waiting")).await;
    let job = second.run(replica, bed::config(replica)).await;
    assert_eq!((job.status, job.error_code), (JobStatus::Failed, 1010), "{job:#?}");
    assert!(job.error.contains("connection"), "{}", job.error);
    holder.close().await;
    assert_eq!(first.finished(&one).await.status, JobStatus::Completed);
}

#[tokio::test]
async fn a_second_tool_is_refused_with_the_holder_named() {
    bed::on_each(second_tool_is_refused).await;
}
