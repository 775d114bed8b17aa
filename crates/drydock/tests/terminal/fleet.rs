//! A primary and a replica with one wasteful table, and a reader that keeps it from being rebuilt.

use crate::support::Place;
use mysql::Session;
use std::process::Command;
use testkit::{Engine, Fleet, PASSWORD, Server, USER};

/// The fleet, and where the program runs.
pub struct Yard {
    pub fleet: Fleet,
    pub place: Place,
}

impl Yard {
    pub async fn start() -> Yard {
        let fleet = Fleet::start(Engine::MariaDb, 1).await;
        let mut statements = vec![
            "CREATE DATABASE shop",
            "CREATE TABLE shop.orders (id INT AUTO_INCREMENT PRIMARY KEY, body VARCHAR(500) NOT NULL)",
            "INSERT INTO shop.orders (body) VALUES (REPEAT('x', 400))",
        ];
        statements.extend(std::iter::repeat_n("INSERT INTO shop.orders (body) SELECT body FROM shop.orders", 13));
        statements.push("DELETE FROM shop.orders WHERE id % 10 < 7");
        fleet.primary().run(&statements).await;
        fleet.catch_up(1, 0).await;
        Yard { fleet, place: Place::new() }
    }

    pub fn replica(&self) -> &Server {
        &self.fleet.servers[1]
    }

    /// A reader in the middle of a transaction: the rebuild waits for it.
    pub async fn reader(&self) -> Session {
        let mut reader = self.replica().session().await;
        reader.run("START TRANSACTION").await.expect("begun");
        reader.value("SELECT COUNT(*) FROM shop.orders").await.expect("counted");
        reader
    }

    /// `recycle` of the replica; without a password.
    pub fn recycle(&self, rest: &[&str]) -> Command {
        let address = self.replica().address();
        let mut command = self.place.command("drydock");
        command.args(["recycle", "--host", &address.host, "--port", &address.port.to_string(), "--user", USER]);
        command.args(["--threshold-mb", "1", "--threshold-percent", "1", "--timeout", "600s"]).args(rest);
        command
    }

    /// The same with its password, and without a question.
    pub fn recycle_now(&self) -> Command {
        let mut command = self.recycle(&["--yes"]);
        command.env("RECYCLER_DB_PASSWORD", PASSWORD);
        command
    }

    /// The one job's status, as `status` says; empty without a job.
    pub fn status(&self) -> String {
        let ended = self.place.run(&["status", "--format", "json"]);
        let jobs: serde_json::Value = serde_json::from_str(&ended.out).unwrap_or_default();
        jobs["jobs"][0]["status"].as_str().unwrap_or_default().to_owned()
    }

    /// Waits for a status that must come.
    pub async fn becomes(&self, status: &str) {
        for _ in 0..1200 {
            if self.status() == status {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        panic!("the job is {} and not {status}", self.status());
    }

    /// The table as it is and the settings as they were.
    pub async fn assert_untouched(&self, before: &(u64, String)) {
        assert_eq!(&self.table().await, before);
        assert_eq!(self.replica().value("SELECT @@global.read_only").await, "1");
    }

    /// The table's file and its rows.
    pub async fn table(&self) -> (u64, String) {
        (self.replica().file_bytes("shop/orders.ibd"), self.replica().value("CHECKSUM TABLE shop.orders").await)
    }
}
