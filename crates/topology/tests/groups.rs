//! Group Replication on three real MySQL servers, Galera on a real MariaDB server and on fakes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops loudly where it stands")]

mod support;

use api::{EdgeKind, Reach};
use runtime::Clock;
use support::{discover_from, node_at, options};
use testkit::fake::{Dialect, FakeFleet, FakeNode};
use testkit::{Engine, Fleet, GroupMode, Server};
use topology::writer_test;

const GROUP: &str = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee";

async fn refusal(server: &Server) -> String {
    let verdict = writer_test(&mut server.session().await).await.unwrap();
    assert!(verdict.writer, "{verdict:?}");
    verdict.barred.unwrap_or_default()
}

/// Waits until the group's members are, in a member's eyes, in these states, in any order. A member that fails goes offline,
/// which ends whoever is just logging in.
async fn until_members(server: &Server, wanted: &str) {
    let sql =
        "SELECT GROUP_CONCAT(MEMBER_STATE ORDER BY MEMBER_STATE) FROM performance_schema.replication_group_members";
    let mut seen = None;
    for _ in 0..1200 {
        if let Ok(mut session) = mysql::Session::connect(&server.endpoint()).await {
            seen = session.value(sql).await.expect("the member answers");
            session.close().await;
        }
        if seen.as_deref() == Some(wanted) {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("{} sees {seen:?}, not {wanted}:\n{}", server.address(), server.error_log());
}

/// Each member names the roles, and each role has more than one witness.
async fn is_seen_from_each(servers: &[Server]) {
    for seed in servers {
        let picture = discover_from(seed, &options()).await;
        assert_eq!(picture.nodes.len(), 3, "{picture:#?}");
        assert!(picture.nodes.iter().all(|node| node.reach == Reach::Reached), "{picture:#?}");
        assert_eq!(picture.edges.len(), 2, "{picture:#?}");
        assert!(picture.edges.iter().all(|edge| edge.kind == EdgeKind::Group && edge.healthy == Some(true)));
        assert!(picture.edges.iter().all(|edge| edge.evidence.len() == 3), "{picture:#?}");
        assert_eq!(picture.topology.master.as_ref().unwrap().port, servers[0].address().port);
        let of = |server: &Server| (node_at(&picture, server).role.clone(), node_at(&picture, server).writer);
        let roles: Vec<(String, bool)> = servers.iter().map(of).collect();
        let expected = [("group-primary", true), ("group-secondary", false), ("group-secondary", false)];
        assert_eq!(roles, expected.map(|(role, writer)| (role.to_owned(), writer)), "{picture:#?}");
    }
    for (place, server) in servers.iter().enumerate() {
        let mut session = server.session().await;
        let verdict = writer_test(&mut session).await.unwrap();
        assert_eq!((verdict.writer, verdict.barred.clone()), (place == 0, None), "{verdict:?}");
        let behind = topology::lag(&mut session, None).await.unwrap().seconds;
        assert!(behind.is_some(), "server {place}");
    }
}

/// The applier is held up by a lock: the member is behind by as long as the oldest write waits.
async fn a_held_up_applier_is_seen(fleet: &Fleet) {
    fleet.primary().run(&["CREATE DATABASE d", "CREATE TABLE d.t (id INT PRIMARY KEY)"]).await;
    fleet.catch_up(1, 0).await;
    let mut holder = fleet.servers[1].session().await;
    holder.run("LOCK TABLES d.t READ").await.unwrap();
    fleet.primary().run(&["INSERT INTO d.t VALUES (1)"]).await;
    let mut session = fleet.servers[1].session().await;
    tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
    // The insert is on its way, or waits; either way it must not look applied once it has arrived.
    let mut behind = None;
    for _ in 0..400 {
        behind = topology::lag(&mut session, None).await.unwrap().seconds;
        if behind.is_some_and(|seconds| seconds > 1.0) {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    assert!(behind.is_some_and(|seconds| seconds > 1.0), "{behind:?}");
    holder.close().await;
    fleet.catch_up(1, 0).await;
    let behind = topology::lag(&mut session, None).await.unwrap().seconds;
    assert!(behind.is_some(), "it has caught up");
}

#[tokio::test]
async fn a_group_of_three_is_seen_from_every_member() {
    if !Engine::MySql.is_available() {
        return eprintln!("skipped: MySQL cannot be had here");
    }
    let mut fleet = Fleet::group(3, GroupMode::SinglePrimary).await;
    is_seen_from_each(&fleet.servers).await;
    a_held_up_applier_is_seen(&fleet).await;
    // One whose applier fails is in ERROR: the table its group writes to is not there.
    let last = &fleet.servers[2];
    fleet.catch_up(2, 0).await;
    last.run(&["SET GLOBAL super_read_only = 0", "SET sql_log_bin = 0", "DROP TABLE d.t"]).await;
    fleet.primary().run(&["INSERT INTO d.t VALUES (2)"]).await;
    until_members(last, "ERROR").await;
    assert_eq!(refusal(last).await, "it is ERROR in its group");
    let lag = topology::lag(&mut last.session().await, None).await.unwrap().seconds;
    assert_eq!(lag, None, "one in error is behind for ever");
    // One that left stays read-only and must not be taken for a safe replica.
    last.run(&["STOP GROUP_REPLICATION"]).await;
    assert!(writer_test(&mut last.session().await).await.unwrap().writer);
    // Two are left; without its primary the other has no majority.
    fleet.servers[0].kill();
    until_members(&fleet.servers[1], "ONLINE,UNREACHABLE").await;
    let reason = refusal(&fleet.servers[1]).await;
    assert!(reason.contains("majority"), "{reason}");
}

#[tokio::test]
async fn a_real_galera_cluster_is_seen_from_every_member_and_all_are_writers() {
    if !Fleet::galera_is_available() {
        return eprintln!("skipped: Galera cannot be had here");
    }
    let fleet = Fleet::galera(3).await;
    for seed in &fleet.servers {
        // Read-only members are members all the same: the cluster's writes are theirs.
        seed.run(&["SET GLOBAL read_only = 1"]).await;
        let picture = discover_from(seed, &options()).await;
        assert_eq!(picture.nodes.len(), 3, "{picture:#?}");
        for server in &fleet.servers {
            let node = node_at(&picture, server);
            assert_eq!(
                (node.role.as_str(), node.writer, &node.reach),
                ("galera", true, &Reach::Reached),
                "{picture:#?}"
            );
        }
        assert_eq!(picture.edges.len(), 3, "each pair is linked: {picture:#?}");
        for edge in &picture.edges {
            assert_eq!((edge.kind, edge.healthy), (EdgeKind::Galera, Some(true)), "{picture:#?}");
            assert_eq!(edge.evidence.len(), 2, "each end tells of the other: {edge:#?}");
        }
        let verdict = writer_test(&mut seed.session().await).await.unwrap();
        assert!(verdict.writer && verdict.barred.as_ref().is_some_and(|why| why.contains("Galera")), "{verdict:?}");
    }
}

#[tokio::test]
async fn galera_members_find_each_other() {
    let nodes = vec![FakeNode::primary(Dialect::MariaDb1011); 3];
    // A list needs ports, so those it names are started first, with an empty one.
    let told = |addresses: String| {
        move |_: usize, script: testkit::fake::Script| {
            let rows = [
                ("wsrep_cluster_state_uuid", GROUP),
                ("wsrep_incoming_addresses", addresses.as_str()),
                ("wsrep_local_state_comment", "Synced"),
                ("wsrep_cluster_size", "3"),
            ];
            let cells = rows.map(|(name, value)| vec![Some(name.to_owned()), Some(value.to_owned())]);
            script.variable("wsrep_on", "ON").rows(
                "SHOW GLOBAL STATUS LIKE 'wsrep%'",
                &["Variable_name", "Value"],
                cells.to_vec(),
            )
        }
    };
    let others = FakeFleet::start(&nodes[..2], told(String::new())).await;
    let addresses = format!("127.0.0.1:{},127.0.0.1:{},AUTO", others.address(0).port, others.address(1).port);
    let seed = FakeFleet::start(&nodes[..1], told(addresses)).await;
    let picture = topology::discover(&seed.members[0].endpoint(), &options(), &Clock::real()).await.unwrap();
    assert_eq!(picture.nodes.len(), 3, "{picture:#?}");
    assert!(picture.nodes.iter().all(|node| node.role == "galera" && node.writer), "{picture:#?}");
    assert!(picture.edges.iter().all(|edge| edge.kind == EdgeKind::Galera), "{picture:#?}");
    assert!(picture.warnings.iter().any(|text| text.contains("several members take writes")));
    let nameless = format!("{} knows 3 Galera members and the addresses of 2 only", seed.address(0));
    assert!(picture.warnings.iter().any(|text| text.starts_with(&nameless)), "{:#?}", picture.warnings);
}
