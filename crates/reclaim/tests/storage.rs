//! Every way a table can lie on disk: rebuilt with its rows and within its estimate, or left with a true reason.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops loudly where it stands")]

mod bed;

use api::{Method, Strategy};
use bed::{
    Hall,
    kinds::{config, left, planned, rebuilds, server, waste},
};
use std::os::unix::fs::MetadataExt;
use testkit::{Engine, Options};

/// Holes are punched into these files: what they take is blocks, and so is what is freed.
async fn files_with_holes(engine: Engine) {
    let server = server(engine, Options::default()).await;
    let compressed = if engine == Engine::MySql { "COMPRESSION='zlib'" } else { "PAGE_COMPRESSED=1" };
    bed::fill(&server, "shop", "holey", 30_000, compressed).await;
    // Hexadecimal digits: half of a page is left of them.
    server.run(&["UPDATE shop.holey SET v = CONCAT(SHA2(RAND(), 256), SHA2(RAND(), 256), SHA2(RAND(), 256))"]).await;
    bed::scatter(&server, "shop", "holey").await;
    server.settled().await;
    let meta = std::fs::metadata(server.data_directory().join("shop/holey.ibd")).expect("its file");
    let (taken, length) = (meta.blocks() * 512, meta.len());
    assert!(taken < length * 9 / 10, "no hole is in it: {taken} of {length}");
    let rows = bed::checksum(&server, "shop.holey").await;
    let plan = planned(&server).await;
    let table = plan.nodes[0].left.iter().chain(plan.work()).find(|table| table.table == "holey").expect("it is seen");
    assert_eq!(table.estimate.file_bytes, taken, "lengths are no blocks: {table:#?}");
    assert_ne!(table.estimate.method, Method::Pages, "a compressed page tells nothing");
    if let Strategy::Skip { reason } = &table.strategy {
        assert!(
            ["not clear of the estimate's error", "predicted to grow"].iter().any(|why| reason.contains(why)),
            "{reason}"
        );
    } else {
        let low = table.estimate.predicted_low_bytes..=table.estimate.predicted_high_bytes;
        let job = Hall::new().run(&server, config(&server)).await;
        let result = job.statistics.tables_processed.iter().find(|result| result.table == "holey").expect("a result");
        assert!(result.freed_bytes.is_some_and(|freed| low.contains(&freed)), "{result:#?}");
    }
    assert_eq!(bed::checksum(&server, "shop.holey").await, rows);
}

#[tokio::test]
async fn what_is_freed_of_a_file_with_holes_are_blocks() {
    bed::on_each(files_with_holes).await;
}

/// What columns and kinds of tables there are beside the plain ones.
async fn tables_of_every_kind(engine: Engine) {
    let server = server(engine, Options::default()).await;
    waste(&server, "plain", "").await;
    let invisible = if engine == Engine::MySql {
        "ADD hidden INT DEFAULT 7 INVISIBLE"
    } else {
        "ADD hidden INT INVISIBLE DEFAULT 7"
    };
    server
        .run(&[
            "CREATE TABLE shop.odd LIKE shop.plain",
            "ALTER TABLE shop.odd ADD CHECK (k >= 0), ADD twice BIGINT AS (k * 2) STORED, ADD thrice BIGINT AS (k * 3) VIRTUAL, \
             ADD KEY (twice)",
            &format!("ALTER TABLE shop.odd {invisible}"),
            "CREATE TABLE shop.numbers (n INT PRIMARY KEY)",
            "INSERT INTO shop.numbers VALUES (0),(1),(2),(3),(4),(5),(6),(7),(8),(9)",
            "INSERT INTO shop.odd (k, v) SELECT a.k, a.v FROM shop.plain a, shop.numbers b",
            "DELETE FROM shop.odd WHERE id % 10 <> 0",
            "CREATE VIEW shop.looks AS SELECT * FROM shop.plain",
            "CREATE TABLE shop.old (id INT PRIMARY KEY, v CHAR(200)) ENGINE=MyISAM",
            "INSERT INTO shop.old SELECT id, v FROM shop.plain",
            "CREATE TABLE shop.passing (id INT PRIMARY KEY, v CHAR(200)) ENGINE=MEMORY",
        ])
        .await;
    let mut holder = server.session().await;
    holder.run("CREATE TEMPORARY TABLE shop.fleeting SELECT * FROM shop.plain").await.expect("a temporary table");
    let mut tables = vec!["plain", "odd"];
    if engine == Engine::MariaDb {
        waste(&server, "kept", "WITH SYSTEM VERSIONING").await;
        server.run(&["CREATE SEQUENCE shop.counter", "DO NEXTVAL(shop.counter)"]).await;
        server.run(&["CREATE TABLE shop.crash (id INT PRIMARY KEY, v CHAR(200)) ENGINE=Aria"]).await;
        // Old versions first thinned, so that there is something to free, then counted as the rows they are.
        waste(&server, "thinned", "WITH SYSTEM VERSIONING").await;
        server.run(&["DELETE HISTORY FROM shop.thinned"]).await;
        tables.extend(["kept", "thinned"]);
    }
    let history = "SELECT COUNT(*) FROM shop.kept FOR SYSTEM_TIME ALL";
    let before = if engine == Engine::MariaDb { server.value(history).await } else { String::new() };
    let (plan, results) = rebuilds(&server, &tables).await;
    let whole = plan.nodes[0].left.iter().chain(plan.work()).map(|table| table.table.as_str()).collect::<Vec<_>>();
    for other in ["looks", "fleeting", "counter"] {
        assert!(!whole.contains(&other), "{other} is no table of its own: {whole:?}");
    }
    assert!(left(&plan, "old").contains("not crash-safe"));
    assert!(left(&plan, "passing").contains("memory"));
    if engine == Engine::MariaDb {
        assert!(left(&plan, "crash").contains("not crash-safe"));
        assert_eq!(server.value(history).await, before, "old versions are kept");
    }
    assert_eq!(results.len(), tables.len());
    assert_eq!(
        server.value("SELECT SUM(twice = k * 2 AND thrice = k * 3 AND hidden = 7) - COUNT(*) FROM shop.odd").await,
        "0"
    );
}

#[tokio::test]
async fn tables_of_every_kind_are_rebuilt_or_left_for_a_reason() {
    bed::on_each(tables_of_every_kind).await;
}
