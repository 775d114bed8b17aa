//! Nobody is left in doubt whether a job was made: its id is answered, or there is none and there will be none.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops loudly where it stands")]

mod support;

use control::{Caller, Role, Settings};
use http::HttpSettings;
use reqwest::Method;
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};
use support::{Bed, answer, assert_error, loopback, target};
use testkit::{Engine, Fleet, Server};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};

const JOBS: &str = "/api/v1/recycle/jobs";

/// A way to a server on which nothing passes before the gate has a permit.
async fn gated(server: &Server) -> (Arc<Semaphore>, u16) {
    let (gate, listener) = (Arc::new(Semaphore::new(0)), TcpListener::bind("127.0.0.1:0").await.unwrap());
    let (port, inside, open) = (listener.local_addr().unwrap().port(), server.address().port, gate.clone());
    tokio::spawn(async move {
        while let Ok((mut outer, _)) = listener.accept().await {
            let open = open.clone();
            tokio::spawn(async move {
                drop(open.acquire().await);
                let mut inner = TcpStream::connect(("127.0.0.1", inside)).await?;
                tokio::io::copy_bidirectional(&mut outer, &mut inner).await
            });
        }
    });
    (gate, port)
}

/// A job on a lone server, reached by this port.
fn wish(server: &Server, port: u16) -> Value {
    let mut target = target(server);
    (target["host"], target["port"]) = (json!("127.0.0.1"), json!(port));
    json!({"target": target, "config": {"exclude_primary": false}})
}

/// How the making of a job ended, as the audit has it.
async fn outcome(bed: &Bed) -> String {
    for _ in 0..3000 {
        let entries = bed.control.audit(&Caller::new("t", Role::Admin), api::AuditQuery::default()).await.unwrap();
        if let Some(entry) = entries.into_iter().find(|entry| entry.action == "jobs.create") {
            return entry.outcome;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the audit says nothing of it")
}

async fn jobs(bed: &Bed) -> u64 {
    bed.get(JOBS).await.1["data"]["total"].as_u64().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_takes_too_long_makes_no_job_afterwards() {
    let fleet = Fleet::start(Engine::MariaDb, 0).await;
    let server = fleet.primary();
    let (gate, port) = gated(server).await;
    let http = HttpSettings { request_timeout: Duration::from_millis(300), ..loopback() };
    let bed = Bed::start_with(Settings::default(), http).await;
    let refused = bed.post(JOBS, &wish(server, port)).await;
    assert_error(&refused, 1009);
    assert!(refused.1["details"]["error"].as_str().unwrap().contains("nothing was changed"), "{}", refused.1);
    gate.add_permits(1000);
    let outcome = outcome(&bed).await;
    assert!(outcome.contains("nothing was changed"), "{outcome}");
    assert_eq!(jobs(&bed).await, 0);
    bed.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_goes_away_while_it_is_planned_leaves_no_job() {
    let fleet = Fleet::start(Engine::MariaDb, 0).await;
    let server = fleet.primary();
    let (gate, port) = gated(server).await;
    let bed = Bed::start(Settings::default()).await;
    let request = bed.request(Method::POST, JOBS).json(&wish(server, port)).timeout(Duration::from_millis(300));
    assert!(request.send().await.unwrap_err().is_timeout());
    gate.add_permits(1000);
    let outcome = outcome(&bed).await;
    assert!(outcome.contains("nothing was changed"), "{outcome}");
    assert_eq!(jobs(&bed).await, 0);
    bed.end().await;
}

/// The limit runs out while the job is being written, because the store is held by someone else just then.
#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_is_being_written_is_answered_with_its_id() {
    let fleet = Fleet::start(Engine::MariaDb, 0).await;
    let server = fleet.primary();
    let limit = Duration::from_secs(2);
    let bed = Bed::start_with(Settings::default(), HttpSettings { request_timeout: limit, ..loopback() }).await;
    let held = bed.hold_store().await;
    let asked = tokio::spawn(answer(bed.request(Method::POST, JOBS).json(&wish(server, server.address().port))));
    tokio::time::sleep(limit + Duration::from_secs(1)).await;
    drop(held);
    let (status, body) = asked.await.unwrap();
    // A machine too slow to plan within the limit is told so, and has no job either.
    let made = u64::from(status == 201);
    assert!(made == 1 || body["code"] == 1009, "{status} {body}");
    assert!(made == 0 || body["data"]["job_id"].is_string(), "{body}");
    outcome(&bed).await;
    assert_eq!(jobs(&bed).await, made, "{status} {body}");
    bed.end().await;
}
