//! The census on every engine there is.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops loudly where it stands")]

#[path = "estimating/bed.rs"]
mod bed;

use bed::{Bed, engines};
use reclaim::{census::take, estimate::FileAccess};
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
