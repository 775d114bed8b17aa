//! Plans on real fleets: what they name, what they refuse, and that making one changes nothing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops loudly where it stands")]

mod bed;

use api::{RecycleConfig, Strategy, WorkMode};
use reclaim::plan::{PlanOptions, plan};
use runtime::Clock;
use testkit::{Engine, Server};
use types::Code;

/// Everything a plan could have changed.
async fn state(server: &Server) -> String {
    let gtids = match server.engine() {
        Engine::MariaDb => "SELECT CONCAT(@@gtid_binlog_pos, '/', @@gtid_slave_pos)",
        Engine::MySql => "SELECT @@gtid_executed",
    };
    let mut session = server.session().await;
    let mut all = vec![session.value(gtids).await.expect("gtids").unwrap_or_default()];
    for row in session.rows("SHOW GLOBAL VARIABLES").await.expect("variables") {
        let name = row.text("Variable_name").unwrap_or_default();
        // These move by themselves.
        if !["timestamp", "gtid", "in_transaction", "pseudo", "rand_seed"].iter().any(|word| name.contains(word)) {
            all.push(format!("{name}={}", row.text("Value").unwrap_or_default()));
        }
    }
    let sql = "SELECT TABLE_SCHEMA, TABLE_NAME, CREATE_TIME FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'shop'";
    for row in session.rows(sql).await.expect("tables") {
        all.push(format!("{row:?}"));
    }
    session.close().await;
    all.join("\n")
}

async fn names_the_waste_and_changes_nothing(engine: Engine) {
    let fleet = bed::wasteful(engine, 2, 60_000).await;
    let before = [state(&fleet.servers[0]).await, state(&fleet.servers[1]).await, state(&fleet.servers[2]).await];
    let request = bed::config(fleet.primary());
    let plan =
        plan(&fleet.primary().endpoint(), &request, &PlanOptions::default(), &Clock::real()).await.expect("a plan");
    let work: Vec<_> = plan.work().collect();
    assert_eq!(work.len(), 2, "{plan:#?}");
    for table in &work {
        assert_eq!((table.database.as_str(), table.table.as_str()), ("shop", "orders"));
        assert!(table.estimate.predicted_freed_bytes > 8 << 20, "{table:#?}");
        assert_ne!(table.node, fleet.primary().address().to_string());
        assert!(table.statements.iter().any(|sql| sql == "SET SESSION sql_log_bin = 0"), "{table:#?}");
        assert!(table.gates.iter().all(|gate| gate.verdict == api::GateVerdict::Pass), "{table:#?}");
    }
    assert!(plan.nodes.iter().all(|node| node.gates.iter().all(|g| g.verdict == api::GateVerdict::Pass)), "{plan:#?}");
    let after = [state(&fleet.servers[0]).await, state(&fleet.servers[1]).await, state(&fleet.servers[2]).await];
    assert_eq!(before, after);
}

#[tokio::test]
async fn a_plan_names_the_waste_and_changes_nothing() {
    bed::on_each(names_the_waste_and_changes_nothing).await;
}

async fn refuses_by_code(engine: Engine) {
    let fleet = bed::wasteful(engine, 1, 2_000).await;
    let (primary, replica) = (&fleet.servers[0], &fleet.servers[1]);
    let ask = async |server: &Server, config: RecycleConfig| {
        plan(&server.endpoint(), &config, &PlanOptions::default(), &Clock::real()).await
    };
    let unknown = RecycleConfig { databases: vec!["nope".into()], ..bed::config(replica) };
    let failure = ask(replica, unknown).await.expect_err("an unknown database");
    assert_eq!((failure.code, failure.detail("database")), (Code::InvalidArgument, "nope"));
    let unknown = RecycleConfig { tables: vec!["shop.nope".into()], ..bed::config(replica) };
    let failure = ask(replica, unknown).await.expect_err("an unknown table");
    assert_eq!((failure.code, failure.detail("table")), (Code::InvalidArgument, "shop.nope"));
    let node = RecycleConfig { scope: api::Scope::Node, ..bed::config(primary) };
    let failure = ask(primary, node).await.expect_err("a writer");
    assert_eq!(failure.code, Code::PrimaryCheckFailed);
    assert!(!failure.detail("next").is_empty());
    let logged = RecycleConfig { mode: WorkMode::BinlogOn, ..bed::config(primary) };
    assert_eq!(ask(primary, logged).await.expect_err("a logged writer").code, Code::PrimaryCheckFailed);
    let logged = RecycleConfig { mode: WorkMode::BinlogOn, ..bed::config(replica) };
    assert_eq!(ask(replica, logged).await.expect_err("an errant statement").code, Code::PrimaryCheckFailed);
}

#[tokio::test]
async fn refusals_bear_their_codes() {
    bed::on_each(refuses_by_code).await;
}

async fn chooses_ways(engine: Engine) {
    let fleet = bed::fleet(engine, 1).await;
    let primary = fleet.primary();
    bed::fill(primary, "Größe`d", "表 \"x\".y", 20_000, "").await;
    bed::scatter(primary, "Größe`d", "表 \"x\".y").await;
    bed::fill(primary, "shop", "memo", 100, "ENGINE=MEMORY").await;
    bed::fill(primary, "shop", "texts", 20_000, "").await;
    primary.run(&["ALTER TABLE shop.texts ADD FULLTEXT (v)"]).await;
    bed::scatter(primary, "shop", "texts").await;
    fleet.catch_up(1, 0).await;
    fleet.servers[1].settled().await;
    let replica = &fleet.servers[1];
    let plan = plan(&replica.endpoint(), &bed::config(replica), &PlanOptions::default(), &Clock::real()).await;
    let plan = plan.expect("a plan");
    let quoted = plan.work().find(|table| table.table == "表 \"x\".y").expect("the quoted table");
    assert_eq!(quoted.database, "Größe`d");
    let alter = quoted.statements.iter().find(|sql| sql.starts_with("ALTER")).expect("an ALTER");
    assert!(alter.contains("`Größe``d`.`表 \"x\".y`"), "{alter}");
    let texts = plan.work().find(|table| table.table == "texts").expect("the table with FULLTEXT");
    assert!(matches!(texts.strategy, Strategy::Copy { .. }), "{texts:#?}");
    let left: Vec<_> = plan.nodes.iter().flat_map(|node| &node.left).collect();
    let memo = left.iter().find(|table| table.table == "memo").expect("the MEMORY table is shown");
    assert!(matches!(&memo.strategy, Strategy::Skip { reason } if reason.contains("memory")));
}

#[tokio::test]
async fn each_table_gets_its_way() {
    bed::on_each(chooses_ways).await;
}
