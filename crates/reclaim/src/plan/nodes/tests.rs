//! Which nodes a job works on.

use super::*;
use crate::plan::fixtures::{config, edge, node, topology};
use proptest::prelude::*;

fn chain() -> ClusterTopology {
    let nodes = vec![node("p", 1, true), node("i", 2, false), node("a", 3, false), node("b", 4, false)];
    topology(nodes, vec![edge("p", "i"), edge("i", "a"), edge("p", "b")])
}

fn ids(choices: &[Choice]) -> Vec<&str> {
    choices.iter().map(|choice| choice.id.as_str()).collect()
}

#[test]
fn naming_a_replica_covers_that_replica() {
    let choices = choose(&chain(), "i", &config()).expect("a choice");
    assert_eq!(ids(&choices), ["i"]);
}

#[test]
fn naming_the_primary_covers_every_replica_leaves_first_and_never_itself() {
    let choices = choose(&chain(), "p", &config()).expect("a choice");
    assert_eq!(ids(&choices), ["a", "b", "i"]);
}

#[test]
fn the_primary_comes_last_when_it_is_allowed() {
    let config = RecycleConfig { exclude_primary: false, ..config() };
    assert_eq!(ids(&choose(&chain(), "p", &config).expect("a choice")), ["a", "b", "i", "p"]);
}

#[test]
fn a_fleet_scope_covers_all_and_shows_the_excluded() {
    let config = RecycleConfig { scope: Scope::Fleet, ..config() };
    let choices = choose(&chain(), "a", &config).expect("a choice");
    assert_eq!(ids(&choices), ["a", "b", "i", "p"]);
    assert!(choices[3].skipped.is_some());
}

#[test]
fn a_primary_without_replicas_is_refused() {
    let alone = topology(vec![node("p", 1, true)], vec![]);
    assert!(matches!(choose(&alone, "p", &config()), Err(ReclaimError::TargetIsWriter { .. })));
    let node_only = RecycleConfig { scope: Scope::Node, ..config() };
    assert!(matches!(choose(&chain(), "p", &node_only), Err(ReclaimError::TargetIsWriter { .. })));
}

/// S5: two primaries that replicate from each other are both writers; neither may be rebuilt.
#[test]
fn s5_dual_writers_are_both_refused() {
    let ring = topology(vec![node("p", 1, true), node("q", 2, true)], vec![edge("p", "q"), edge("q", "p")]);
    assert!(matches!(choose(&ring, "p", &config()), Err(ReclaimError::TargetIsWriter { .. })));
}

#[test]
fn binlog_on_on_a_primary_needs_leave() {
    let logged = RecycleConfig { mode: WorkMode::BinlogOn, ..config() };
    assert!(matches!(choose(&chain(), "p", &logged), Err(ReclaimError::LoggedOnWriter { .. })));
    let allowed = RecycleConfig { exclude_primary: false, ..logged };
    assert_eq!(ids(&choose(&chain(), "p", &allowed).expect("a choice")), ["a", "b", "i", "p"]);
}

/// Leave to touch writers is refused to a Galera member as well, so it must not be told to ask for it.
#[test]
fn a_galera_member_is_told_what_can_be_done() {
    let cluster = topology(vec![GraphNode { role: "galera".into(), ..node("p", 1, true) }], vec![]);
    for mode in [WorkMode::BinlogOff, WorkMode::BinlogOn] {
        let refused = choose(&cluster, "p", &RecycleConfig { mode, ..config() }).expect_err("all members take writes");
        let failure = types::Failure::from(refused);
        let next = failure.detail("next");
        assert_eq!(failure.code, types::Code::PrimaryCheckFailed);
        assert!(next.contains("RSU") && !next.contains("exclude_primary"), "{mode:?}: {next}");
    }
}

proptest! {
    /// Any graph, rings and several writers included: never a writer in the work, each node once, order independent of
    /// the order nodes and edges were found in.
    #[test]
    fn never_a_writer_and_always_the_same_order(
        writers in proptest::collection::vec(any::<bool>(), 1..8),
        links in proptest::collection::vec((0..8usize, 0..8usize), 0..16),
        target in 0..8usize,
        scope in prop_oneof![Just(Scope::Auto), Just(Scope::Node), Just(Scope::Fleet)],
    ) {
        let name = |index: usize| format!("n{index}");
        let nodes: Vec<_> =
            writers.iter().enumerate().map(|(i, w)| node(&name(i), u16::try_from(i).unwrap() + 1, *w)).collect();
        let links: Vec<_> = links.into_iter().filter(|(a, b)| a != b && *a < nodes.len() && *b < nodes.len()).collect();
        let edges: Vec<_> = links.iter().map(|(a, b)| edge(&name(*a), &name(*b))).collect();
        let target = name(target % nodes.len());
        let config = RecycleConfig { scope, ..config() };
        let found = topology(nodes.clone(), edges.clone());
        let turned = topology(nodes.into_iter().rev().collect(), edges.into_iter().rev().collect());
        let (one, two) = (choose(&found, &target, &config), choose(&turned, &target, &config));
        prop_assert_eq!(&one, &two);
        let Ok(choices) = one else { return Ok(()) };
        for choice in &choices {
            let writer = found.nodes.iter().any(|node| node.id == choice.id && node.writer);
            prop_assert!(!writer || choice.skipped.is_some());
        }
        let mut unique = ids(&choices);
        unique.sort_unstable();
        unique.dedup();
        prop_assert_eq!(unique.len(), choices.len());
    }
}
