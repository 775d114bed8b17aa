//! Galera: a rebuild would run on every member at once, so none is touched, whatever the request allows.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops loudly where it stands")]

mod bed;

use api::{JobStatus, RecycleConfig, Scope};
use bed::Hall;
use reclaim::plan::{PlanOptions, plan};
use runtime::Clock;
use testkit::{Fleet, Server};
use types::Code;

/// Identity of a member's file: every rebuild makes a new one.
async fn space(server: &Server) -> String {
    server.value("SELECT SPACE FROM information_schema.INNODB_SYS_TABLESPACES WHERE NAME = 'shop/orders'").await
}

#[tokio::test]
async fn no_member_of_a_galera_cluster_is_rebuilt() {
    if !Fleet::galera_is_available() {
        return eprintln!("skipped: Galera cannot be had here");
    }
    let fleet = Fleet::galera(2).await;
    let first = &fleet.servers[0];
    bed::fill(first, "shop", "orders", 30_000, "").await;
    bed::scatter(first, "shop", "orders").await;
    let before = [space(first).await, space(&fleet.servers[1]).await];
    let config = |exclude_primary, scope| RecycleConfig { exclude_primary, scope, ..bed::config(first) };
    let ask =
        async |config: RecycleConfig| plan(&first.endpoint(), &config, &PlanOptions::default(), &Clock::real()).await;
    let refused = ask(config(true, Scope::Auto)).await.expect_err("all members take writes");
    assert_eq!(refused.code, Code::PrimaryCheckFailed, "{refused:?}");
    let next = refused.detail("next");
    assert!(next.contains("RSU") && !next.contains("exclude_primary"), "it says what helps: {next}");
    for scope in [Scope::Node, Scope::Fleet] {
        let plan = ask(config(false, scope)).await.expect("a plan in which every member is left");
        assert_eq!(plan.work().count(), 0, "{plan:#?}");
        for node in &plan.nodes {
            assert!(node.skipped.as_ref().is_some_and(|why| why.contains("Galera")), "{node:#?}");
        }
    }
    // What the refusal is for: out of the binlog is not out of the cluster.
    first.run(&["SET sql_log_bin = 0", "ALTER TABLE shop.orders FORCE, ALGORITHM=INPLACE, LOCK=NONE"]).await;
    for (place, old) in before.iter().enumerate() {
        let mut now = old.clone();
        for _ in 0..400 {
            now = space(&fleet.servers[place]).await;
            if now != *old {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(25)).await;
        }
        assert_ne!(now, *old, "member {place} was rebuilt too");
    }
    let job = Hall::new().run(first, config(false, Scope::Fleet)).await;
    assert_eq!((job.status, job.progress.processed_tables), (JobStatus::Completed, 0), "{job:#?}");
}
