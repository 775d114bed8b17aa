//! How a table is rebuilt.

use super::*;
use crate::{
    estimate::PartitionFacts,
    plan::fixtures::{asked, config, mariadb, node, table},
};

fn on(capabilities: Capabilities) -> NodeFacts {
    NodeFacts { capabilities, ..asked(vec![]) }
}

fn partition(name: &str, file: i64, freed: i64) -> PartitionFacts {
    let whole = table("x", file, freed);
    PartitionFacts {
        name: name.into(),
        subpartition: None,
        rows: 1,
        estimate: whole.estimate,
        rebuilt_bytes: whole.rebuilt_bytes,
    }
}

fn partitioned(parts: Vec<PartitionFacts>) -> TableFacts {
    let sum = |f: fn(&PartitionFacts) -> i64| parts.iter().map(f).sum::<i64>() >> 20;
    let file = sum(|part| i64::try_from(part.estimate.file_bytes).unwrap());
    let freed = sum(|part| part.estimate.predicted_freed_bytes);
    TableFacts { partitions: parts, ..table("t", file, freed) }
}

#[test]
fn plain_tables_go_in_place() {
    let decision = decide(&table("t", 500, 300), &on(mariadb()), None, &config());
    assert_eq!((decision.strategy, decision.lock), (Strategy::InPlace, LockClass::None));
}

#[test]
fn spatial_indexes_need_a_shared_lock() {
    let spatial = TableFacts { has_spatial: true, ..table("t", 500, 300) };
    assert_eq!(decide(&spatial, &on(mariadb()), None, &config()).lock, LockClass::Shared);
}

#[test]
fn fulltext_and_affected_builds_are_copied() {
    let fulltext = TableFacts { has_fulltext: true, ..table("t", 500, 300) };
    assert!(matches!(
        decide(&fulltext, &on(mariadb()), None, &config()).strategy,
        Strategy::Copy { stop_applier: false }
    ));
    let affected = Capabilities { flavor: Flavor::MySql, version: Version(9, 7, 4), ..mariadb() };
    let decision = decide(&table("t", 500, 300), &on(affected), None, &config());
    assert!(matches!(decision.strategy, Strategy::Copy { .. }));
    assert!(decision.remark.is_some_and(|remark| remark.contains("#115608")));
}

#[test]
fn a_logged_rebuild_is_copied_for_the_sake_of_those_below() {
    let sound = node("a", 2, false);
    let affected = GraphNode { flavor: "mysql".into(), version: "8.0.36".into(), ..node("b", 3, false) };
    let silent = GraphNode { reach: Reach::BeyondDepth, ..node("c", 4, false) };
    let unnamed = GraphNode { version: String::new(), ..node("d", 5, false) };
    assert_eq!(doubt_below(&[&sound]), None);
    for (bad, word) in [(&affected, "#115608"), (&silent, "not known"), (&unnamed, "not known")] {
        let doubt = doubt_below(&[&sound, bad]).expect("a doubt");
        assert!(doubt.contains(word) && doubt.contains(&bad.address.to_string()), "{doubt}");
        let decision = decide(&table("t", 500, 300), &on(mariadb()), Some(&doubt), &config());
        assert!(matches!(decision.strategy, Strategy::Copy { .. }));
        assert_eq!((decision.lock, decision.remark), (LockClass::Shared, Some(doubt)));
    }
}

#[test]
fn an_impatient_applier_is_stopped_for_a_copy() {
    let mut node = on(mariadb());
    node.settings.applier_patience = 5.0;
    let fulltext = TableFacts { has_fulltext: true, ..table("t", 5000, 300) };
    assert!(matches!(decide(&fulltext, &node, None, &config()).strategy, Strategy::Copy { stop_applier: true }));
}

#[test]
fn only_the_partitions_that_pay_are_rebuilt() {
    let few = partitioned(vec![partition("p0", 400, 380), partition("p1", 400, 0), partition("p2", 400, 2)]);
    let decision = decide(&few, &on(mariadb()), None, &config());
    assert_eq!(decision.strategy, Strategy::Partitions { names: vec!["p0".into()] });
    assert_eq!(decision.estimate.predicted_freed_bytes, 380 << 20);
    let all = partitioned(vec![partition("p0", 400, 300), partition("p1", 400, 300)]);
    assert_eq!(decide(&all, &on(mariadb()), None, &config()).strategy, Strategy::InPlace);
}

#[test]
fn what_cannot_gain_is_skipped_with_the_reason() {
    for engine in ["MEMORY", "CSV", "ARCHIVE", "MyISAM", "Aria", "ROCKSDB"] {
        let foreign = TableFacts { engine: engine.into(), ..table("t", 500, 300) };
        let Strategy::Skip { reason } = decide(&foreign, &on(mariadb()), None, &config()).strategy else {
            panic!("{engine} is rebuilt")
        };
        assert!(!reason.is_empty());
    }
    let shared = TableFacts { shared_tablespace: true, ..table("t", 500, 300) };
    assert!(matches!(decide(&shared, &on(mariadb()), None, &config()).strategy, Strategy::Skip { .. }));
}

/// Both engines put a copy where `innodb_file_per_table` says at that moment: into `ibdata1`, from where nothing comes back.
#[test]
fn a_copy_that_would_land_in_the_system_tablespace_is_not_made() {
    let mut shares = on(mariadb());
    shares.settings.copies_are_shared = true;
    let fulltext = TableFacts { has_fulltext: true, ..table("t", 500, 300) };
    let Strategy::Skip { reason } = decide(&fulltext, &shares, None, &config()).strategy else {
        panic!("it is copied")
    };
    assert!(reason.contains("innodb_file_per_table = ON"), "{reason}");
    assert_eq!(decide(&table("t", 500, 300), &shares, None, &config()).strategy, Strategy::InPlace, "it stays");
}

#[test]
fn a_group_is_not_kept_waiting() {
    let member = |group, applier_patience| {
        let mut node = NodeFacts {
            capabilities: Capabilities { flavor: Flavor::MySql, version: Version(9, 7, 4), ..mariadb() },
            ..asked(vec![])
        };
        (node.settings.group, node.settings.applier_patience) = (group, applier_patience);
        decide(&table("t", 500, 300), &node, None, &config()).strategy
    };
    assert_eq!(member(None, 5.0), Strategy::Copy { stop_applier: true });
    assert_eq!(member(Some(GroupDemand::Order), 1e9), Strategy::Copy { stop_applier: false });
    for (demand, patience, word) in
        [(GroupDemand::Order, 5.0, "lock_wait_timeout"), (GroupDemand::Applied, 1e9, "consistency")]
    {
        let Strategy::Skip { reason } = member(Some(demand), patience) else { panic!("{demand:?} is worked on") };
        assert!(reason.contains(word), "{reason}");
    }
    let online = NodeFacts {
        settings: crate::plan::facts::Settings { group: Some(GroupDemand::Applied), ..asked(vec![]).settings },
        ..asked(vec![])
    };
    assert_eq!(decide(&table("t", 500, 300), &online, None, &config()).strategy, Strategy::InPlace, "writes go on");
}
