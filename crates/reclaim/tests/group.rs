//! A replication group of three real MySQL servers: its secondaries are freed and the group does not notice.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops loudly where it stands")]

mod bed;

use api::{JobStatus, Plan, RecycleConfig, Scope, TableState};
use bed::{Hall, gtids, settings};
use reclaim::plan::{PlanOptions, plan};
use runtime::Clock;
use testkit::{Engine, Fleet, GroupMode, PASSWORD, Server, USER};
use types::{Code, Failure};

const MEMBERS: &str = "SELECT GROUP_CONCAT(CONCAT(MEMBER_PORT, ' ', MEMBER_STATE, ' ', MEMBER_ROLE) ORDER BY MEMBER_PORT) \
                       FROM performance_schema.replication_group_members";

/// What no rebuild may change: transactions, settings, and the group as each member sees it.
async fn marks(fleet: &Fleet) -> Vec<(String, String, String)> {
    let mut all = Vec::new();
    for server in &fleet.servers {
        all.push((gtids(server).await, settings(server).await, server.value(MEMBERS).await));
    }
    all
}

async fn ask(server: &Server, config: &RecycleConfig) -> Result<Plan, Failure> {
    plan(&server.endpoint(), config, &PlanOptions::default(), &Clock::real()).await
}

async fn filled() -> Fleet {
    let fleet = Fleet::group(3, GroupMode::SinglePrimary).await;
    bed::fill(fleet.primary(), "shop", "orders", 60_000, "").await;
    bed::scatter(fleet.primary(), "shop", "orders").await;
    for secondary in [1, 2] {
        fleet.catch_up(secondary, 0).await;
        fleet.servers[secondary].settled().await;
    }
    fleet
}

/// Named by its primary, the group's secondaries are worked on one after the other and the primary is not.
async fn frees_the_secondaries(fleet: &Fleet) {
    let before = marks(fleet).await;
    let files: Vec<u64> = fleet.servers.iter().map(|server| server.file_bytes("shop/orders.ibd")).collect();
    let job = Hall::new().run(fleet.primary(), bed::config(fleet.primary())).await;
    assert_eq!(job.status, JobStatus::Completed, "{job:#?}");
    assert_eq!((job.progress.processed_tables, job.progress.failed_tables), (2, 0), "{job:#?}");
    for (index, server) in fleet.servers.iter().enumerate() {
        let now = server.file_bytes("shop/orders.ibd");
        if index == 0 {
            assert_eq!(now, files[0], "the primary was touched");
            continue;
        }
        let freed = i64::try_from(files[index]).unwrap() - i64::try_from(now).unwrap();
        let results = &job.statistics.tables_processed;
        let result = results.iter().find(|result| result.node == server.address().to_string()).expect("a result");
        assert_eq!((result.state, result.freed_bytes), (TableState::Done, Some(freed)), "{result:#?}");
        assert!(freed > 4 << 20, "{result:#?}");
    }
    assert_eq!(marks(fleet).await, before);
    assert_eq!(job.notes, Vec::<String>::new());
}

/// The group goes on: what is written reaches all, and all hold the same.
async fn still_agrees(fleet: &Fleet) {
    fleet.primary().run(&["INSERT INTO shop.orders (k, v) VALUES (7, 'after')"]).await;
    bed::same_rows(fleet, "shop.orders").await;
}

/// A member that is not well, or of which all take writes, is refused; the second even where writers are allowed.
async fn refuses_what_it_must(fleet: &Fleet) {
    let node = |server: &Server| RecycleConfig { scope: Scope::Node, ..bed::config(server) };
    let refused = ask(fleet.primary(), &node(fleet.primary())).await.expect_err("the primary is refused");
    assert_eq!(refused.code, Code::PrimaryCheckFailed, "{refused:?}");
    fleet.primary().run(&["DO group_replication_switch_to_multi_primary_mode()"]).await;
    for server in &fleet.servers {
        let refused = ask(server, &bed::config(server)).await.expect_err("every member takes writes");
        assert_eq!(refused.code, Code::PrimaryCheckFailed, "{refused:?}");
    }
    let uuid = fleet.primary().value("SELECT @@server_uuid").await;
    fleet.primary().run(&[&format!("DO group_replication_switch_to_single_primary_mode('{uuid}')")]).await;
    let last = &fleet.servers[2];
    last.run(&["STOP GROUP_REPLICATION"]).await;
    fleet.primary().run(&["INSERT INTO shop.orders (k, v) VALUES (8, 'missed')"]).await;
    let wrong = "CHANGE REPLICATION SOURCE TO SOURCE_USER='nobody' FOR CHANNEL 'group_replication_recovery'";
    last.run(&[wrong, "START GROUP_REPLICATION"]).await;
    assert!(last.value(MEMBERS).await.contains("RECOVERING"), "it cannot recover as nobody");
    for exclude_primary in [true, false] {
        let config = RecycleConfig { exclude_primary, ..node(last) };
        let why = match ask(last, &config).await {
            Err(failure) => failure.detail("error").to_owned(),
            Ok(plan) => plan.nodes[0].skipped.clone().unwrap_or_default(),
        };
        assert!(why.contains("RECOVERING"), "{why}");
    }
    let right = format!(
        "CHANGE REPLICATION SOURCE TO SOURCE_USER='{USER}', SOURCE_PASSWORD='{PASSWORD}' FOR CHANNEL 'group_replication_recovery'"
    );
    last.run(&["STOP GROUP_REPLICATION", &right, "START GROUP_REPLICATION"]).await;
    bed::same_rows(fleet, "shop.orders").await;
}

#[tokio::test]
async fn a_group_is_freed_member_by_member_and_does_not_notice() {
    if !Engine::MySql.is_available() {
        return eprintln!("skipped: no mysql here");
    }
    let fleet = filled().await;
    frees_the_secondaries(&fleet).await;
    still_agrees(&fleet).await;
    refuses_what_it_must(&fleet).await;
}
