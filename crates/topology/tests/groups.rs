//! Group Replication on three real MySQL servers, Galera on a real MariaDB server and on fakes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops loudly where it stands")]

mod support;

use api::{EdgeKind, Reach};
use runtime::Clock;
use std::path::Path;
use support::{discover_from, node_at, options};
use testkit::fake::{Dialect, FakeFleet, FakeNode};
use testkit::{Engine, Options, PASSWORD, Server, USER, free_port};
use topology::writer_test;

const GROUP: &str = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee";

async fn member(local: u16, seeds: &str) -> Server {
    let arguments = [
        "--plugin-load-add=group_replication.so".to_owned(),
        format!("--loose-group-replication-group-name={GROUP}"),
        "--loose-group-replication-start-on-boot=OFF".to_owned(),
        format!("--loose-group-replication-local-address=127.0.0.1:{local}"),
        format!("--loose-group-replication-group-seeds={seeds}"),
        "--loose-group-replication-recovery-get-public-key=ON".to_owned(),
    ];
    Server::start(Engine::MySql, Options { arguments: arguments.to_vec(), ..Options::default() }).await
}

async fn join(server: &Server, first: bool) {
    let recovery = format!(
        "CHANGE REPLICATION SOURCE TO SOURCE_USER='{USER}', SOURCE_PASSWORD='{PASSWORD}' FOR CHANNEL 'group_replication_recovery'"
    );
    let bootstrap = format!("SET GLOBAL group_replication_bootstrap_group = {}", u8::from(first));
    server
        .run(&[&recovery, &bootstrap, "START GROUP_REPLICATION", "SET GLOBAL group_replication_bootstrap_group = 0"])
        .await;
    let state = "SELECT MEMBER_STATE FROM performance_schema.replication_group_members WHERE MEMBER_ID = @@server_uuid";
    for _ in 0..1200 {
        if server.value(state).await == "ONLINE" {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("{} does not come online:\n{}", server.address(), server.error_log());
}

#[tokio::test]
async fn a_group_of_three_is_seen_from_every_member() {
    if !Engine::MySql.is_available() {
        return eprintln!("skipped: MySQL cannot be had here");
    }
    let ports = [free_port(), free_port(), free_port()];
    let seeds = ports.map(|port| format!("127.0.0.1:{port}")).join(",");
    let mut servers = Vec::new();
    for (place, port) in ports.into_iter().enumerate() {
        servers.push(member(port, &seeds).await);
        join(&servers[place], place == 0).await;
    }
    for seed in &servers {
        let picture = discover_from(seed, &options()).await;
        assert_eq!(picture.nodes.len(), 3, "{picture:#?}");
        assert!(picture.nodes.iter().all(|node| node.reach == Reach::Reached), "{picture:#?}");
        assert_eq!(picture.edges.len(), 2, "{picture:#?}");
        assert!(picture.edges.iter().all(|edge| edge.kind == EdgeKind::Group && edge.healthy == Some(true)));
        assert_eq!(picture.topology.master.as_ref().unwrap().port, servers[0].address().port);
        let roles: Vec<(&str, bool)> = servers
            .iter()
            .map(|server| node_at(&picture, server))
            .map(|node| (node.role.as_str(), node.writer))
            .collect();
        assert_eq!(
            roles,
            [("group-primary", true), ("group-secondary", false), ("group-secondary", false)],
            "{picture:#?}"
        );
    }
    for (place, server) in servers.iter().enumerate() {
        let verdict = writer_test(&mut server.session().await).await.unwrap();
        assert_eq!(verdict.writer, place == 0, "{verdict:?}");
    }
    // One that left stays read-only and must not be taken for a safe replica.
    servers[2].run(&["STOP GROUP_REPLICATION"]).await;
    assert!(writer_test(&mut servers[2].session().await).await.unwrap().writer);
}

#[tokio::test]
async fn a_real_galera_member_is_always_a_writer() {
    let library = "/usr/lib/galera/libgalera_smm.so";
    if !Path::new(library).exists() {
        return eprintln!("skipped: Galera's library is not here");
    }
    let arguments = vec![
        "--wsrep-on=ON".to_owned(),
        format!("--wsrep-provider={library}"),
        "--wsrep-cluster-address=gcomm://".to_owned(),
        "--wsrep-new-cluster".to_owned(),
        "--innodb-autoinc-lock-mode=2".to_owned(),
        format!("--wsrep-provider-options=gmcast.listen_addr=tcp://127.0.0.1:{};base_host=127.0.0.1", free_port()),
    ];
    let server = Server::start(Engine::MariaDb, Options { arguments, ..Options::default() }).await;
    let mut session = server.session().await;
    for _ in 0..600 {
        let row = session.row("SHOW GLOBAL STATUS LIKE 'wsrep_ready'").await.unwrap();
        if row.is_some_and(|row| row.text("Value").as_deref() == Some("ON")) {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    session.run("SET GLOBAL read_only = 1").await.unwrap();
    let verdict = writer_test(&mut session).await.unwrap();
    assert!(verdict.writer && verdict.reasons[0].contains("Galera"), "{verdict:?}");
    let picture = discover_from(&server, &options()).await;
    assert_eq!(node_at(&picture, &server).role, "galera", "{picture:#?}");
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
}
