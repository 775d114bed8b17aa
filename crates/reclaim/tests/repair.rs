//! What a crashed job left lowered is put back on each node by itself, whatever became of the others.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops loudly where it stands")]

mod bed;

use api::{JobStatus, RecycleConfig, TableState};
use bed::{Hall, applier, caught, copying, lowered, same_rows};
use reclaim::plan::{PlanOptions, plan};
use runtime::Clock;
use std::time::Duration;
use testkit::{Engine, Server};

/// A plan from the primary for these replicas alone.
async fn plan_for(primary: &Server, replicas: &[&Server], parallel: u32) -> api::Plan {
    let config = RecycleConfig { parallel, ..bed::config(primary) };
    let made = plan(&primary.endpoint(), &config, &PlanOptions::default(), &Clock::real()).await.expect("a plan");
    let named: Vec<String> = replicas.iter().map(|server| server.address().to_string()).collect();
    let mut made = copying(made);
    made.nodes.retain(|node| named.contains(&node.node));
    assert_eq!(made.nodes.len(), replicas.len());
    made
}

/// Two replicas are being rebuilt when the tool dies; one server dies with it and stays away.
async fn one_dead_host(engine: Engine) {
    let mut fleet = bed::sturdy(engine, 3, 200_000).await;
    bed::fill(fleet.primary(), "shop", "later", 20_000, "").await;
    bed::scatter(fleet.primary(), "shop", "later").await;
    for replica in 1..=3 {
        fleet.catch_up(replica, 0).await;
        fleet.servers[replica].settled().await;
    }
    let (before, other) = (lowered(&fleet.servers[1]).await, lowered(&fleet.servers[2]).await);
    let hall = Hall::new();
    let made = plan_for(fleet.primary(), &[&fleet.servers[1], &fleet.servers[2]], 2).await;
    let id = hall.submit_plan(made).await;
    tokio::join!(caught(&fleet.servers[1]), caught(&fleet.servers[2]));
    hall.runner.shutdown(Duration::ZERO).await;
    fleet.servers[2].kill();
    assert_ne!(lowered(&fleet.servers[1]).await, before, "nothing was lowered when the tool died");

    let later = Hall::over(hall.store.clone());
    let (healthy, dead) = (fleet.servers[1].address().to_string(), fleet.servers[2].address().to_string());
    let job = later
        .until(&id, |job| {
            let mut results = job.statistics.tables_processed.iter().filter(|result| result.node == healthy);
            results.all(|result| result.state == TableState::Done)
        })
        .await;
    assert_eq!(lowered(&fleet.servers[1]).await, before, "while the other is away");
    assert!(job.notes.iter().any(|note| note.starts_with(&format!("{dead}: waiting to go on"))), "{job:#?}");

    fleet.servers[2].restart().await;
    let job = later.finished(&id).await;
    assert_eq!(job.status, JobStatus::Completed, "{job:#?}");
    assert_eq!((job.progress.processed_tables, job.progress.failed_tables), (4, 0), "{job:#?}");
    assert!(!job.notes.iter().any(|note| note.contains("waiting to go on")), "{:?}", job.notes);
    assert_eq!(lowered(&fleet.servers[2]).await, other);
    same_rows(&fleet, "shop.orders").await;
    same_rows(&fleet, "shop.later").await;
}

#[tokio::test]
async fn a_dead_host_keeps_only_itself_waiting() {
    bed::on_each(one_dead_host).await;
}

/// The tool dies, and with it the server by which the job knows its fleet.
async fn the_target_is_dead(engine: Engine) {
    let mut fleet = bed::sturdy(engine, 1, 200_000).await;
    let before = lowered(&fleet.servers[1]).await;
    let hall = Hall::new();
    let id = hall.submit_plan(plan_for(fleet.primary(), &[&fleet.servers[1]], 1).await).await;
    caught(&fleet.servers[1]).await;
    hall.runner.shutdown(Duration::ZERO).await;
    assert_ne!(lowered(&fleet.servers[1]).await, before, "nothing was lowered when the tool died");
    fleet.servers[0].kill();

    let later = Hall::over(hall.store.clone());
    let replica = &fleet.servers[1];
    bed::until("the replica's settings", before.clone(), || lowered(replica)).await;
    fleet.servers[0].restart().await;
    fleet.primary().run(&["SET GLOBAL read_only = 0"]).await;
    assert_eq!(later.finished(&id).await.status, JobStatus::Completed);
    assert_eq!(applier(&fleet.servers[1]).await, "Yes");
    same_rows(&fleet, "shop.orders").await;
}

#[tokio::test]
async fn a_dead_target_does_not_keep_a_replica_lowered() {
    bed::on_each(the_target_is_dead).await;
}
