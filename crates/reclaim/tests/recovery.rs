//! What MariaDB's recovery from a crash writes into the binary log by itself: known again, and put right as we say.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops loudly where it stands")]

mod bed;

use mysql::{Capabilities, Session};
use reclaim::gates::errant;
use std::time::Duration;
use testkit::{Engine, Fleet, Server};
use types::GtidSet;

const MARKER: &str = "/* drydock job-20260101-001 */";

async fn own(server: &Server) -> GtidSet {
    let mut session = server.session().await;
    let capabilities = Capabilities::probe(&mut session).await.expect("capabilities");
    let own = errant::own(&mut session, &capabilities).await.expect("its transactions");
    session.close().await;
    own
}

/// Rebuilds a small table over and over, outside the binary log, until the server dies under it.
async fn rebuild_on(mut session: Session) {
    session.run("SET SESSION sql_log_bin = 0").await.expect("the right to");
    let sql = format!("ALTER {MARKER} TABLE shop.orders FORCE, ALGORITHM=INPLACE, LOCK=NONE");
    while session.run(&sql).await.is_ok() {}
}

/// Kills the replica in the middle of rebuilds until its recovery has logged one of them; one kill in three does it.
async fn crash_until_logged(fleet: &mut Fleet) -> GtidSet {
    let before = own(&fleet.servers[1]).await;
    for round in 0..100 {
        let rebuilding = tokio::spawn(rebuild_on(fleet.servers[1].session().await));
        tokio::time::sleep(Duration::from_millis(100 + 37 * (round % 10))).await;
        fleet.servers[1].kill();
        rebuilding.await.expect("it ends with its server");
        fleet.servers[1].restart().await;
        let new = own(&fleet.servers[1]).await.subtract(&before);
        if !new.is_empty() {
            return new;
        }
    }
    panic!("a hundred kills, and recovery logged nothing: has this MariaDB mended that? Then the cure can go");
}

#[tokio::test]
async fn a_statement_that_recovery_logged_is_known_and_the_cure_cures() {
    let mut fleet = bed::sturdy(Engine::MariaDb, 1, 2_000).await;
    let new = crash_until_logged(&mut fleet).await;
    let replica = &fleet.servers[1];
    let mut session = replica.session().await;
    assert!(errant::is_logged_by_recovery(&mut session, &new, MARKER).await.expect("its logs"));
    let other = "/* drydock job-20260101-002 */";
    assert!(!errant::is_logged_by_recovery(&mut session, &new, other).await.expect("its logs"));
    let said = errant::explained(&mut session, &new, MARKER, "somebody wrote".into()).await;
    assert!(said.contains(errant::CURE), "{said}");
    for statement in errant::CURE.split("; ") {
        session.run(statement).await.unwrap_or_else(|error| panic!("{statement}: {error}"));
    }
    session.close().await;
    assert_eq!(own(replica).await, GtidSet::new());
    fleet.primary().run(&["INSERT INTO shop.orders (k, v) VALUES (7, 'after')"]).await;
    bed::same_rows(&fleet, "shop.orders").await;
}
