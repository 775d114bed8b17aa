//! What the topology tests share: how to ask, how to find, how to bring about a state and wait for it.
#![allow(dead_code, reason = "each test program uses its part")]

use api::{ClusterTopology, Edge, GraphNode};
use runtime::Clock;
use std::time::Duration;
use testkit::{Engine, Server};
use topology::{Channel, DiscoverOptions};

/// Makes one test per engine of each named async function; MySQL's steps aside where MySQL cannot be had.
macro_rules! on_each_engine {
    ($($name:ident),* $(,)?) => {
        mod mariadb { $(#[tokio::test] async fn $name() { super::$name(testkit::Engine::MariaDb).await; })* }
        mod mysql {
            $(#[tokio::test] async fn $name() {
                if testkit::Engine::MySql.is_available() { super::$name(testkit::Engine::MySql).await; }
                else { eprintln!("skipped: MySQL cannot be had here"); }
            })*
        }
    };
}
pub(crate) use on_each_engine;

pub fn options() -> DiscoverOptions {
    DiscoverOptions { member_timeout: Duration::from_mins(1), ..DiscoverOptions::default() }
}

pub async fn discover_from(seed: &Server, options: &DiscoverOptions) -> ClusterTopology {
    topology::discover(&seed.endpoint(), options, &Clock::real()).await.unwrap_or_else(|failure| panic!("{failure:#?}"))
}

pub fn node_at<'a>(picture: &'a ClusterTopology, server: &Server) -> &'a GraphNode {
    let found = picture.nodes.iter().find(|node| node.address.port == server.address().port);
    found.unwrap_or_else(|| panic!("{} is missing: {picture:#?}", server.address()))
}

pub fn edge<'a>(picture: &'a ClusterTopology, source: &Server, target: &Server) -> &'a Edge {
    let (source, target) = (&node_at(picture, source).id, &node_at(picture, target).id);
    let found = picture.edges.iter().find(|edge| edge.source == *source && edge.target == *target);
    found.unwrap_or_else(|| panic!("no link {source} -> {target}: {picture:#?}"))
}

pub async fn make_writable(server: &Server) {
    server.run(&["SET GLOBAL read_only = 0"]).await;
}

/// `SIGSTOP`: the process keeps its sockets and answers nobody.
pub fn freeze(server: &Server) {
    let pid = server.pid().expect("it runs").to_string();
    let status = std::process::Command::new("kill").args(["-STOP", &pid]).status();
    assert!(status.is_ok_and(|status| status.success()));
}

/// Waits until the server's channels are as wanted.
pub async fn until(server: &Server, wanted: impl Fn(&Channel) -> bool) {
    let mut session = server.session().await;
    for _ in 0..1200 {
        let rows = session.rows("SHOW REPLICA STATUS").await.expect("it answers");
        let text = |row: &mysql::Row, names: &[&str]| row.first(names).unwrap_or_default();
        let channel = |row: &mysql::Row| Channel {
            io: text(row, &["Replica_IO_Running", "Slave_IO_Running"]),
            sql: text(row, &["Replica_SQL_Running", "Slave_SQL_Running"]),
            ..Channel::default()
        };
        if rows.iter().map(channel).any(|channel| wanted(&channel)) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{} does not get there", server.address());
}

/// Every engine that can be had.
pub fn engines() -> Vec<Engine> {
    Engine::available()
}
