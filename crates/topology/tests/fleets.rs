//! Discovery on real fleets of both engines, from any member.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops loudly where it stands")]

mod support;

use api::{ClusterTopology, Reach};
use support::{discover_from, edge, node_at, on_each_engine, options};
use testkit::{Engine, Fleet, Server};

fn is_whole(picture: &ClusterTopology, fleet: &Fleet) {
    assert_eq!(picture.nodes.len(), fleet.servers.len(), "{picture:#?}");
    assert!(picture.nodes.iter().all(|node| node.reach == Reach::Reached), "{picture:#?}");
}

async fn a_primary_and_two_replicas(engine: Engine) {
    let fleet = Fleet::start(engine, 2).await;
    let mut ids = Vec::new();
    for seed in &fleet.servers {
        let picture = discover_from(seed, &options()).await;
        is_whole(&picture, &fleet);
        let master = picture.topology.master.as_ref().expect("a primary was named");
        assert_eq!((master.port, master.role.as_str()), (fleet.primary().address().port, "master"));
        assert_eq!(master.slaves.len(), 2, "{picture:#?}");
        assert!(master.slaves.iter().all(|slave| slave.read_only && slave.role == "slave" && slave.lag_seconds >= 0));
        assert!(picture.topology.slaves.is_empty());
        for replica in &fleet.servers[1..] {
            let link = edge(&picture, fleet.primary(), replica);
            assert_eq!(link.healthy, Some(true));
            let tellers: Vec<&str> = link.evidence.iter().map(|proof| proof.told_by.as_str()).collect();
            assert!(tellers.contains(&node_at(&picture, fleet.primary()).id.as_str()), "{link:#?}");
            assert!(tellers.contains(&node_at(&picture, replica).id.as_str()), "{link:#?}");
            let (found, role) = (node_at(&picture, replica), "replica");
            assert_eq!((found.role.as_str(), found.writer), (role, false), "{found:#?}");
        }
        assert!(node_at(&picture, fleet.primary()).writer);
        assert!(picture.warnings.is_empty(), "{:#?}", picture.warnings);
        ids.push(picture.cluster_id);
    }
    ids.dedup();
    assert_eq!(ids.len(), 1, "the cluster has one id from wherever it is seen");
}

async fn a_chain(engine: Engine) {
    let fleet = Fleet::start(engine, 1).await;
    let last = Server::start(engine, testkit::Options::default()).await;
    let mut fleet = fleet;
    fleet.servers.push(last);
    fleet.attach(2, 1).await;
    fleet.protect(2).await;
    for seed in &fleet.servers {
        let picture = discover_from(seed, &options()).await;
        is_whole(&picture, &fleet);
        let master = picture.topology.master.as_ref().expect("a primary was named");
        assert_eq!(master.slaves[0].slaves[0].port, fleet.servers[2].address().port, "{picture:#?}");
        assert_eq!(node_at(&picture, &fleet.servers[1]).role, "intermediate");
    }
    let near = discover_from(&fleet.servers[0], &topology::DiscoverOptions { max_depth: 1, ..options() }).await;
    assert_eq!(node_at(&near, &fleet.servers[1]).reach, Reach::Reached, "{near:#?}");
    assert_eq!(node_at(&near, &fleet.servers[2]).reach, Reach::BeyondDepth, "{near:#?}");
    let alone = discover_from(&fleet.servers[0], &topology::DiscoverOptions { max_depth: 0, ..options() }).await;
    assert_eq!(alone.nodes.iter().filter(|node| node.reach == Reach::Reached).count(), 1, "{alone:#?}");
}

async fn a_ring_of_two_writers(engine: Engine) {
    let fleet = Fleet::start(engine, 1).await;
    fleet.attach(0, 1).await;
    support::make_writable(&fleet.servers[1]).await;
    for seed in &fleet.servers {
        let picture = discover_from(seed, &options()).await;
        is_whole(&picture, &fleet);
        assert_eq!(picture.edges.len(), 2, "{picture:#?}");
        let master = picture.topology.master.as_ref().expect("one of the two leads the tree");
        assert_eq!(master.slaves.len(), 1);
        assert!(master.slaves[0].slaves.is_empty(), "the ring is cut: {picture:#?}");
        assert!(picture.nodes.iter().all(|node| node.writer && node.role == "primary"), "{picture:#?}");
        assert!(picture.warnings.iter().any(|text| text.contains("ring")), "{:?}", picture.warnings);
        assert!(picture.warnings.iter().any(|text| text.contains("several members take writes")));
    }
}

async fn an_unreachable_replica(engine: Engine) {
    let mut fleet = Fleet::start(engine, 2).await;
    let gone = fleet.servers[2].address();
    // A stopped process keeps its sockets: its source still lists it, and nobody can ask it.
    support::freeze(&fleet.servers[2]);
    let limits = topology::DiscoverOptions { member_timeout: std::time::Duration::from_secs(3), ..options() };
    let picture = discover_from(&fleet.servers[1], &limits).await;
    assert_eq!(picture.nodes.len(), 3, "{picture:#?}");
    let node = picture.nodes.iter().find(|node| node.address == gone).expect("it is kept");
    assert!(matches!(node.reach, Reach::Unreachable { .. }), "{node:#?}");
    assert!(node.writer, "unknown is the dangerous case");
    assert!(picture.warnings.iter().any(|text| text.contains(&gone.to_string())), "{:?}", picture.warnings);
    assert_eq!(picture.edges.len(), 2, "{picture:#?}");
    fleet.servers[2].kill();
}

async fn a_dead_primary(engine: Engine) {
    let mut fleet = Fleet::start(engine, 1).await;
    let gone = fleet.primary().address();
    fleet.servers[0].kill();
    support::until(&fleet.servers[1], |channel| !channel.is_healthy()).await;
    let picture = discover_from(&fleet.servers[1], &options()).await;
    let source = picture.nodes.iter().find(|node| node.address == gone).expect("the source is kept");
    assert!(matches!(source.reach, Reach::Unreachable { .. }));
    let replica = node_at(&picture, &fleet.servers[1]);
    assert!(replica.writer, "cut off from its source it may have been promoted: {replica:#?}");
    assert_eq!(replica.lag_seconds, None);
    assert_eq!(picture.edges[0].healthy, Some(false));
    assert!(!picture.edges[0].last_error.is_empty(), "{picture:#?}");
}

on_each_engine!(a_primary_and_two_replicas, a_chain, a_ring_of_two_writers, an_unreachable_replica, a_dead_primary);
