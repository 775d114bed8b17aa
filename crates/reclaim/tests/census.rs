//! The census and the undo shrink on every engine there is.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops loudly where it stands")]

#[path = "estimating/bed.rs"]
mod bed;

use bed::{Bed, engines};
use reclaim::{
    census::{UndoShrinkError, shrink_undo, take},
    estimate::FileAccess,
};
use runtime::Clock;
use std::time::Duration;
use testkit::Engine;

#[tokio::test]
async fn the_census_finds_what_holds_the_disk() {
    for engine in engines() {
        let mut bed = Bed::start_with(engine, &["--log-bin=binlog"]).await;
        bed.run("CREATE TABLE articles (id INT PRIMARY KEY, body TEXT, FULLTEXT (body)) ENGINE=InnoDB").await;
        let stray = bed.server.data_directory().join("lab/#sql-ib999-1.ibd");
        std::fs::write(&stray, vec![0; 3 << 20]).unwrap();
        let census = take(&mut bed.session, &bed.caps, &FileAccess::Auto).await.unwrap();
        let kinds: Vec<&str> = census.items.iter().map(|item| item.kind.as_str()).collect();
        for kind in ["system_tablespace", "temporary_tablespace", "binlog", "redo", "fulltext", "orphan"] {
            assert!(kinds.contains(&kind), "{}: no {kind} in {kinds:?}", engine.name());
        }
        assert_eq!(kinds.contains(&"undo"), engine == Engine::MySql, "MariaDB 10.11 keeps undo in ibdata1");
        let orphan = census.items.iter().find(|item| item.kind == "orphan").unwrap();
        assert_eq!((orphan.name.as_str(), orphan.bytes), ("lab/#sql-ib999-1.ibd", 3 << 20));
        assert_eq!(orphan.reclaimable_bytes, orphan.bytes, "{}", orphan.advice);
        assert!(census.items.is_sorted_by(|one, other| one.bytes >= other.bytes));
        let (free, total) = (census.disk_free_bytes.unwrap(), census.disk_total_bytes.unwrap());
        assert!(free > 0 && free < total);
        assert!(census.table_bytes > 0);
        let blind = take(&mut bed.session, &bed.caps, &FileAccess::Off).await.unwrap();
        assert_eq!(blind.disk_free_bytes, None, "without files and DISKS plug-in nothing is known");
        assert!(blind.items.iter().all(|item| item.kind != "orphan"));
    }
}

#[tokio::test]
async fn another_servers_directory_is_not_taken_for_this_ones() {
    for engine in engines() {
        let (mut bed, mut other) = (Bed::start(engine).await, Bed::start(engine).await);
        // Both have `digits` under one id; only what came after tells them apart.
        for (bed, tables) in [(&mut bed, ["a", "b"]), (&mut other, ["b", "a"])] {
            for table in tables {
                bed.run(&format!("CREATE TABLE {table} (id INT PRIMARY KEY)")).await;
            }
        }
        other.server.settled().await;
        std::fs::write(other.server.data_directory().join("lab/#sql-ib1-1.ibd"), [0; 4096]).unwrap();
        let _ = std::fs::remove_file(other.server.data_directory().join("auto.cnf"));
        let files = FileAccess::At(other.server.data_directory());
        let census = take(&mut bed.session, &bed.caps, &files).await.unwrap();
        assert_eq!(census.disk_total_bytes, None);
        assert!(census.items.iter().all(|item| item.kind != "orphan"));
    }
}

#[tokio::test]
async fn a_bloated_undo_shrinks_while_the_server_works() {
    for engine in engines() {
        let mut bed = Bed::start(engine).await;
        let limit = Duration::from_mins(1);
        if engine == Engine::MariaDb {
            let refused = shrink_undo(&mut bed.session, &bed.caps, &Clock::real(), limit).await.unwrap_err();
            assert!(matches!(refused, UndoShrinkError::Unsupported { .. }), "{refused:?}");
            assert!(refused.to_string().contains("innodb_undo_log_truncate"));
            continue;
        }
        bed.run("CREATE TABLE t (id INT PRIMARY KEY, pad VARCHAR(400))").await;
        bed.fill("t", "id, pad", "n, REPEAT('a', 300)", 100_000).await;
        bed.run("SET GLOBAL innodb_undo_log_truncate = OFF").await;
        bed.run("UPDATE t SET pad = REPEAT('b', 300)").await;
        bed.server.settled().await;
        let shrink = shrink_undo(&mut bed.session, &bed.caps, &Clock::real(), limit).await.unwrap();
        eprintln!("{shrink:?}");
        assert!(shrink.before_bytes > 40 << 20, "{shrink:?}");
        assert!(shrink.after_bytes <= 33 << 20, "{shrink:?}");
        assert!(!shrink.shrunk.is_empty() && shrink.left.is_empty(), "{shrink:?}");
        let states = "SELECT GROUP_CONCAT(NAME, '=', STATE ORDER BY NAME) FROM information_schema.INNODB_TABLESPACES \
                      WHERE SPACE_TYPE = 'Undo'";
        assert_eq!(bed.server.value(states).await, "innodb_undo_001=active,innodb_undo_002=active");
        assert_eq!(bed.session.value("SELECT @@sql_log_bin").await.unwrap().as_deref(), Some("1"));
    }
}

#[tokio::test]
async fn an_open_transaction_keeps_the_undo_and_everything_is_put_back() {
    for engine in engines().into_iter().filter(|engine| *engine == Engine::MySql) {
        let mut bed = Bed::start(engine).await;
        bed.run("CREATE TABLE t (id INT PRIMARY KEY, pad VARCHAR(400))").await;
        bed.fill("t", "id, pad", "n, REPEAT('a', 300)", 100_000).await;
        bed.run("SET GLOBAL innodb_undo_log_truncate = OFF").await;
        let mut writer = bed.server.session().await;
        writer.run("BEGIN").await.unwrap();
        writer.run("UPDATE lab.t SET pad = REPEAT('c', 300)").await.unwrap();
        let limit = Duration::from_millis(300);
        let shrink = shrink_undo(&mut bed.session, &bed.caps, &Clock::real(), limit).await;
        if let Ok(shrink) = &shrink {
            assert!(shrink.left.iter().any(|left| left.contains("still in use")), "{shrink:?}");
        }
        writer.run("ROLLBACK").await.unwrap();
        let inactive = "SELECT COUNT(*) FROM information_schema.INNODB_TABLESPACES WHERE NAME LIKE 'innodb_undo%' \
                        AND STATE <> 'active'";
        assert_eq!(bed.server.value(inactive).await, "0");
        bed.server.settled().await;
        // A spare left behind is taken up and dropped by the next run.
        shrink_undo(&mut bed.session, &bed.caps, &Clock::real(), Duration::from_mins(1)).await.unwrap();
        let spare = "SELECT COUNT(*) FROM information_schema.INNODB_TABLESPACES WHERE NAME LIKE 'drydock%'";
        assert_eq!(bed.server.value(spare).await, "0");
    }
}
