//! S10: every gate on real servers. The seed's tool counted a constant, ignored the grants it read, and looked at no lag, no
//! disk, no long transaction and no backup lock.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops loudly where it stands")]

mod bed;

use api::{GateVerdict, Plan, RecycleConfig};
use bed::Hall;
use reclaim::{
    gates::{backup_lock, disk, history_list, lag, long_transaction, metadata_lock, privilege, writer},
    plan::{PlanOptions, plan},
};
use runtime::Clock;
use testkit::{Engine, Options, Proxy, Server};
use types::{Secret, TableName};

async fn planned(server: &Server, options: &PlanOptions, config: RecycleConfig) -> Plan {
    plan(&server.endpoint(), &config, options, &Clock::real()).await.expect("a plan")
}

fn verdict(plan: &Plan, gate: &str) -> GateVerdict {
    let found = plan.nodes[0].gates.iter().find(|found| found.name == gate);
    found.unwrap_or_else(|| panic!("no gate {gate}: {plan:#?}")).verdict.clone()
}

async fn old_transactions(engine: Engine) {
    let fleet = bed::wasteful(engine, 1, 2_000).await;
    let replica = &fleet.servers[1];
    let options = PlanOptions { long_transaction_seconds: 0, ..PlanOptions::default() };
    assert_eq!(verdict(&planned(replica, &options, bed::config(replica)).await, "long_transaction"), GateVerdict::Pass);
    let mut holder = replica.session().await;
    holder.run("START TRANSACTION WITH CONSISTENT SNAPSHOT").await.expect("begin");
    holder.run("SELECT * FROM shop.orders LIMIT 1").await.expect("a read view");
    let mut session = replica.session().await;
    let oldest = loop {
        let oldest = long_transaction::probe(&mut session).await.expect("the list");
        if oldest.as_ref().is_some_and(|oldest| oldest.seconds >= 1) {
            break oldest.expect("one");
        }
        // The server renews its list only for looks 100 ms apart: without a pause the first would stand for ever.
        tokio::time::sleep(std::time::Duration::from_millis(150)).await;
    };
    assert_eq!(oldest.connection, u64::from(holder.id()));
    let plan = planned(replica, &options, bed::config(replica)).await;
    assert!(matches!(verdict(&plan, "long_transaction"), GateVerdict::Wait { .. }), "{plan:#?}");
}

#[tokio::test]
async fn s10_an_old_transaction_is_waited_for() {
    bed::on_each(old_transactions).await;
}

async fn purge_is_behind(engine: Engine) {
    let server = Server::start(engine, Options::default()).await;
    let keyed = "CREATE TABLE d.t (id INT PRIMARY KEY, v INT)";
    server.run(&["CREATE DATABASE d", keyed, "INSERT INTO d.t VALUES (1, 1)"]).await;
    let mut reader = server.session().await;
    reader.run("START TRANSACTION WITH CONSISTENT SNAPSHOT").await.expect("begin");
    let mut session = server.session().await;
    for _ in 0..300 {
        session.run("UPDATE d.t SET v = v + 1").await.expect("an update");
    }
    let length = history_list::probe(&mut session).await;
    assert!(matches!(length, Ok(Some(200..))), "{length:?}");
    assert!(matches!(history_list::verdict(&length, 100), GateVerdict::Wait { .. }), "{length:?}");
    assert_eq!(history_list::verdict(&length, history_list::LIMIT), GateVerdict::Pass);
    assert!(matches!(history_list::verdict(&Ok(None), 100), GateVerdict::Wait { .. }));
}

#[tokio::test]
async fn s10_a_purge_that_is_behind_is_waited_for() {
    bed::on_each(purge_is_behind).await;
}

async fn stopped_replication(engine: Engine) {
    let fleet = bed::wasteful(engine, 1, 2_000).await;
    let replica = &fleet.servers[1];
    let stop = if engine == Engine::MySql { "STOP REPLICA SQL_THREAD" } else { "STOP SLAVE SQL_THREAD" };
    replica.run(&[stop]).await;
    // A replica whose channel is broken cannot be told from a promoted one: it is refused, not rebuilt.
    let failure = plan(&replica.endpoint(), &bed::config(replica), &PlanOptions::default(), &Clock::real())
        .await
        .expect_err("a stopped replica counts as a writer");
    assert_eq!(failure.code, types::Code::PrimaryCheckFailed);
}

#[tokio::test]
async fn s10_a_stopped_replica_is_not_touched() {
    bed::on_each(stopped_replication).await;
}

#[tokio::test]
async fn s10_a_backup_lock_is_seen() {
    if !Engine::MySql.is_available() {
        return eprintln!("skipped: no mysql here");
    }
    let server = Server::start(Engine::MySql, Options::default()).await;
    let mut session = server.session().await;
    assert_eq!(backup_lock::probe(&mut session).await, Ok(None));
    let mut holder = server.session().await;
    holder.run("LOCK INSTANCE FOR BACKUP").await.expect("the lock");
    assert_eq!(backup_lock::probe(&mut session).await, Ok(Some(holder.id().to_string())));
    assert!(matches!(backup_lock::verdict(&backup_lock::probe(&mut session).await), GateVerdict::Wait { .. }));
}

