//! What a plan must always be.

use super::*;
use crate::plan::fixtures::{config, edge, fleet, node, table, topology};
use mysql::SqlError;
use proptest::prelude::*;

fn pair() -> api::ClusterTopology {
    topology(vec![node("p", 1, true), node("a", 2, false), node("b", 3, false)], vec![edge("p", "a"), edge("p", "b")])
}

#[test]
fn a_plan_shows_the_exact_statements() {
    let facts = fleet(pair(), "a", &[table("t", 500, 300)]);
    let plan = draft(&facts, &config()).expect("a plan");
    let work: Vec<_> = plan.work().collect();
    assert_eq!(work.len(), 1);
    assert_eq!(
        work[0].statements,
        [
            "SET SESSION sql_log_bin = 0",
            "SET SESSION lock_wait_timeout = 2",
            "SET SESSION sql_mode = 'ALLOW_INVALID_DATES'",
            "SET SESSION max_statement_time = 0",
            "ALTER /* drydock <job> 1 */ TABLE `d`.`t` FORCE, ALGORITHM=INPLACE, LOCK=NONE",
        ]
    );
}

#[test]
fn settings_are_put_back_in_reverse() {
    let mut facts = fleet(pair(), "a", &[table("t", 500, 300)]);
    let asked = facts.nodes.get_mut("a").expect("node a");
    asked.settings.super_read_only = true;
    asked.settings.reserve_percent = Some(12.5);
    let plan = draft(&facts, &config()).expect("a plan");
    let statements = &plan.work().next().expect("work").statements;
    assert_eq!(statements[0], "SET GLOBAL super_read_only = OFF");
    assert_eq!(statements[1], "SET GLOBAL innodb_segment_reserve_factor = 0.03");
    assert_eq!(statements[statements.len() - 2], "SET GLOBAL innodb_segment_reserve_factor = 12.5");
    assert_eq!(statements[statements.len() - 1], "SET GLOBAL super_read_only = ON");
}

#[test]
fn a_busy_table_gets_a_larger_row_log() {
    let mut facts = fleet(pair(), "a", &[table("t", 5000, 800)]);
    let asked = facts.nodes.get_mut("a").expect("node a");
    asked.tables[0].rows = 5_000_000;
    asked.write_rates = Ok([(asked.tables[0].name.clone(), 3000.0)].into());
    let plan = draft(&facts, &config()).expect("a plan");
    let statements = &plan.work().next().expect("work").statements;
    assert!(statements[0].starts_with("SET GLOBAL innodb_online_alter_log_max_size = "), "{statements:?}");
    assert_eq!(statements.last().map(String::as_str), Some("SET GLOBAL innodb_online_alter_log_max_size = 134217728"));
}

#[test]
fn a_write_rate_nobody_could_read_is_not_a_table_at_rest() {
    let mut facts = fleet(pair(), "a", &[table("t", 5000, 800)]);
    let error = SqlError::Lost { address: types::Address::new("h", 2), reason: "gone".into() };
    facts.nodes.get_mut("a").expect("node a").write_rates = Err(error);
    let plan = draft(&facts, &config()).expect("a plan");
    let work = plan.work().next().expect("work that waits");
    let gate = work.gates.iter().find(|gate| gate.name == "row_log").expect("the gate");
    let GateVerdict::Wait { reason } = &gate.verdict else { panic!("{gate:?}") };
    assert!(reason.contains("the rate of changes cannot be read"), "{reason}");
    assert!(plan.warnings.iter().any(|warning| warning.contains("how fast its tables change")), "{:?}", plan.warnings);
    assert!(work.tmp_bytes_needed >= 128 << 20, "the log may fill up to its limit: {}", work.tmp_bytes_needed);
    facts.nodes.get_mut("a").expect("node a").write_rates = Ok(std::collections::BTreeMap::new());
    let plan = draft(&facts, &config()).expect("a plan");
    let gate = plan.work().next().and_then(|work| work.gates.iter().find(|gate| gate.name == "row_log")).expect("it");
    assert!(matches!(gate.verdict, GateVerdict::Wait { .. }), "a table nobody has counted: {gate:?}");
}

#[test]
fn a_table_that_needs_more_than_the_account_may_is_left_with_the_grant_to_type() {
    let mut facts = fleet(pair(), "a", &[table("busy", 5000, 800), table("calm", 500, 300)]);
    let asked = facts.nodes.get_mut("a").expect("node a");
    asked.tables[0].rows = 5_000_000;
    asked.write_rates = Ok([(asked.tables[0].name.clone(), 3000.0), (asked.tables[1].name.clone(), 0.0)].into());
    asked.rights = Ok(privilege::rights(&["GRANT SELECT, PROCESS, ALTER ON *.* TO `d`@`%`"], true));
    let plan = draft(&facts, &config()).expect("a plan");
    assert_eq!(plan.work().map(|table| table.table.as_str()).collect::<Vec<_>>(), ["calm"]);
    let busy = &plan.nodes[0].left[0];
    let api::Strategy::Skip { reason } = &busy.strategy else { panic!("{busy:#?}") };
    assert!(reason.contains("GRANT SUPER ON *.* TO `d`@`%`"), "{reason}");
    assert!(busy.statements.is_empty() && plan.warnings.iter().any(|warning| warning.contains("d.busy")));
}

