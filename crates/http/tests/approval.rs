//! Two people for what may touch a writer: on real servers of both engines a job does nothing until another admin agreed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops loudly where it stands")]

mod support;

use control::{Role, Settings, TokenSettings, token_digest};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::time::Duration;
use support::{Bed, answer, assert_error, target};
use testkit::{Engine, Fleet, PASSWORD, Server};
use types::Secret;

const JOBS: &str = "/api/v1/recycle/jobs";

/// Longer than a dispatcher needs to find a job it may take.
const LONG: Duration = Duration::from_secs(4);

/// Ann and Bob are admins, Olga is an operator. The password is the configuration's, so that a restart knows it.
fn settings(two_person: bool) -> Settings {
    let entry = |(name, role): (&str, Role)| TokenSettings {
        name: name.to_owned(),
        role,
        sha256: token_digest(&format!("dd_{name}")),
        groups: None,
    };
    let tokens = [("ann", Role::Admin), ("bob", Role::Admin), ("olga", Role::Operator)].map(entry).to_vec();
    Settings { tokens, two_person, password: Some(Secret::new(PASSWORD)), ..Settings::default() }
}

/// A table of a few MB on a server that takes writes, nine rows of ten deleted.
async fn waste(server: &Server) {
    let fill = "INSERT INTO shop.orders (body) SELECT REPEAT('x', 500) FROM \
                (SELECT 1 FROM information_schema.COLUMNS LIMIT 1000) a, (SELECT 1 FROM information_schema.COLUMNS LIMIT 12) b";
    server
        .run(&[
            "CREATE DATABASE shop",
            "CREATE TABLE shop.orders (id INT PRIMARY KEY AUTO_INCREMENT, body VARCHAR(600)) ENGINE=InnoDB",
            fill,
            "DELETE FROM shop.orders WHERE id % 10 <> 0",
        ])
        .await;
}

fn wanted(server: &Server) -> Value {
    json!({"target": target(server), "config": {"exclude_primary": false, "threshold_mb": 0, "threshold_percent": 0.0}})
}

/// Asks as somebody.
async fn as_(bed: &Bed, name: &str, method: Method, path: &str, body: Option<Value>) -> (StatusCode, Value) {
    let request = bed.client.request(method, format!("{}{path}", bed.server.url())).bearer_auth(format!("dd_{name}"));
    answer(match body {
        Some(body) => request.json(&body),
        None => request,
    })
    .await
}

async fn approve(bed: &Bed, name: &str, id: &str, body: Option<Value>) -> (StatusCode, Value) {
    as_(bed, name, Method::POST, &format!("{JOBS}/{id}/approve"), body).await
}

async fn job(bed: &Bed, id: &str) -> Value {
    as_(bed, "olga", Method::GET, &format!("{JOBS}/{id}"), None).await.1["data"].clone()
}

async fn asked(bed: &Bed, server: &Server) -> String {
    let (status, made) = as_(bed, "ann", Method::POST, JOBS, Some(wanted(server))).await;
    assert_eq!((status, &made["data"]["status"]), (StatusCode::CREATED, &json!("pending")), "{made}");
    made["data"]["job_id"].as_str().unwrap().to_owned()
}

