//! MySQL Shell's metadata as evidence, on real servers: the schema as Shell lays it out, its rows written by the test.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops loudly where it stands")]

mod support;

use api::{ClusterTopology, EdgeKind, GraphNode, Reach};
use support::{discover_from, node_at, options};
use testkit::{Engine, Fleet, GroupMode, Server, free_port};

/// What discovery reads of the schema's version 2.2, tables and the public views over them.
const SCHEMA: [&str; 8] = [
    "CREATE DATABASE mysql_innodb_cluster_metadata",
    "CREATE TABLE mysql_innodb_cluster_metadata.clusters (cluster_id CHAR(36) PRIMARY KEY, \
     cluster_name VARCHAR(63) NOT NULL UNIQUE, attributes JSON, cluster_type ENUM('gr', 'ar') NOT NULL, \
     primary_mode ENUM('pm', 'mm') NOT NULL DEFAULT 'pm')",
    "CREATE TABLE mysql_innodb_cluster_metadata.instances (instance_id INT UNSIGNED AUTO_INCREMENT, \
     cluster_id CHAR(36) NOT NULL, address VARCHAR(265), mysql_server_uuid CHAR(36) NOT NULL, \
     instance_name VARCHAR(265) NOT NULL, addresses JSON NOT NULL, attributes JSON, \
     instance_type ENUM('group-member', 'async-member', 'read-replica') NOT NULL, PRIMARY KEY (instance_id, cluster_id))",
    "CREATE TABLE mysql_innodb_cluster_metadata.async_cluster_members (cluster_id CHAR(36) NOT NULL, \
     view_id INT UNSIGNED NOT NULL, instance_id INT UNSIGNED NOT NULL, master_instance_id INT UNSIGNED, \
     primary_master BOOL NOT NULL, PRIMARY KEY (cluster_id, view_id, instance_id))",
    "CREATE SQL SECURITY INVOKER VIEW mysql_innodb_cluster_metadata.v2_clusters AS \
     SELECT cluster_type, primary_mode, cluster_id, cluster_name FROM mysql_innodb_cluster_metadata.clusters",
    "CREATE SQL SECURITY INVOKER VIEW mysql_innodb_cluster_metadata.v2_instances AS SELECT instance_id, cluster_id, \
     instance_name AS label, mysql_server_uuid, address, addresses->>'$.mysqlClassic' AS endpoint, \
     addresses->>'$.mysqlX' AS xendpoint, attributes, instance_type FROM mysql_innodb_cluster_metadata.instances",
    "CREATE SQL SECURITY INVOKER VIEW mysql_innodb_cluster_metadata.v2_ar_members AS SELECT m.view_id, i.cluster_id, \
     i.instance_id, i.instance_name AS label, i.mysql_server_uuid AS member_id, \
     IF(m.primary_master, 'PRIMARY', 'SECONDARY') AS member_role, m.master_instance_id, \
     s.mysql_server_uuid AS master_member_id FROM mysql_innodb_cluster_metadata.instances i \
     JOIN mysql_innodb_cluster_metadata.async_cluster_members m USING (cluster_id, instance_id) \
     LEFT JOIN mysql_innodb_cluster_metadata.instances s ON s.instance_id = m.master_instance_id",
    "INSERT INTO mysql_innodb_cluster_metadata.clusters (cluster_id, cluster_name, cluster_type) \
     VALUES ('c1', 'harbour', 'gr'), ('c2', 'elsewhere', 'ar')",
];

/// Nobody has this uuid.
const LOST: &str = "99999999-0000-4000-8000-000000000001";
const STATEMENT: &str = "v2_instances";

async fn uuid(server: &Server) -> String {
    server.value("SELECT @@server_uuid").await
}

