//! What the topology tests share: how to ask, how to find, how to bring about a state and wait for it.
#![allow(dead_code, unused_macros, unused_imports, reason = "each test program uses its part")]

use api::{ClusterTopology, Edge, GraphNode};
use runtime::Clock;
use std::time::Duration;
use testkit::{Engine, Server};
use topology::{Channel, DiscoverOptions};

/// Makes one test per engine of each named async function; MySQL's steps aside where MySQL cannot be had.
macro_rules! on_each_engine {
    ($($name:ident),* $(,)?) => {
        mod on_mariadb { $(#[tokio::test] async fn $name() { super::$name(testkit::Engine::MariaDb).await; })* }
        mod on_mysql {
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

const ACCOUNT_PASSWORD: &str = "an-account-of-few-rights";

/// Creates an account with some rights; it replicates to the others.
pub async fn create_account(server: &Server, name: &str, rights: &str) {
    let create = format!("CREATE USER '{name}'@'%' IDENTIFIED BY '{ACCOUNT_PASSWORD}'");
    let grant = format!("GRANT {rights} ON *.* TO '{name}'@'%'");
    server.run(&[create.as_str(), grant.as_str()]).await;
}

/// The server, by that account.
pub fn as_account(server: &Server, name: &str) -> mysql::Endpoint {
    mysql::Endpoint::new(server.address(), name, types::Secret::new(ACCOUNT_PASSWORD))
}

/// Makes `target` follow `source` on a channel (MySQL) or connection (MariaDB) of that name, and waits for it.
pub async fn attach_channel(source: &Server, target: &Server, channel: &str) {
    let (port, user, password) = (source.address().port, testkit::USER, testkit::PASSWORD);
    let statements = match target.engine() {
        Engine::MariaDb => [
            format!(
                "CHANGE MASTER '{channel}' TO MASTER_HOST='127.0.0.1', MASTER_PORT={port}, MASTER_USER='{user}', \
                 MASTER_PASSWORD='{password}', MASTER_USE_GTID=slave_pos"
            ),
            format!("START SLAVE '{channel}'"),
        ],
        Engine::MySql => [
            format!(
                "CHANGE REPLICATION SOURCE TO SOURCE_HOST='127.0.0.1', SOURCE_PORT={port}, SOURCE_USER='{user}', \
                 SOURCE_PASSWORD='{password}', SOURCE_AUTO_POSITION=1, GET_SOURCE_PUBLIC_KEY=1 FOR CHANNEL '{channel}'"
            ),
            format!("START REPLICA FOR CHANNEL '{channel}'"),
        ],
    };
    target.run(&[statements[0].as_str(), statements[1].as_str()]).await;
    let status = if target.engine() == Engine::MariaDb { "SHOW ALL SLAVES STATUS" } else { "SHOW REPLICA STATUS" };
    let mut session = target.session().await;
    for _ in 0..1200 {
        let rows = session.rows(status).await.expect("it answers");
        let named = rows.iter().find(|row| row.first(&["Channel_Name", "Connection_name"]).as_deref() == Some(channel));
        let io = named.and_then(|row| row.first(&["Replica_IO_Running", "Slave_IO_Running"]));
        if io.as_deref() == Some("Yes") {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("channel {channel} does not start:\n{}", target.error_log());
}

/// The engine's own binlog program, reading a server's binlog without end as a CDC client does; ended when dropped.
pub struct BinlogReader(std::process::Child);

impl BinlogReader {
    /// Starts it and waits until the server shows its dump thread.
    pub async fn start(server: &Server, account: &str) -> Self {
        let engine = server.engine();
        let mut command = engine.tool("binlog");
        command.args([
            "--no-defaults",
            "--read-from-remote-server",
            "--raw",
            "--stop-never",
            "--result-file=/dev/null",
        ]);
        command.args(["--host=127.0.0.1", &format!("--user={account}"), &format!("--port={}", server.address().port)]);
        match engine {
            Engine::MariaDb => command.arg("--stop-never-slave-server-id=4000000001"),
            Engine::MySql => command.args(["--connection-server-id=4000000001", "--get-server-public-key"]),
        };
        let child = command
            .arg("binlog.000001")
            .env("MYSQL_PWD", ACCOUNT_PASSWORD)
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::inherit())
            .spawn()
            .expect("the binlog program starts");
        let reader = Self(child);
        let shown = "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE COMMAND LIKE 'Binlog Dump%' AND USER = ";
        for _ in 0..600 {
            if server.value(&format!("{shown}'{account}'")).await == "1" {
                return reader;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("no dump thread of {account} appears on {}", server.address());
    }
}

impl Drop for BinlogReader {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