async fn backup_is_waited_for(engine: Engine) {
    let fleet = bed::wasteful(engine, 1, 20_000).await;
    let replica = &fleet.servers[1];
    let mut holder = replica.session().await;
    let lock = match engine {
        Engine::MySql => vec!["LOCK INSTANCE FOR BACKUP"],
        Engine::MariaDb => vec!["BACKUP STAGE START", "BACKUP STAGE BLOCK_DDL"],
    };
    for sql in lock {
        holder.run(sql).await.expect("the backup lock");
    }
    let hall = Hall::new();
    let id = hall.submit(replica, bed::config(replica)).await;
    hall.until(&id, |job| job.progress.phase.starts_with("waiting")).await;
    holder.close().await;
    assert_eq!(hall.finished(&id).await.status, api::JobStatus::Completed);
}

#[tokio::test]
async fn s10_a_backup_is_waited_for() {
    bed::on_each(backup_is_waited_for).await;
}

async fn missing_rights(engine: Engine) {
    let fleet = bed::wasteful(engine, 1, 20_000).await;
    let replica = &fleet.servers[1];
    fleet
        .primary()
        .run(&[
            "CREATE USER 'weak'@'%' IDENTIFIED BY 'weak-secret'",
            "GRANT SELECT, PROCESS, REPLICATION CLIENT, REPLICATION SLAVE ON *.* TO 'weak'@'%'",
        ])
        .await;
    if engine == Engine::MariaDb {
        fleet.primary().run(&["GRANT SLAVE MONITOR, BINLOG MONITOR ON *.* TO 'weak'@'%'"]).await;
    }
    fleet.catch_up(1, 0).await;
    let endpoint = mysql::Endpoint::new(replica.address(), "weak", Secret::new("weak-secret"));
    let plan = plan(&endpoint, &bed::config(replica), &PlanOptions::default(), &Clock::real()).await.expect("a plan");
    let GateVerdict::Refuse { reason } = verdict(&plan, "privilege") else { panic!("{plan:#?}") };
    assert!(reason.contains("ALTER"), "{reason}");
    assert!(plan.nodes[0].skipped.is_some());
    assert_eq!(plan.work().count(), 0);
}

#[tokio::test]
async fn s10_grants_are_read_and_heeded() {
    bed::on_each(missing_rights).await;
}

async fn disks_are_known_here(engine: Engine) {
    let server = Server::start(engine, Options::default()).await;
    let mut session = server.session().await;
    let disks = disk::probe(&mut session).await.expect("the disks");
    let data = disks.data.expect("a server on this machine shows its disk");
    assert!(data.free > 0 && data.total >= data.free);
}

#[tokio::test]
async fn s10_the_disk_of_a_local_server_is_known() {
    bed::on_each(disks_are_known_here).await;
}

/// A path that swallows everything in the middle of the questions: no gate takes silence for a yes.
async fn nobody_answers(engine: Engine) {
    let server = Server::start(engine, Options::default()).await;
    let proxy = Proxy::start(server.address()).await;
    let statement_limit = std::time::Duration::from_millis(300);
    let endpoint = mysql::Endpoint { statement_limit, ..server.endpoint().at(proxy.address()) };
    let mut sessions = Vec::new();
    for _ in 0..7 {
        sessions.push(mysql::Session::connect(&endpoint).await.expect("the way is open"));
    }
    let capabilities = mysql::Capabilities::probe(&mut sessions[0]).await.expect("capabilities");
    proxy.silence();
    let [first, second, third, fourth, fifth, sixth, seventh] = sessions.as_mut_slice() else {
        panic!("seven sessions")
    };
    let needs = privilege::Needs::of_table(api::WorkMode::BinlogOff, true, true);
    let verdicts = [
        ("writer", writer::verdict(&writer::probe(first, None).await, true)),
        ("lag", lag::verdict(&topology::lag(second, None).await, 10.0, true)),
        ("long_transaction", long_transaction::verdict(&long_transaction::probe(third).await, 60)),
        ("history_list", history_list::verdict(&history_list::probe(seventh).await, 60)),
        ("metadata_lock", metadata_lock::verdict(&metadata_lock::probe(fourth, &TableName::new("a", "b")).await)),
        ("backup_lock", backup_lock::verdict(&backup_lock::probe(fifth).await)),
        ("privilege", privilege::verdict(&privilege::probe(sixth, &capabilities).await, &capabilities, needs)),
    ];
    for (gate, verdict) in verdicts {
        let (GateVerdict::Wait { reason } | GateVerdict::Refuse { reason }) = verdict else { panic!("{gate} passes") };
        assert!(reason.contains("no answer") || reason.contains("unknown"), "{gate}: {reason}");
    }
    // Nor does one that is asked in a session whose last answer never came.
    assert!(matches!(backup_lock::verdict(&backup_lock::probe(first).await), GateVerdict::Wait { .. }));
    assert!(disk::probe(first).await.is_err(), "silence is not a server that does not tell");
}

#[tokio::test]
async fn no_gate_takes_silence_for_a_yes() {
    bed::on_each(nobody_answers).await;
}
