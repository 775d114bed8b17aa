//! A server that is said to stand still does: nothing is left to purge, nothing to write, and its settings are its own again.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops loudly where it stands")]

use testkit::{Engine, Options, Server};

async fn stands_still(engine: Engine) {
    let options = Options { arguments: vec!["--innodb-buffer-pool-size=64M".into()], ..Options::default() };
    let server = Server::start(engine, options).await;
    let settings = "SELECT CONCAT_WS('/', @@innodb_max_dirty_pages_pct, @@innodb_max_dirty_pages_pct_lwm, \
                    @@innodb_purge_rseg_truncate_frequency)";
    let before = server.value(settings).await;
    let mut sql = vec![
        "CREATE DATABASE d".to_owned(),
        "CREATE TABLE d.t (i INT NOT NULL AUTO_INCREMENT PRIMARY KEY, k INT, v VARCHAR(255), KEY (k))".to_owned(),
        "INSERT INTO d.t (k, v) VALUES (1, REPEAT('x', 180))".to_owned(),
    ];
    sql.extend((0..16).map(|_| "INSERT INTO d.t (k, v) SELECT FLOOR(RAND() * 1000000), v FROM d.t".to_owned()));
    // One statement, one transaction, and on MySQL one entry of the history list.
    sql.push("DELETE FROM d.t".to_owned());
    server.run(&sql.iter().map(String::as_str).collect::<Vec<_>>()).await;
    server.purged().await;
    if engine == Engine::MySql {
        // Its statistics are a day old unless told otherwise.
        server.run(&["SET GLOBAL information_schema_stats_expiry = 0"]).await;
    }
    // Nearly the whole file is free extents once purge has passed; before, none is.
    let file = server.file_bytes("d/t.ibd");
    let free = server.value("SELECT DATA_FREE FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'd'").await;
    let free: u64 = free.parse().expect("a number");
    assert!(free * 10 > file * 7, "{}: {free} of {file} bytes are free", engine.name());
    server.settled().await;
    let dirty =
        server.value("SELECT COUNT(*) FROM information_schema.INNODB_BUFFER_PAGE WHERE OLDEST_MODIFICATION > 2");
    assert_eq!(dirty.await, "0", "{}: pages are not written", engine.name());
    assert_eq!(server.value(settings).await, before);
}

#[tokio::test]
async fn mariadb_stands_still() {
    stands_still(Engine::MariaDb).await;
}

#[tokio::test]
async fn mysql_stands_still() {
    if Engine::MySql.is_available() {
        stands_still(Engine::MySql).await;
    }
}
