//! Members the operator named, on real servers: asked although nothing leads to them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops loudly where it stands")]

mod support;

use api::Reach;
use support::{discover_from, node_at, on_each_engine, options};
use testkit::{Engine, Fleet, Options, Server, free_port};
use topology::DiscoverOptions;
use types::Address;

async fn an_isolated_member_and_one_that_is_down(engine: Engine) {
    let fleet = Fleet::start(engine, 1).await;
    let alone = Server::start(engine, Options::default()).await;
    let stranger = Server::start(engine, Options::default()).await;
    let down = Address::new("127.0.0.1", free_port());
    let inventory = vec![
        vec![fleet.primary().address(), alone.address(), down.clone()],
        vec![stranger.address(), Address::new("127.0.0.1", free_port())],
    ];
    let with = DiscoverOptions { inventory, ..options() };
    // From the replica, which is not on the list: its primary is.
    for seed in [&fleet.servers[1], fleet.primary(), &alone] {
        let picture = discover_from(seed, &with).await;
        assert_eq!(picture.nodes.len(), 4, "another cluster's members are not asked: {picture:#?}");
        let isolated = node_at(&picture, &alone);
        assert_eq!((&isolated.reach, isolated.role.as_str()), (&Reach::Reached, "primary"));
        let proof = &isolated.evidence[0];
        assert_eq!((proof.statement.as_str(), proof.told_by.as_str()), ("inventory", "configuration"));
        assert!(picture.edges.iter().all(|edge| edge.source != isolated.id && edge.target != isolated.id));
        let silent = picture.nodes.iter().find(|node| node.address == down).expect("the one that is down");
        assert!(matches!(silent.reach, Reach::Unreachable { .. }) && silent.writer, "{silent:#?}");
        assert_eq!(silent.evidence.len(), 1, "{silent:#?}");
        assert!(picture.warnings.iter().any(|text| text.contains(&down.to_string())), "{:?}", picture.warnings);
        assert!(node_at(&picture, &fleet.servers[1]).evidence.is_empty(), "its link speaks for it, no list does");
    }
    assert_eq!(discover_from(fleet.primary(), &options()).await.nodes.len(), 2, "nobody else knows them");
}

/// What a server calls itself, a server of another cluster may be called too.
async fn a_name_is_no_address(engine: Engine) {
    let (server, other) =
        (Server::start(engine, Options::default()).await, Server::start(engine, Options::default()).await);
    let hostname = server.value("SELECT @@hostname").await;
    let namesake = Address::new(hostname, server.address().port);
    let inventory = vec![vec![namesake, other.address()]];
    let picture = discover_from(&server, &DiscoverOptions { inventory, ..options() }).await;
    assert_eq!(picture.nodes.len(), 1, "{picture:#?}");
}

on_each_engine!(an_isolated_member_and_one_that_is_down, a_name_is_no_address);
