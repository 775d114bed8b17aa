//! Several servers joined by GTID replication.

use crate::{Engine, Options, PASSWORD, Server, USER};
use std::time::Duration;

/// Servers in the order they were started; 0 is the first primary.
pub struct Fleet {
    /// The members.
    pub servers: Vec<Server>,
}

impl Fleet {
    /// One primary and `replicas` direct replicas, which are read-only (MySQL: super-read-only as well).
    pub async fn start(engine: Engine, replicas: usize) -> Fleet {
        Self::start_with(engine, replicas, &Options::default()).await
    }

    /// The same with options for every member.
    pub async fn start_with(engine: Engine, replicas: usize, options: &Options) -> Fleet {
        let mut servers = Vec::new();
        for _ in 0..=replicas {
            servers.push(Server::start(engine, options.clone()).await);
        }
        let fleet = Fleet { servers };
        for replica in 1..=replicas {
            fleet.attach(replica, 0).await;
            fleet.protect(replica).await;
        }
        fleet
    }

    /// The first server.
    pub fn primary(&self) -> &Server {
        &self.servers[0]
    }

    /// Makes `replica` follow `source` by GTID and waits until both threads run.
    pub async fn attach(&self, replica: usize, source: usize) {
        let port = self.servers[source].address().port;
        let server = &self.servers[replica];
        match server.engine() {
            Engine::MariaDb => {
                let change = format!(
                    "CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT={port}, MASTER_USER='{USER}', \
                     MASTER_PASSWORD='{PASSWORD}', MASTER_USE_GTID=slave_pos, MASTER_CONNECT_RETRY=1, \
                     MASTER_HEARTBEAT_PERIOD=1"
                );
                server.run(&["STOP SLAVE", &change, "START SLAVE"]).await;
            }
            Engine::MySql => {
                let change = format!(
                    "CHANGE REPLICATION SOURCE TO SOURCE_HOST='127.0.0.1', SOURCE_PORT={port}, SOURCE_USER='{USER}', \
                     SOURCE_PASSWORD='{PASSWORD}', SOURCE_AUTO_POSITION=1, GET_SOURCE_PUBLIC_KEY=1, \
                     SOURCE_CONNECT_RETRY=1, SOURCE_HEARTBEAT_PERIOD=1"
                );
                server.run(&["STOP REPLICA", &change, "START REPLICA"]).await;
            }
        }
        self.wait_running(replica).await;
        self.wait_registered(replica, source).await;
    }

    /// Sets the member read-only, with `super_read_only` where there is one.
    pub async fn protect(&self, member: usize) {
        let server = &self.servers[member];
        match server.engine() {
            Engine::MariaDb => server.run(&["SET GLOBAL read_only = 1"]).await,
            Engine::MySql => server.run(&["SET GLOBAL super_read_only = 1"]).await,
        }
    }

    async fn wait_running(&self, replica: usize) {
        let mut session = self.servers[replica].session().await;
        for _ in 0..400 {
            let row = session.row("SHOW REPLICA STATUS").await.expect("the replica answers").expect("it is a replica");
            let on = |names: &[&str]| row.first(names).as_deref() == Some("Yes");
            if on(&["Replica_IO_Running", "Slave_IO_Running"]) && on(&["Replica_SQL_Running", "Slave_SQL_Running"]) {
                return session.close().await;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("replication does not start:\n{}", self.servers[replica].error_log());
    }

    /// A replica's receiver says that it runs before it has told its source who it is.
    async fn wait_registered(&self, replica: usize, source: usize) {
        if self.servers[replica].is_silent() {
            return;
        }
        let port = self.servers[replica].address().port.to_string();
        let source = &self.servers[source];
        let hosts = match source.engine() {
            Engine::MariaDb => "SHOW REPLICA HOSTS",
            Engine::MySql => "SHOW REPLICAS",
        };
        let mut session = source.session().await;
        for _ in 0..400 {
            let rows = session.rows(hosts).await.expect("the source answers");
            if rows.iter().any(|row| row.first(&["Port"]).as_deref() == Some(&port)) {
                return session.close().await;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("the source never hears of its replica:\n{}", source.error_log());
    }

    /// Waits until `replica` has applied all that `source` has committed now.
    pub async fn catch_up(&self, replica: usize, source: usize) {
        let (source, replica) = (&self.servers[source], &self.servers[replica]);
        let wait = match source.engine() {
            Engine::MariaDb => {
                let position = source.value("SELECT @@gtid_binlog_pos").await;
                format!("SELECT MASTER_GTID_WAIT('{position}', 120)")
            }
            Engine::MySql => {
                let set = source.value("SELECT REPLACE(@@gtid_executed, '\n', '')").await;
                format!("SELECT WAIT_FOR_EXECUTED_GTID_SET('{set}', 120)")
            }
        };
        assert_eq!(replica.value(&wait).await, "0", "the replica does not catch up");
    }
}