#[test]
fn unknown_names_are_refused_by_name() {
    let facts = fleet(pair(), "a", &[table("t", 500, 300)]);
    let with = |databases: &[&str], tables: &[&str]| RecycleConfig {
        databases: databases.iter().map(|name| (*name).to_owned()).collect(),
        tables: tables.iter().map(|name| (*name).to_owned()).collect(),
        ..config()
    };
    assert_eq!(draft(&facts, &with(&["nope"], &[])), Err(ReclaimError::NoSuchDatabase("nope".into())));
    assert_eq!(draft(&facts, &with(&["d"], &["x"])), Err(ReclaimError::NoSuchTable("x".into())));
    assert!(draft(&facts, &with(&["d"], &["d.t"])).is_ok());
}

#[test]
fn a_logged_statement_starts_at_the_target_and_runs_once() {
    let facts = fleet(pair(), "p", &[table("t", 500, 300)]);
    let config = RecycleConfig { mode: WorkMode::BinlogOn, exclude_primary: false, ..config() };
    let plan = draft(&facts, &config).expect("a plan");
    assert_eq!(plan.work().map(|table| table.node.as_str()).collect::<Vec<_>>(), ["h:1"]);
    assert!(plan.work().all(|table| table.statements.iter().all(|sql| !sql.contains("sql_log_bin"))));
    let replica = fleet(pair(), "a", &[table("t", 500, 300)]);
    assert!(matches!(draft(&replica, &config), Err(ReclaimError::WouldBeErrant { .. })));
}

#[test]
fn a_logged_statement_is_as_careful_as_the_weakest_server_it_reaches() {
    let config = RecycleConfig { mode: WorkMode::BinlogOn, exclude_primary: false, ..config() };
    let mut chain = topology(
        vec![node("p", 1, true), node("a", 2, false), node("b", 3, false)],
        vec![edge("p", "a"), edge("a", "b")],
    );
    let strategy = |chain: &api::ClusterTopology, config: &RecycleConfig| {
        let plan = draft(&fleet(chain.clone(), "p", &[table("t", 500, 300)]), config).expect("a plan");
        plan.work().next().map(|table| table.strategy.clone())
    };
    assert_eq!(strategy(&chain, &config), Some(api::Strategy::InPlace));
    chain.nodes[2].version = "10.11.8-MariaDB".into();
    // Copied, or left because a copy would gain nothing.
    assert_ne!(strategy(&chain, &config), Some(api::Strategy::InPlace));
    let unlogged = RecycleConfig { mode: WorkMode::BinlogOff, ..config };
    assert_eq!(strategy(&chain, &unlogged), Some(api::Strategy::InPlace), "what is not logged reaches nobody");
}

#[test]
fn a_refusing_gate_skips_the_node_with_its_reason() {
    let mut facts = fleet(pair(), "p", &[table("t", 500, 300)]);
    let gate = named("privilege", GateVerdict::Refuse { reason: "the account lacks ALTER".into() });
    facts.nodes.get_mut("a").expect("node a").gates.push(gate);
    let plan = draft(&facts, &config()).expect("a plan");
    assert!(plan.nodes[0].skipped.as_ref().is_some_and(|why| why.contains("lacks ALTER")));
    assert_eq!(plan.work().count(), 1);
}

proptest! {
    #[test]
    fn sums_batches_and_order_hold(
        sizes in proptest::collection::vec((1i64..5000, -500i64..5000), 0..20),
        batch_size in 1u32..7,
        target in prop_oneof![Just("p"), Just("a")],
    ) {
        let tables: Vec<_> =
            sizes.iter().enumerate().map(|(i, (file, freed))| table(&format!("t{i}"), *file, *freed.min(file))).collect();
        let config = RecycleConfig { batch_size, ..config() };
        let plan = draft(&fleet(pair(), target, &tables), &config).expect("a plan");
        prop_assert_eq!(plan.file_bytes, plan.work().map(|t| t.estimate.file_bytes).sum::<u64>());
        prop_assert_eq!(plan.predicted_freed_bytes, plan.work().map(|t| t.estimate.predicted_freed_bytes).sum::<i64>());
        prop_assert!(plan.work().all(|t| t.node != "h:1" && t.estimate.predicted_low_bytes > 0));
        for node in plan.nodes.iter().filter(|node| node.skipped.is_none()) {
            let work: Vec<_> = node.batches.iter().flat_map(|batch| &batch.tables).collect();
            prop_assert_eq!(work.len() + node.left.len(), tables.len());
            prop_assert!(work.windows(2).all(|two| two[0].gain_per_byte >= two[1].gain_per_byte));
            prop_assert!(node.batches.iter().all(|batch| batch.tables.len() <= batch_size as usize));
            let all_skipped = node.left.iter().all(|table| matches!(table.strategy, api::Strategy::Skip { .. }));
            prop_assert!(all_skipped);
        }
        let mut markers: Vec<_> = plan.work().filter_map(|t| t.statements.iter().find(|s| s.starts_with("ALTER"))).collect();
        let count = markers.len();
        markers.sort();
        markers.dedup_by_key(|s| s.split("*/").next().map(str::to_owned));
        prop_assert_eq!(markers.len(), count);
        prop_assert_eq!(draft(&fleet(pair(), target, &tables), &config).expect("again"), plan);
    }
}
