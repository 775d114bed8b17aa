//! A disk too small for the new copy: seen beforehand, and survived where it could not be seen.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops loudly where it stands")]

mod bed;

use api::{GateVerdict, JobStatus, TableState};
use bed::Hall;
use reclaim::plan::{PlanOptions, plan};
use runtime::Clock;
use testkit::{Engine, Fleet, Options, SmallDisk};

/// What a table of some 110 MB needs beside itself, on a disk that has not got it.
async fn too_small(engine: Engine) {
    let Some(disk) = SmallDisk::new(if engine == Engine::MySql { 800 } else { 600 }) else {
        return eprintln!("skipped: no right to mount a small disk");
    };
    let options = Options {
        parent: Some(disk.path().to_owned()),
        arguments: vec!["--skip-log-bin".into(), "--innodb-buffer-pool-size=64M".into()],
        ..Options::default()
    };
    let mut fleet = Fleet::start(engine, 0).await;
    fleet.servers.push(testkit::Server::start(engine, options).await);
    fleet.attach(1, 0).await;
    fleet.protect(1).await;
    bed::fill(fleet.primary(), "shop", "orders", 400_000, "").await;
    bed::scatter_half(fleet.primary(), "shop", "orders").await;
    fleet.catch_up(1, 0).await;
    let replica = &fleet.servers[1];
    replica.settled().await;
    disk.leave_free(12 << 20);
    let before = (bed::settings(replica).await, replica.file_bytes("shop/orders.ibd"));
    let mut drawn = plan(&replica.endpoint(), &bed::config(replica), &PlanOptions::default(), &Clock::real())
        .await
        .expect("a plan");
    let gate = |plan: &api::Plan| {
        let table = plan.work().next().expect("work").clone();
        table.gates.into_iter().find(|gate| gate.name == "disk").expect("the disk gate").verdict
    };
    assert!(matches!(gate(&drawn), GateVerdict::Wait { .. }), "{drawn:#?}");
    // The same where the need was underestimated: the server runs into the wall, says so, and the table is whole.
    for table in drawn.nodes.iter_mut().flat_map(|node| &mut node.batches).flat_map(|batch| &mut batch.tables) {
        table.data_bytes_needed = 0;
        table.tmp_bytes_needed = 0;
    }
    let hall = Hall::new();
    // A plan made while the table was small, and held since: the disk is measured against the table as it is now.
    let mut held = drawn.clone();
    for table in held.nodes.iter_mut().flat_map(|node| &mut node.batches).flat_map(|batch| &mut batch.tables) {
        table.estimate.file_bytes = 1 << 20;
    }
    let id = hall.submit_plan(held).await;
    let needs = |phase: &str| phase.contains("the data disk has") && !phase.contains("; 0 MB are needed");
    hall.until(&id, |job| needs(&job.progress.phase)).await;
    hall.runner.cancel(&id).await.expect("it can be stopped");
    assert_eq!(hall.finished(&id).await.status, JobStatus::Cancelled);
    disk.make_room();
    disk.leave_free(if engine == Engine::MySql { 44 << 20 } else { 34 << 20 });
    let id = hall.submit_plan(drawn).await;
    let job = hall.finished(&id).await;
    assert_eq!(job.status, JobStatus::Failed, "{job:#?}");
    assert_eq!(job.statistics.tables_processed[0].state, TableState::Failed);
    assert!(job.error.contains("full") || job.error.contains("space"), "{}", job.error);
    assert_eq!((bed::settings(replica).await, replica.file_bytes("shop/orders.ibd")), before);
    assert_eq!(bed::leftovers(replica), Vec::<String>::new());
    disk.make_room();
    bed::same_rows(&fleet, "shop.orders").await;
}

#[tokio::test]
async fn a_full_disk_is_seen_and_survived() {
    bed::on_each(too_small).await;
}
