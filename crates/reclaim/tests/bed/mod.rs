//! A bed for reclaim tests: real fleets with tables that waste space.
#![allow(dead_code, reason = "each test program uses its part")]

use api::{DatabaseTarget, RecycleConfig, Scope, WorkMode};
use testkit::{Engine, Fleet, Options, PASSWORD, Server, USER};
use types::{Secret, Span};

/// Runs a test on every engine that can be had, and says which cannot.
pub async fn on_each<F: Future<Output = ()>>(test: impl Fn(Engine) -> F) {
    for engine in [Engine::MariaDb, Engine::MySql] {
        if engine.is_available() {
            test(engine).await;
        } else {
            eprintln!("skipped: no {} here", engine.name());
        }
    }
}

/// A request for a server, with thresholds that take every clear gain.
pub fn config(server: &Server) -> RecycleConfig {
    let address = server.address();
    RecycleConfig {
        target: DatabaseTarget {
            host: address.host,
            port: address.port,
            username: USER.into(),
            password: Secret::new(PASSWORD),
        },
        mode: WorkMode::BinlogOff,
        threshold_mb: 0,
        threshold_percent: 0.0,
        exclude_primary: true,
        databases: vec![],
        tables: vec![],
        batch_size: 5,
        timeout: Span::from_secs(120),
        scope: Scope::Auto,
        parallel: 1,
        max_lag: 10.0,
    }
}

/// One primary and replicas with a pool large enough to work in.
pub async fn fleet(engine: Engine, replicas: usize) -> Fleet {
    let options = Options { arguments: vec!["--innodb-buffer-pool-size=64M".into()], ..Options::default() };
    Fleet::start_with(engine, replicas, &options).await
}

/// Makes `database.table` with `rows` rows of some 200 bytes, by doubling.
pub async fn fill(server: &Server, database: &str, table: &str, rows: u64, options: &str) {
    let name = mysql::table_ident(&types::TableName::new(database, table));
    let database = mysql::ident(database);
    let mut sql = vec![
        format!("CREATE DATABASE IF NOT EXISTS {database}"),
        format!(
            "CREATE TABLE {name} (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, k INT, v VARCHAR(255), KEY (k)) {options}"
        ),
        format!("INSERT INTO {name} (k, v) VALUES (1, REPEAT('x', 180))"),
    ];
    let mut have = 1;
    while have < rows {
        let more = have.min(rows - have);
        sql.push(format!("INSERT INTO {name} (k, v) SELECT FLOOR(RAND() * 1000000), v FROM {name} LIMIT {more}"));
        have += more;
    }
    server.run(&sql.iter().map(String::as_str).collect::<Vec<_>>()).await;
}

/// Deletes all but every tenth row: holes everywhere, no extent free.
pub async fn scatter(server: &Server, database: &str, table: &str) {
    let name = mysql::table_ident(&types::TableName::new(database, table));
    server.run(&[&format!("DELETE FROM {name} WHERE id % 10 <> 0")]).await;
}

/// Waits until a server has nothing left to purge, so that files are as small as they get.
pub async fn purged(server: &Server) {
    // Purged transactions leave the list only when it is cut, which MySQL does every 128 batches.
    server.run(&["SET GLOBAL innodb_purge_rseg_truncate_frequency = 1"]).await;
    for _ in 0..400 {
        let sql = "SELECT COUNT FROM information_schema.INNODB_METRICS WHERE NAME = 'trx_rseg_history_len'";
        if server.value(sql).await.parse::<u64>().unwrap_or(0) < 20 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("purge does not end");
}

/// A fleet whose every member holds `shop.orders`, nine tenths of it deleted.
pub async fn wasteful(engine: Engine, replicas: usize, rows: u64) -> Fleet {
    let fleet = fleet(engine, replicas).await;
    fill(fleet.primary(), "shop", "orders", rows, "").await;
    scatter(fleet.primary(), "shop", "orders").await;
    for replica in 1..=replicas {
        fleet.catch_up(replica, 0).await;
        purged(&fleet.servers[replica]).await;
    }
    fleet
}

/// A checksum of a table's rows that no server has dropped: the sum of each row's CRC.
pub async fn checksum(server: &Server, table: &str) -> String {
    server.value(&format!("SELECT CONCAT(COUNT(*), '/', SUM(CRC32(CONCAT_WS('#', id, k, v)))) FROM {table}")).await
}