async fn name(source: &Server, uuid: &str, port: u16, kind: &str) {
    let cluster = if kind == "group-member" { "c1" } else { "c2" };
    let sql = format!(
        "INSERT INTO mysql_innodb_cluster_metadata.instances \
         (cluster_id, address, mysql_server_uuid, instance_name, addresses, instance_type) VALUES ('{cluster}', \
         'nowhere:1', '{uuid}', '127.0.0.1:{port}', JSON_OBJECT('mysqlClassic', '127.0.0.1:{port}'), '{kind}')"
    );
    source.run(&[sql.as_str()]).await;
}

fn lost<'a>(picture: &'a ClusterTopology, id: &str) -> &'a GraphNode {
    picture.nodes.iter().find(|node| node.id == id).unwrap_or_else(|| panic!("{id} is missing: {picture:#?}"))
}

fn warns(picture: &ClusterTopology, words: &[&str]) -> bool {
    picture.warnings.iter().any(|text| words.iter().all(|word| text.contains(word)))
}

/// The members' own list never named the fourth instance: only the metadata does.
#[tokio::test]
async fn a_group_and_an_instance_that_is_down() {
    if !Engine::MySql.is_available() {
        return eprintln!("skipped: MySQL cannot be had here");
    }
    let fleet = Fleet::group(3, GroupMode::SinglePrimary).await;
    let primary = fleet.primary();
    primary.run(&SCHEMA).await;
    for member in &fleet.servers {
        name(primary, &uuid(member).await, member.address().port, "group-member").await;
    }
    let port = free_port();
    name(primary, LOST, port, "group-member").await;
    for member in 1..3 {
        fleet.catch_up(member, 0).await;
    }
    let picture = discover_from(&fleet.servers[2], &options()).await;
    assert_eq!((picture.cluster_name.as_str(), picture.nodes.len()), ("harbour", 4), "{picture:#?}");
    let gone = lost(&picture, LOST);
    assert!(matches!(gone.reach, Reach::Unreachable { .. }) && gone.address.port == port, "{gone:#?}");
    assert!(gone.evidence.iter().any(|proof| proof.statement.contains(STATEMENT)), "{gone:#?}");
    assert!(gone.writer, "what was not asked may be a writer");
    let top = &node_at(&picture, primary).id;
    let link = picture.edges.iter().find(|edge| edge.target == LOST).expect("it stands below the primary");
    assert_eq!((&link.source, link.kind, link.healthy), (top, EdgeKind::Group, None));
    for edge in &picture.edges {
        let proof = edge.evidence.iter().find(|proof| proof.statement.contains(STATEMENT));
        assert!(proof.is_some_and(|proof| proof.age_seconds >= 0.0), "{edge:#?}");
    }
    assert!(!warns(&picture, &["cluster.rescan()"]), "{:?}", picture.warnings);
    let named = topology::DiscoverOptions { cluster_name: Some("given".into()), ..options() };
    assert_eq!(discover_from(primary, &named).await.cluster_name, "given", "a name that is given wins");
    disagreements(&fleet).await;
}

async fn disagreements(fleet: &Fleet) {
    let (primary, last) = (fleet.primary(), &fleet.servers[2]);
    let other = Server::start(Engine::MySql, testkit::Options::default()).await;
    let wrong = format!(
        "UPDATE mysql_innodb_cluster_metadata.instances SET addresses = JSON_OBJECT('mysqlClassic', '{}') \
         WHERE mysql_server_uuid = '{LOST}'",
        other.address()
    );
    let gone =
        format!("DELETE FROM mysql_innodb_cluster_metadata.instances WHERE mysql_server_uuid = '{}'", uuid(last).await);
    primary.run(&[&wrong, &gone]).await;
    fleet.catch_up(2, 0).await;
    let picture = discover_from(primary, &options()).await;
    assert!(warns(&picture, &[LOST, &uuid(&other).await]), "another answers there: {:?}", picture.warnings);
    assert!(warns(&picture, &[&last.address().to_string(), "does not name it"]), "{:?}", picture.warnings);
    assert_eq!(picture.nodes.len(), 4, "the other server is no member: {picture:#?}");
    // The copy on the member it does not name is not believed, and the others' is.
    let picture = discover_from(last, &options()).await;
    let tellers: Vec<&String> = picture
        .edges
        .iter()
        .flat_map(|edge| &edge.evidence)
        .filter(|proof| proof.statement.contains(STATEMENT))
        .map(|proof| &proof.told_by)
        .collect();
    assert!(!tellers.is_empty() && !tellers.contains(&&node_at(&picture, last).id), "{picture:#?}");
}

