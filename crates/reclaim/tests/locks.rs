//! S6: the gate `metadata_lock` on real servers, whatever each of them shows of its locks.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops loudly where it stands")]

mod bed;

use mysql::{Session, table_ident};
use reclaim::gates::metadata_lock::{Holder, probe};
use std::time::Duration;
use testkit::{Engine, Options, Server};
use types::TableName;

/// Ways a server may be run that differ in what it shows: its engine, its arguments, and whether locks show at all.
const WAYS: [(Engine, &[&str], bool); 6] = [
    (Engine::MySql, &[], true),
    (Engine::MySql, &["--performance-schema-instrument=transaction=OFF"], true),
    (Engine::MySql, &["--performance-schema-instrument=wait/lock/metadata/sql/mdl=OFF"], false),
    (Engine::MariaDb, &["--plugin-load-add=metadata_lock_info"], true),
    (
        Engine::MariaDb,
        &["--performance-schema=ON", "--performance-schema-instrument=wait/lock/metadata/sql/mdl=ON"],
        true,
    ),
    (Engine::MariaDb, &[], false),
];

struct Bench {
    server: Server,
    table: TableName,
    session: Session,
    shows: bool,
}

impl Bench {
    /// A server of this way with one table of an odd name on which nobody works; `None` where its engine is missing.
    async fn start((engine, arguments, shows): (Engine, &[&str], bool)) -> Option<Self> {
        if !engine.is_available() {
            eprintln!("skipped: no {} here", engine.name());
            return None;
        }
        let arguments = arguments.iter().map(|word| (*word).to_owned()).collect();
        let server = Server::start(engine, Options { arguments, ..Options::default() }).await;
        let table = TableName::new("Größe`d", "表 \"x\".y");
        bed::fill(&server, &table.database, &table.table, 10, "").await;
        let session = server.session().await;
        let mut bench = Self { server, table, session, shows };
        assert_eq!(bench.look().await, vec![]);
        Some(bench)
    }

    async fn look(&mut self) -> Vec<Holder> {
        probe(&mut self.session, &self.table).await.expect("the locks")
    }

    /// Looks until somebody is seen.
    async fn seen(&mut self, what: &str) -> Vec<Holder> {
        self.until(what, |holders| !holders.is_empty()).await
    }

    /// Looks until the holders are as wanted. InnoDB renews its list of transactions only for those who ask less often than
    /// ten times a second.
    async fn until(&mut self, what: &str, wanted: impl Fn(&[Holder]) -> bool) -> Vec<Holder> {
        let mut holders = self.look().await;
        for _ in 0..400 {
            if wanted(&holders) {
                return holders;
            }
            tokio::time::sleep(Duration::from_millis(150)).await;
            holders = self.look().await;
        }
        panic!("{}: {what} is never seen, but {holders:?}", self.server.engine().name());
    }

    /// Waits until the server itself says that a connection's transaction is older than the gate's moment. The gate sees a younger
    /// one between its statements only, where nobody knows its age.
    async fn until_old(&mut self, connection: u64) {
        let sql = format!(
            "SELECT COUNT(*) FROM information_schema.INNODB_TRX WHERE trx_mysql_thread_id = {connection} \
             AND TIMESTAMPDIFF(SECOND, trx_started, NOW()) > 2"
        );
        for _ in 0..400 {
            if self.session.value(&sql).await.expect("the transactions").as_deref() == Some("1") {
                return;
            }
            tokio::time::sleep(Duration::from_millis(150)).await;
        }
        panic!("{}: the transaction of {connection} does not grow old", self.server.engine().name());
    }

    async fn holder(&self) -> Session {
        let mut holder = self.server.session().await;
        holder.run("BEGIN").await.expect("begin");
        holder.run(&format!("SELECT * FROM {}", table_ident(&self.table))).await.expect("a lock");
        holder
    }
}

fn connections(holders: &[Holder]) -> Vec<u64> {
    holders.iter().map(|holder| holder.connection).collect()
}

#[tokio::test]
async fn s6_metadata_locks_are_seen_by_table_whatever_its_name() {
    for way in WAYS {
        let Some(mut bench) = Bench::start(way).await else { continue };
        let holder = bench.holder().await;
        assert_eq!(connections(&bench.seen("an idle transaction").await), [u64::from(holder.id())], "{way:?}");
        let other = TableName::new("Größe`d", "other");
        let elsewhere = probe(&mut bench.session, &other).await.expect("the locks");
        // Where locks do not show, whoever has been at work for long may hold any.
        assert_eq!(connections(&elsewhere).is_empty(), bench.shows, "{way:?}: {elsewhere:?}");
        holder.close().await;
        bench.until("that nobody holds it any more", <[Holder]>::is_empty).await;
    }
}

/// A session in a long transaction is, at the moment of the look, in the middle of a short statement.
#[tokio::test]
async fn a_long_transaction_is_seen_whatever_its_session_does_just_now() {
    for way in WAYS {
        let Some(mut bench) = Bench::start(way).await else { continue };
        let (mut holder, name) = (bench.holder().await, table_ident(&bench.table));
        let id = u64::from(holder.id());
        let busy = tokio::spawn(async move {
            loop {
                holder.run(&format!("SELECT SLEEP(0.02) FROM {name} LIMIT 1")).await.expect("a short statement");
            }
        });
        bench.until_old(id).await;
        for _ in 0..60 {
            assert_eq!(connections(&bench.look().await), [id], "{way:?}");
            tokio::time::sleep(Duration::from_millis(17)).await;
        }
        busy.abort();
    }
}

/// Somebody queues for the table: whatever comes after waits as well. A rebuild has a weak lock already while it queues for a
/// strong one; `LOCK TABLES` has none.
#[tokio::test]
async fn who_waits_for_the_table_is_seen() {
    for way in WAYS {
        let Some(mut bench) = Bench::start(way).await else { continue };
        let name = table_ident(&bench.table);
        for sql in [format!("ALTER TABLE {name} FORCE"), format!("LOCK TABLES {name} WRITE")] {
            let holder = bench.holder().await;
            let mut waiter = bench.server.session().await;
            let id = u64::from(waiter.id());
            let waits = tokio::spawn(async move { waiter.run(&sql).await });
            bench.until("who waits", |holders| connections(holders).contains(&id)).await;
            holder.close().await;
            waits.await.expect("it ends").expect("it gets the lock");
        }
    }
}

/// A prepared XA transaction keeps its locks when its session is gone.
#[tokio::test]
async fn a_lock_without_a_session_is_seen() {
    for way in WAYS {
        let Some(mut bench) = Bench::start(way).await else { continue };
        let mut gone = bench.server.session().await;
        let write = format!("UPDATE {} SET k = k + 1", table_ident(&bench.table));
        for sql in ["XA START 'a'", write.as_str(), "XA END 'a'", "XA PREPARE 'a'"] {
            gone.run(sql).await.expect("prepared");
        }
        gone.close().await;
        // MariaDB drops the metadata lock with the session and keeps the rows' locks: nothing to be seen there.
        if bench.server.engine() == Engine::MySql || !bench.shows {
            bench.seen("a prepared transaction").await;
        }
    }
}
