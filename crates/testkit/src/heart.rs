//! A heart as pt-heartbeat is one: a row on a server, written anew again and again until it is dropped.

use crate::Server;
use mysql::Session;
use std::time::Duration;
use tokio::task::JoinHandle;

/// The table as pt-heartbeat creates it, in a database that is there.
pub const HEARTBEAT: &str = "CREATE TABLE percona.heartbeat (ts VARCHAR(26) NOT NULL, \
     server_id INT UNSIGNED NOT NULL PRIMARY KEY, file VARCHAR(255) DEFAULT NULL, position BIGINT UNSIGNED DEFAULT NULL, \
     relay_master_log_file VARCHAR(255) DEFAULT NULL, exec_master_log_pos BIGINT UNSIGNED DEFAULT NULL)";

/// A heart that beats every 200 ms until it is dropped.
pub struct Heart(JoinHandle<()>);

impl Heart {
    /// Makes the table, writes a first beat, and goes on.
    pub async fn start(server: &Server) -> Self {
        let id = server.value("SELECT @@server_id").await;
        let beat = format!(
            "REPLACE INTO percona.heartbeat (ts, server_id) \
             VALUES (DATE_FORMAT(UTC_TIMESTAMP(6), '%Y-%m-%dT%H:%i:%s.%f'), {id})"
        );
        let create = HEARTBEAT.replacen("CREATE TABLE", "CREATE TABLE IF NOT EXISTS", 1);
        server.run(&["CREATE DATABASE IF NOT EXISTS percona", &create, &beat]).await;
        let endpoint = server.endpoint();
        Self(tokio::spawn(async move {
            let mut session = Session::connect(&endpoint).await.expect("the server lets the heart in");
            loop {
                session.run(&beat).await.expect("the server takes a beat");
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }))
    }
}

impl Drop for Heart {
    fn drop(&mut self) {
        self.0.abort();
    }
}
