//! What the privilege gate makes of accounts that may do a little less: it names the right, or fails closed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops loudly where it stands")]

mod bed;

use api::{GateVerdict, Plan, RecycleConfig, Strategy};
use reclaim::{
    census,
    estimate::FileAccess,
    gates::{long_transaction, metadata_lock},
    plan::{PlanOptions, plan},
};
use runtime::Clock;
use testkit::{Engine, Fleet, PASSWORD, Server};
use types::{Secret, TableName};

const NAME: &str = "weak";

/// What every account here has: enough to look, and to rebuild by the plainest way.
fn plain(engine: Engine) -> &'static str {
    match engine {
        Engine::MySql => {
            "SELECT, PROCESS, REPLICATION CLIENT, REPLICATION SLAVE, ALTER, CONNECTION_ADMIN, SYSTEM_VARIABLES_ADMIN"
        }
        Engine::MariaDb => {
            "SELECT, PROCESS, REPLICATION MASTER ADMIN, REPLICA MONITOR, ALTER, READ ONLY ADMIN, BINLOG ADMIN"
        }
    }
}

/// Runs statements on the primary, with the account's name where `WHO` stands, and waits for the replica.
async fn grant(fleet: &Fleet, statements: &[&str]) {
    let who = format!("'{NAME}'@'%'");
    let all: Vec<String> = statements.iter().map(|sql| sql.replace("WHO", &who)).collect();
    fleet.primary().run(&all.iter().map(String::as_str).collect::<Vec<_>>()).await;
    fleet.catch_up(1, 0).await;
}

async fn weak(fleet: &Fleet, rights: &str) {
    let create = format!("CREATE USER WHO IDENTIFIED BY '{PASSWORD}'");
    grant(fleet, &[&create, &format!("GRANT {rights} ON *.* TO WHO")]).await;
}

fn endpoint(server: &Server) -> mysql::Endpoint {
    mysql::Endpoint::new(server.address(), NAME, Secret::new(PASSWORD))
}

async fn planned(server: &Server) -> Plan {
    let config: RecycleConfig = bed::config(server);
    plan(&endpoint(server), &config, &PlanOptions::default(), &Clock::real()).await.expect("a plan")
}

/// Why a table is left alone by the privilege gate; `None` if it is not.
fn refused(plan: &Plan, table: &str) -> Option<String> {
    let left = plan.nodes.iter().flat_map(|node| &node.left).find(|left| left.table == table)?;
    let gate = left.gates.iter().find(|gate| gate.name == "privilege")?;
    assert!(matches!(left.strategy, Strategy::Skip { .. }) && left.statements.is_empty(), "{left:#?}");
    match &gate.verdict {
        GateVerdict::Refuse { reason } => Some(reason.clone()),
        other => panic!("{other:?}"),
    }
}

fn works_on(plan: &Plan, table: &str) -> bool {
    plan.work().any(|work| work.table == table)
}

async fn cannot_stop_the_applier(engine: Engine) {
    let fleet = bed::impatient(engine).await;
    let replica = &fleet.servers[1];
    weak(&fleet, plain(engine)).await;
    let plan = planned(replica).await;
    let right = if engine == Engine::MySql { "REPLICATION_SLAVE_ADMIN" } else { "REPLICATION SLAVE ADMIN" };
    let reason = refused(&plan, "texts").unwrap_or_else(|| panic!("not refused: {plan:#?}"));
    assert!(reason.contains(&format!("GRANT {right} ON *.* TO `{NAME}`@`%`")), "{reason}");
    // Tables that do without it are not kept from their turn. MySQL copies them all.
    assert_eq!(works_on(&plan, "orders"), engine == Engine::MariaDb, "{plan:#?}");
    grant(&fleet, &[&format!("GRANT {right} ON *.* TO WHO")]).await;
    let plan = planned(replica).await;
    let texts = plan.work().find(|work| work.table == "texts").unwrap_or_else(|| panic!("left alone: {plan:#?}"));
    assert_eq!(texts.strategy, Strategy::Copy { stop_applier: true });
}