/// A replica set: the metadata tells whose replica the lost instance is.
#[tokio::test]
async fn a_replica_set_and_an_instance_that_is_down() {
    if !Engine::MySql.is_available() {
        return eprintln!("skipped: MySQL cannot be had here");
    }
    let fleet = Fleet::start(Engine::MySql, 1).await;
    let primary = fleet.primary();
    primary.run(&SCHEMA).await;
    for member in &fleet.servers {
        name(primary, &uuid(member).await, member.address().port, "async-member").await;
    }
    name(primary, LOST, free_port(), "async-member").await;
    let members = "INSERT INTO mysql_innodb_cluster_metadata.async_cluster_members \
                   SELECT cluster_id, 1, instance_id, IF(instance_id = 1, NULL, 1), instance_id = 1 \
                   FROM mysql_innodb_cluster_metadata.instances";
    primary.run(&[members]).await;
    fleet.catch_up(1, 0).await;
    for seed in &fleet.servers {
        let picture = discover_from(seed, &options()).await;
        assert_eq!((picture.cluster_name.as_str(), picture.nodes.len()), ("elsewhere", 3), "{picture:#?}");
        assert!(matches!(lost(&picture, LOST).reach, Reach::Unreachable { .. }), "{picture:#?}");
        let link = picture.edges.iter().find(|edge| edge.target == LOST).expect("it has a source");
        assert_eq!((&link.source, link.kind), (&node_at(&picture, primary).id, EdgeKind::Binlog));
        assert_eq!(picture.topology.master.as_ref().expect("a primary").slaves.len(), 2);
    }
    // Without a right to the schema there is no evidence, and no complaint either.
    support::create_account(primary, "few", "PROCESS, REPLICATION CLIENT, REPLICATION SLAVE").await;
    fleet.catch_up(1, 0).await;
    let clock = runtime::Clock::real();
    let picture = topology::discover(&support::as_account(primary, "few"), &options(), &clock).await.unwrap();
    assert_eq!(picture.nodes.len(), 2, "{picture:#?}");
    assert!(!warns(&picture, &["metadata"]), "{:?}", picture.warnings);
}

/// MariaDB has no such schema, and even one that lies there says nothing: it knows no server uuid.
#[tokio::test]
async fn an_engine_without_it() {
    let fleet = Fleet::start(Engine::MariaDb, 1).await;
    let picture = discover_from(fleet.primary(), &options()).await;
    assert_eq!((picture.nodes.len(), &picture.cluster_name), (2, &picture.cluster_id));
    assert!(picture.warnings.is_empty(), "{:?}", picture.warnings);
}

/// A restored snapshot has its original's uuid and its original's metadata, and is none of that cluster.
#[tokio::test]
async fn metadata_that_came_with_a_copy_says_nothing() {
    if !Engine::MySql.is_available() {
        return eprintln!("skipped: MySQL cannot be had here");
    }
    let fleet = Fleet::start(Engine::MySql, 0).await;
    let copy = fleet.primary();
    copy.run(&SCHEMA).await;
    name(copy, &uuid(copy).await, free_port(), "group-member").await;
    name(copy, LOST, free_port(), "group-member").await;
    let picture = discover_from(copy, &options()).await;
    assert_eq!((picture.nodes.len(), &picture.cluster_name), (1, &picture.cluster_id), "{picture:#?}");
}
