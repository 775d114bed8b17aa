//! A server with one shaped table on it, and the truth a prediction is held against.
#![allow(dead_code, reason = "each test program uses its own share of the bed")]

use mysql::{Capabilities, Session, ident};
use reclaim::estimate::{FileAccess, Filter, TableFacts, survey};
use runtime::Clock;
use testkit::{Engine, Options, Server};
use types::TableName;

pub struct Bed {
    pub server: Server,
    pub session: Session,
    pub caps: Capabilities,
}

/// Every engine there is; says so where MySQL is not.
pub fn engines() -> Vec<Engine> {
    let all = Engine::available();
    if !all.contains(&Engine::MySql) {
        eprintln!("MySQL cannot be had here: only MariaDB is tested");
    }
    all
}

impl Bed {
    pub async fn start(engine: Engine) -> Bed {
        Self::start_with(engine, &[]).await
    }

    pub async fn start_with(engine: Engine, more: &[&str]) -> Bed {
        let mut arguments = vec!["--innodb-buffer-pool-size=64M".to_owned(), "--disable-log-bin".to_owned()];
        arguments.extend(more.iter().map(|word| (*word).to_owned()));
        let server = Server::start(engine, Options { arguments, ..Options::default() }).await;
        let mut session = server.session().await;
        let caps = Capabilities::probe(&mut session).await.unwrap();
        let mut bed = Bed { server, session, caps };
        bed.run("CREATE DATABASE lab").await;
        bed.run("USE lab").await;
        bed.run("CREATE TABLE digits (d INT PRIMARY KEY)").await;
        bed.run("INSERT INTO digits VALUES (0),(1),(2),(3),(4),(5),(6),(7),(8),(9)").await;
        bed
    }

    pub async fn run(&mut self, sql: &str) {
        self.session.run(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    /// `count` rows of `(pad)` and a key made by `key`, an expression over `n` (0, 1, …).
    pub async fn fill(&mut self, table: &str, columns: &str, values: &str, count: u64) {
        let sql = format!(
            "INSERT INTO {} ({columns}) SELECT {values} FROM (SELECT a.d + 10 * b.d + 100 * c.d + 1000 * d.d + \
             10000 * e.d + 100000 * f.d AS n FROM digits a, digits b, digits c, digits d, digits e, digits f) numbers \
             WHERE n < {count} ORDER BY n",
            ident(table)
        );
        self.run(&sql).await;
    }

    pub async fn survey(&mut self, table: &str, files: FileAccess) -> TableFacts {
        let filter = Filter::table(&TableName::new("lab", table));
        let mut all = survey(&mut self.session, &self.caps, &filter, &files, &Clock::real()).await.unwrap();
        assert_eq!(all.len(), 1, "{all:?}");
        all.remove(0)
    }

    /// Rebuilds as Drydock does it; returns what was freed.
    pub async fn rebuild(&mut self, table: &str) -> i64 {
        let before = self.survey(table, FileAccess::Off).await.estimate.file_bytes;
        if !self.caps.is_mariadb() {
            self.run("SET GLOBAL innodb_segment_reserve_factor = 0.03").await;
        }
        self.run(&format!("ALTER TABLE {} FORCE, ALGORITHM=INPLACE", ident(table))).await;
        if !self.caps.is_mariadb() {
            self.run("SET GLOBAL innodb_segment_reserve_factor = DEFAULT").await;
        }
        let after = self.survey(table, FileAccess::Off).await.estimate.file_bytes;
        i64::try_from(before).unwrap() - i64::try_from(after).unwrap()
    }
}