#[tokio::test]
async fn the_right_to_stop_the_applier_is_asked_for_in_the_plan() {
    bed::on_each(cannot_stop_the_applier).await;
}

/// Only MariaDB's builds here rebuild online, so only there is a row log raised; the right is SUPER and no other.
#[tokio::test]
async fn the_right_to_raise_the_row_log_is_asked_for_in_the_plan() {
    let fleet = bed::wasteful(Engine::MariaDb, 1, 60_000).await;
    let replica = &fleet.servers[1];
    // MariaDB counts changes of all tables together, so those of another will do.
    bed::fill(fleet.primary(), "shop", "noise", 2_000, "").await;
    weak(&fleet, plain(Engine::MariaDb)).await;
    assert!(works_on(&planned(replica).await, "orders"), "a quiet table needs no larger log");
    replica.run(&["SET GLOBAL innodb_online_alter_log_max_size = 65536"]).await;
    let mut writer = fleet.primary().session().await;
    let busy = tokio::spawn(async move {
        loop {
            writer.run("UPDATE shop.noise SET v = CONCAT(LEFT(v, 100), RAND())").await.expect("an update");
        }
    });
    let (mut reason, mut with) = (None, false);
    // The rate is what the half second of the plan happened to see; under load a plan may see none.
    for _ in 0..20 {
        reason = reason.or(refused(&planned(replica).await, "orders"));
        if reason.is_some() {
            break;
        }
    }
    fleet.primary().run(&[&format!("GRANT SUPER ON *.* TO '{NAME}'@'%'")]).await;
    while replica.value(&format!("SELECT COUNT(*) FROM mysql.user WHERE User = '{NAME}' AND Super_priv = 'Y'")).await
        != "1"
    {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    for _ in 0..20 {
        let plan = planned(replica).await;
        assert_eq!(refused(&plan, "orders"), None);
        let raises = |sql: &String| sql.starts_with("SET GLOBAL innodb_online_alter_log_max_size");
        with = plan.work().any(|work| work.statements.iter().any(raises));
        if with {
            break;
        }
    }
    busy.abort();
    let reason = reason.expect("a refusal");
    assert!(reason.contains(&format!("GRANT SUPER ON *.* TO `{NAME}`@`%`")), "{reason}");
    assert!(with, "with the right the log is raised");
}

async fn roles_count_when_in_force(engine: Engine) {
    let fleet = bed::wasteful(engine, 1, 20_000).await;
    let replica = &fleet.servers[1];
    let (base, more) = plain(engine).split_once(", ALTER").expect("ALTER in the middle");
    weak(&fleet, base).await;
    let role = format!("GRANT ALTER{more} ON *.* TO hand");
    grant(&fleet, &["CREATE ROLE hand", &role, "GRANT hand TO WHO"]).await;
    let plan = planned(replica).await;
    let gate = plan.nodes[0].gates.iter().find(|gate| gate.name == "privilege").expect("the gate");
    let GateVerdict::Refuse { reason } = &gate.verdict else { panic!("a role that is not in force: {plan:#?}") };
    assert!(reason.contains("ALTER") && reason.contains("default role"), "{reason}");
    assert_eq!(plan.work().count(), 0);
    let default =
        if engine == Engine::MySql { "SET DEFAULT ROLE hand TO WHO" } else { "SET DEFAULT ROLE hand FOR WHO" };
    grant(&fleet, &[default]).await;
    let plan = planned(replica).await;
    assert!(works_on(&plan, "orders"), "a default role counts: {plan:#?}");
}

#[tokio::test]
async fn a_role_counts_if_it_is_in_force_after_login() {
    bed::on_each(roles_count_when_in_force).await;
}

async fn rights_on_other_databases(engine: Engine) {
    let fleet = bed::wasteful(engine, 1, 20_000).await;
    let replica = &fleet.servers[1];
    weak(&fleet, &plain(engine).replace(", ALTER", "")).await;
    grant(&fleet, &["CREATE DATABASE elsewhere", "GRANT ALTER ON elsewhere.* TO WHO"]).await;
    let reason = refused(&planned(replica).await, "orders").expect("ALTER elsewhere is none here");
    assert!(reason.contains(&format!("GRANT ALTER ON `shop`.`orders` TO `{NAME}`@`%`")), "{reason}");
    grant(&fleet, &["GRANT ALTER ON shop.orders TO WHO"]).await;
    assert!(works_on(&planned(replica).await, "orders"));
}

#[tokio::test]
async fn a_right_on_another_database_is_none_on_this() {
    bed::on_each(rights_on_other_databases).await;
}

#[tokio::test]
async fn a_partial_revoke_is_heeded() {
    if !Engine::MySql.is_available() {
        return eprintln!("skipped: no mysql here");
    }
    let fleet = bed::wasteful(Engine::MySql, 1, 20_000).await;
    let replica = &fleet.servers[1];
    for server in &fleet.servers {
        server.run(&["SET GLOBAL partial_revokes = ON"]).await;
    }
    weak(&fleet, plain(Engine::MySql)).await;
    grant(&fleet, &["GRANT REPLICATION_SLAVE_ADMIN ON *.* TO WHO", "REVOKE ALTER ON shop.* FROM WHO"]).await;
    let reason = refused(&planned(replica).await, "orders").expect("ALTER is revoked here");
    assert!(reason.contains("GRANT ALTER ON `shop`.`orders`"), "{reason}");
    // With partial revokes a pattern is a name like any other.
    grant(&fleet, &["GRANT ALTER ON `sho_`.* TO WHO"]).await;
    assert!(refused(&planned(replica).await, "orders").is_some());
    grant(&fleet, &["GRANT ALTER ON shop.* TO WHO"]).await;
    assert!(works_on(&planned(replica).await, "orders"));
}

/// Without PROCESS the process list shows an account its own sessions and says nothing of the others.
async fn blind(engine: Engine) {
    let fleet = bed::wasteful(engine, 1, 2_000).await;
    let replica = &fleet.servers[1];
    weak(&fleet, &plain(engine).replace(" PROCESS,", "")).await;
    let mut holder = replica.session().await;
    holder.run("START TRANSACTION WITH CONSISTENT SNAPSHOT").await.expect("begin");
    holder.run("SELECT * FROM shop.orders LIMIT 1").await.expect("a lock");
    let mut session = mysql::Session::connect(&endpoint(replica)).await.expect("a session");
    let list = session.value("SELECT COUNT(*) FROM information_schema.PROCESSLIST").await.expect("the list");
    assert_eq!(list.as_deref(), Some("1"), "its own session only");
    let old = long_transaction::verdict(&long_transaction::probe(&mut session).await, 60);
    // MySQL's performance schema shows the lock on `orders` to everybody; who queues for another is in the list alone.
    let locks = metadata_lock::verdict(&metadata_lock::probe(&mut session, &TableName::new("shop", "other")).await);
    for (gate, verdict) in [("long_transaction", old), ("metadata_lock", locks)] {
        let GateVerdict::Refuse { reason } = &verdict else { panic!("{gate} is blind and says {verdict:?}") };
        assert!(reason.contains("PROCESS"), "{gate}: {reason}");
    }
    let caps = mysql::Capabilities::probe(&mut session).await.expect("capabilities");
    let census = census::take(&mut session, &caps, &FileAccess::Auto).await;
    assert!(census.as_ref().is_err_and(mysql::SqlError::is_denied), "{census:?}");
    let failure = plan(&endpoint(replica), &bed::config(replica), &PlanOptions::default(), &Clock::real())
        .await
        .expect_err("nothing is planned by the blind");
    assert_eq!(failure.code, types::Code::Forbidden, "{failure:?}");
    assert!(failure.detail("error").contains("PROCESS"), "{failure:?}");
}

#[tokio::test]
async fn without_process_every_gate_that_reads_the_list_refuses() {
    bed::on_each(blind).await;
}