async fn until(bed: &Bed, id: &str, status: &str) -> Value {
    let mut last = Value::Null;
    for _ in 0..1200 {
        last = job(bed, id).await;
        if last["status"] == status {
            return last;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("job {id} is not {status}: {last}")
}

/// It is as it was made, and so is the table's file.
async fn assert_waiting(bed: &Bed, id: &str, server: &Server, bytes: u64) {
    tokio::time::sleep(LONG).await;
    let waiting = job(bed, id).await;
    assert_eq!(
        (&waiting["status"], &waiting["approval"]),
        (&json!("pending"), &json!({"asked_by": "ann"})),
        "{waiting}"
    );
    assert_eq!(waiting["progress"]["phase"], "waiting for a second admin's approval");
    assert!(waiting["started_at"].is_null(), "{waiting}");
    assert_eq!(server.file_bytes("shop/orders.ibd"), bytes);
}

async fn refused_to_all_but_another_admin(bed: &Bed, id: &str) {
    assert_error(&approve(bed, "olga", id, None).await, 1008);
    let own = approve(bed, "ann", id, None).await;
    assert_error(&own, 1008);
    assert!(own.1["details"]["next"].as_str().unwrap().contains("another admin"), "{own:?}");
    assert_error(&approve(bed, "bob", "job-20200101-001", None).await, 1006);
    assert_error(&approve(bed, "bob", id, Some(json!({"plan_digest": "another"}))).await, 1007);
    assert_error(&approve(bed, "bob", id, Some(json!({"digest": "another"}))).await, 1001);
    assert_eq!(job(bed, id).await["approval"], json!({"asked_by": "ann"}));
}

async fn two_people(engine: Engine) {
    let fleet = Fleet::start(engine, 0).await;
    let server = fleet.primary();
    waste(server).await;
    let bytes = server.file_bytes("shop/orders.ibd");
    let bed = Bed::start(settings(true)).await;
    let id = asked(&bed, server).await;
    assert_waiting(&bed, &id, server, bytes).await;
    refused_to_all_but_another_admin(&bed, &id).await;

    // Neither the end of the process nor a key that was taken out lets it go.
    let bed = bed.restart(settings(false)).await;
    assert_waiting(&bed, &id, server, bytes).await;
    refused_to_all_but_another_admin(&bed, &id).await;

    // It is kept from the table's end, so that the same yes can be said again.
    let mut holder = server.session().await;
    holder.run("START TRANSACTION").await.unwrap();
    holder.value("SELECT COUNT(*) FROM shop.orders").await.unwrap();
    let (_, plan) = as_(&bed, "bob", Method::GET, &format!("{JOBS}/{id}/plan"), None).await;
    let digest = Some(json!({"plan_digest": plan["data"]["digest"]}));
    let (status, given) = approve(&bed, "bob", &id, digest).await;
    assert_eq!((status, &given["data"]["approval"]["approved_by"]), (StatusCode::OK, &json!("bob")), "{given}");
    let (status, again) = approve(&bed, "bob", &id, None).await;
    assert_eq!((status, &again["data"]["approval"]), (StatusCode::OK, &given["data"]["approval"]), "{again}");
    assert_error(&approve(&bed, "ann", &id, None).await, 1008);
    holder.close().await;

    let done = until(&bed, &id, "completed").await;
    assert_eq!(
        (&done["progress"]["failed_tables"], &done["approval"]),
        (&json!(0), &given["data"]["approval"]),
        "{done}"
    );
    assert!(server.file_bytes("shop/orders.ibd") < bytes);
    assert_error(&approve(&bed, "bob", &id, None).await, 1007);
    told_in_the_audit(&bed, &id).await;

    // With the key out, a new job needs nobody.
    let id = asked(&bed, server).await;
    assert_error(&approve(&bed, "bob", &id, None).await, 1007);
    assert!(until(&bed, &id, "completed").await["approval"].is_null());
    bed.end().await;
}

async fn told_in_the_audit(bed: &Bed, id: &str) {
    let (_, audit) = as_(bed, "ann", Method::GET, "/api/v1/audit?limit=100", None).await;
    let entries = audit["data"].as_array().unwrap();
    let told = |actor: &str, outcome: &str| {
        entries.iter().any(|entry| {
            let is_ours = entry["action"] == "jobs.approve" && entry["subject"] == id && entry["actor"] == actor;
            is_ours && entry["outcome"].as_str().unwrap().contains(outcome)
        })
    };
    assert!(told("olga", "1008") && told("ann", "1008") && told("bob", "1007") && told("bob", "ok"), "{audit}");
}

async fn cancelled_while_it_waits(engine: Engine) {
    let fleet = Fleet::start(engine, 0).await;
    let server = fleet.primary();
    waste(server).await;
    let bytes = server.file_bytes("shop/orders.ibd");
    let bed = Bed::start(settings(true)).await;
    let here = asked(&bed, server).await;
    let after_a_restart = asked(&bed, server).await;
    assert_eq!(as_(&bed, "olga", Method::DELETE, &format!("{JOBS}/{here}"), None).await.0, 200);
    until(&bed, &here, "cancelled").await;
    let bed = bed.restart(settings(true)).await;
    assert_eq!(as_(&bed, "olga", Method::DELETE, &format!("{JOBS}/{after_a_restart}"), None).await.0, 200);
    until(&bed, &after_a_restart, "cancelled").await;
    for id in [&here, &after_a_restart] {
        assert_error(&approve(&bed, "bob", id, None).await, 1007);
        assert!(job(&bed, id).await["statistics"]["tables_processed"].as_array().unwrap().is_empty());
    }
    assert_eq!(server.file_bytes("shop/orders.ibd"), bytes);
    bed.end().await;
}

#[tokio::test]
async fn mariadb_two_people_for_a_writer() {
    two_people(Engine::MariaDb).await;
}

#[tokio::test]
async fn mysql_two_people_for_a_writer() {
    if !Engine::MySql.is_available() {
        return eprintln!("MySQL cannot be had here: not tested");
    }
    two_people(Engine::MySql).await;
}

#[tokio::test]
async fn mariadb_cancelled_while_it_waits() {
    cancelled_while_it_waits(Engine::MariaDb).await;
}

#[tokio::test]
async fn mysql_cancelled_while_it_waits() {
    if !Engine::MySql.is_available() {
        return eprintln!("MySQL cannot be had here: not tested");
    }
    cancelled_while_it_waits(Engine::MySql).await;
}
