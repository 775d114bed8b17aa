//! On real fleets of both engines: discover, plan, job, watch to 100, freed on disk; refusals; nothing secret comes out.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops loudly where it stands")]

mod support;

use control::{AlertSettings, ClusterSettings, Concurrency, Settings};
use futures::StreamExt;
use jobs::{JobStore, NewJob};
use reqwest::StatusCode;
use serde_json::{Value, json};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use support::{Bed, assert_error, target};
use testkit::{Engine, Fleet, PASSWORD, Server, USER};
use tokio_tungstenite::{connect_async, tungstenite::Message};
use types::Secret;
use wiremock::{Mock, MockServer, ResponseTemplate, matchers::any};

const JOBS: &str = "/api/v1/recycle/jobs";

/// A table of a few MB, half of it deleted, on every member.
async fn waste(fleet: &Fleet) {
    let fill = "INSERT INTO shop.orders (body) SELECT REPEAT('x', 500) FROM \
                (SELECT 1 FROM information_schema.COLUMNS LIMIT 1000) a, (SELECT 1 FROM information_schema.COLUMNS LIMIT 12) b";
    fleet
        .primary()
        .run(&[
            "CREATE DATABASE shop",
            "CREATE TABLE shop.orders (id INT PRIMARY KEY AUTO_INCREMENT, body VARCHAR(600)) ENGINE=InnoDB",
            fill,
            "DELETE FROM shop.orders WHERE id % 10 <> 0",
        ])
        .await;
    for replica in 1..fleet.servers.len() {
        fleet.catch_up(replica, 0).await;
    }
}

/// Every table, however little it wastes.
fn anything() -> Value {
    json!({"mode": "binlog-off", "threshold_mb": 0, "threshold_percent": 0.0, "exclude_primary": true})
}

async fn ended(bed: &Bed, id: &str) -> Value {
    let mut last = Value::Null;
    for _ in 0..1200 {
        let (status, body) = bed.get(&format!("{JOBS}/{id}")).await;
        assert_eq!(status, 200, "{body}");
        if ["completed", "failed", "cancelled"].contains(&body["data"]["status"].as_str().unwrap()) {
            return body["data"].clone();
        }
        last = body;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("job {id} does not end: {last}")
}

/// Reads updates until the job's last; asserts order.
async fn watch(url: String, begun: tokio::sync::oneshot::Sender<()>) -> Vec<Value> {
    let (mut socket, _) = connect_async(url).await.unwrap();
    begun.send(()).unwrap();
    let mut seen: Vec<Value> = Vec::new();
    while let Some(Ok(message)) = socket.next().await {
        let Message::Text(text) = message else { continue };
        let update: Value = serde_json::from_str(&text).unwrap();
        let last = seen.last().and_then(|last| last["progress"].as_f64()).unwrap_or(0.0);
        assert!(update["progress"].as_f64().unwrap() >= last, "{update} after {last}");
        let is_final = ["completed", "failed", "cancelled"].contains(&update["status"].as_str().unwrap());
        seen.push(update);
        if is_final {
            break;
        }
    }
    seen
}

async fn whole_walk(engine: Engine) {
    let fleet = Fleet::start(engine, 1).await;
    waste(&fleet).await;
    let (primary, replica) = (fleet.primary(), &fleet.servers[1]);
    let bed = Bed::start(Settings::default()).await;

    let (status, found) = bed.post("/api/v1/topology/discover", &target(replica)).await;
    assert_eq!((status, &found["code"], &found["message"]), (StatusCode::OK, &json!(0), &json!("success")));
    let master = &found["data"]["topology"]["master"];
    assert_eq!(master["port"], primary.address().port, "{found}");
    assert_eq!(master["slaves"][0]["port"], replica.address().port);
    assert_eq!(&found["data"]["master"], master, "the data structure's own place for it");
    let (status, text) = dot(&bed, replica).await;
    assert!(status == 200 && text.starts_with("digraph"), "{text}");

    let request = json!({"target": target(replica), "config": anything()});
    let before = replica.file_bytes("shop/orders.ibd");
    let (status, plan) = bed.post("/api/v1/recycle/plan", &request).await;
    assert_eq!(status, 200, "{plan}");
    let mut dry = request.clone();
    dry["config"]["dry_run"] = json!(true);
    assert_eq!(bed.post(JOBS, &dry).await.0, 200);
    assert_eq!(replica.file_bytes("shop/orders.ibd"), before, "a plan changes nothing");
    assert_eq!(bed.get(JOBS).await.1["data"]["total"], 0, "a dry run makes no job");

    let (begun, ready) = tokio::sync::oneshot::channel();
    let watching = tokio::spawn(watch(format!("ws://{}/api/v1/ws/monitor", bed.server.address), begun));
    ready.await.unwrap();
    let mut agreed = request.clone();
    agreed["plan_digest"] = json!("0123");
    let refused = bed.post(JOBS, &agreed).await;
    assert_error(&refused, 1007);
    agreed["plan_digest"] = plan["data"]["digest"].clone();
    let (status, made) = bed.post(JOBS, &agreed).await;
    assert_eq!((status, &made["message"]), (StatusCode::CREATED, &json!("job created successfully")), "{made}");
    assert_eq!(made["data"]["status"], "pending");
    let id = made["data"]["job_id"].as_str().unwrap().to_owned();

    let job = ended(&bed, &id).await;
    assert_eq!(job["status"], "completed", "{job}");
    assert_eq!(job["progress"]["percentage"], 100.0);
    assert_eq!(job["progress"]["failed_tables"], 0);
    assert_eq!(job["census"][0]["node"], json!(replica.address().to_string()), "{job}");
    assert!(job["census"][0]["items"].as_array().unwrap().len() > 2, "{job}");
    assert!(job["statistics"]["time_elapsed"].as_str().unwrap().matches(':').count() == 2, "{job}");
    let freed = job["statistics"]["space_freed_bytes"].as_i64().unwrap();
    let after = replica.file_bytes("shop/orders.ibd");
    assert_eq!(freed, i64::try_from(before).unwrap() - i64::try_from(after).unwrap(), "as the disk says: {job}");
    // A small table: how much of it must go is the estimate room's test.
    assert!(after < before, "{after} of {before}");
    assert_eq!(primary.file_bytes("shop/orders.ibd") / 2, before / 2, "the writer was left alone");

    let seen = tokio::time::timeout(Duration::from_secs(30), watching).await.unwrap().unwrap();
    let last = seen.last().unwrap();
    assert_eq!((&last["status"], &last["progress"], &last["job_id"]), (&json!("completed"), &json!(100.0), &json!(id)));

    assert_error(&bed.delete(&format!("{JOBS}/{id}")).await, 1007);
    let (_, kept) = bed.get(&format!("{JOBS}/{id}/plan")).await;
    assert_eq!(kept["data"]["config"]["target"]["username"], USER);
    let (_, page) = bed.get(&format!("{JOBS}?status=completed")).await;
    assert_eq!((&page["data"]["total"], &page["data"]["jobs"][0]["progress"]), (&json!(1), &json!(100.0)));
    bed.end().await;
}

async fn dot(bed: &Bed, server: &Server) -> (StatusCode, String) {
    let asked = bed.request(reqwest::Method::POST, "/api/v1/topology/discover?format=dot").json(&target(server));
    let answer = asked.send().await.unwrap();
    (answer.status(), answer.text().await.unwrap())
}

#[tokio::test]
async fn mariadb_from_discovery_to_freed_bytes() {
    whole_walk(Engine::MariaDb).await;
}

#[tokio::test]
async fn mysql_from_discovery_to_freed_bytes() {
    if !Engine::MySql.is_available() {
        return eprintln!("MySQL cannot be had here: not tested");
    }
    whole_walk(Engine::MySql).await;
}

async fn refusals(engine: Engine) {
    let fleet = Fleet::start(engine, 0).await;
    let lone = fleet.primary();
    lone.run(&["CREATE USER 'blind'@'%' IDENTIFIED BY 'blind-secret'"]).await;
    let concurrency = Concurrency { queue_size: 0, ..Concurrency::default() };
    let bed = Bed::start(Settings { concurrency, ..Settings::default() }).await;

    let mut wrong = target(lone);
    wrong["password"] = json!("wrong-secret");
    let refused = bed.post("/api/v1/topology/discover", &wrong).await;
    assert_error(&refused, 1002);
    assert_eq!(refused.1["details"]["port"], lone.address().port);
    assert_error(&bed.post(JOBS, &json!({"target": wrong})).await, 1002);

    let mut blind = target(lone);
    (blind["username"], blind["password"]) = (json!("blind"), json!("blind-secret"));
    assert_error(&bed.post("/api/v1/topology/discover", &blind).await, 1008);

    let asked = json!({"target": target(lone), "config": {"exclude_primary": true}});
    assert_error(&bed.post(JOBS, &asked).await, 1004);
    let asked = json!({"target": target(lone), "config": {"tables": ["no.such"], "exclude_primary": false}});
    assert_error(&bed.post(JOBS, &asked).await, 1001);
    let asked = json!({"target": target(lone), "config": {"exclude_primary": false}});
    assert_error(&bed.post(JOBS, &asked).await, 1010);

    // The store is gone: planning still works, a job cannot be made.
    let bed = {
        bed.end().await;
        Bed::start(Settings::default()).await
    };
    bed.store.close().await;
    assert_error(&bed.post(JOBS, &asked).await, 1005);
    bed.end().await;
}

#[tokio::test]
async fn mariadb_refusals_have_their_codes() {
    refusals(Engine::MariaDb).await;
}

#[tokio::test]
async fn mysql_refusals_have_their_codes() {
    if !Engine::MySql.is_available() {
        return eprintln!("MySQL cannot be had here: not tested");
    }
    refusals(Engine::MySql).await;
}

fn cluster(server: &Server, password: &str) -> ClusterSettings {
    ClusterSettings {
        name: "prod".into(),
        address: server.address(),
        username: USER.into(),
        password: Secret::new(password),
        members: Vec::new(),
        group: None,
    }
}

/// Everything the process logs, at the most talkative level.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Log {
    fn start() -> Log {
        let log = Log::default();
        let to = log.clone();
        let all = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(move || to.clone());
        all.init();
        log
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

async fn named(engine: Engine) {
    let log = Log::start();
    let fleet = Fleet::start(engine, 1).await;
    waste(&fleet).await;
    let settings = Settings { clusters: vec![cluster(fleet.primary(), PASSWORD)], ..Settings::default() };
    let bed = Bed::start(settings).await;
    let mut out = String::new();
    let mut ask = async |path: &str| {
        let (status, body) = bed.get(path).await;
        assert_eq!(status, 200, "{path}: {body}");
        out.push_str(&body.to_string());
        body["data"].clone()
    };
    let clusters = ask("/api/v1/clusters").await;
    assert_eq!((&clusters[0]["name"], &clusters[0]["has_password"]), (&json!("prod"), &json!(true)));
    assert_eq!(ask("/api/v1/clusters/prod/topology?refresh=true").await["cluster_name"], "prod");
    let space = ask("/api/v1/clusters/prod/space").await;
    let orders = space.as_array().unwrap().iter().filter(|table| table["table"] == "orders").count();
    assert_eq!(orders, 2, "once per member: {space}");
    assert_eq!(ask("/api/v1/clusters/prod/census").await.as_array().unwrap().len(), 2);

    // Credentials of a cluster go to its members only.
    let made_up = json!({"host": "127.0.0.1", "port": 1});
    assert_error(&bed.post("/api/v1/clusters/prod/plan", &made_up).await, 1001);
    let replica = fleet.servers[1].address();
    let asked = json!({"host": replica.host, "port": replica.port, "config": anything()});
    let (status, made) = bed.post("/api/v1/clusters/prod/jobs", &asked).await;
    assert_eq!(status, 201, "{made}");
    let job = ended(&bed, made["data"]["job_id"].as_str().unwrap()).await;
    assert_eq!(job["status"], "completed", "{job}");

    let connect = json!({"name": "second", "host": replica.host, "port": replica.port, "username": USER, "password": "bad-secret"});
    let refused = bed.post("/api/v1/clusters", &connect).await;
    assert_error(&refused, 1002);
    let mut good = connect.clone();
    good["password"] = json!(PASSWORD);
    // A host that a request names is never shown the password of the environment.
    let lent = Bed::start(Settings { password: Some(Secret::new(PASSWORD)), ..Settings::default() }).await;
    let mut without = connect.clone();
    without["password"] = json!("");
    assert_error(&lent.post("/api/v1/clusters", &without).await, 1002);
    lent.end().await;
    let (status, info) = bed.post("/api/v1/clusters", &good).await;
    assert_eq!((status, &info["data"]["origin"]), (StatusCode::CREATED, &json!("session")));
    let audit = bed.get("/api/v1/audit").await.1;
    let metrics = bed.request(reqwest::Method::GET, "/metrics").send().await.unwrap().text().await.unwrap();
    let kept = bed.kept();
    assert!(kept.contains("second") && log.text().contains("clusters.connect"), "store and log are looked at");
    for text in [
        kept,
        log.text(),
        job.to_string(),
        made.to_string(),
        refused.1.to_string(),
        info.to_string(),
        audit.to_string(),
        metrics,
        out,
    ] {
        for secret in [PASSWORD, "bad-secret"] {
            let at = text.find(secret).map(|at| text[at.saturating_sub(200)..].chars().take(300).collect::<String>());
            assert_eq!(at, None, "a password came out");
        }
    }
    bed.end().await;
}

#[tokio::test]
async fn mariadb_named_clusters_keep_their_passwords() {
    named(Engine::MariaDb).await;
}

#[tokio::test]
async fn mysql_named_clusters_keep_their_passwords() {
    if !Engine::MySql.is_available() {
        return eprintln!("MySQL cannot be had here: not tested");
    }
    named(Engine::MySql).await;
}

#[tokio::test]
async fn a_server_that_does_not_say_who_it_is_is_1003() {
    let mute = testkit::fake::Fake::start(testkit::fake::Script::new("8.0.39", "")).await;
    let bed = Bed::start(Settings::default()).await;
    let address = mute.address();
    let body = json!({"host": address.host, "port": address.port, "username": USER, "password": PASSWORD});
    assert_error(&bed.post("/api/v1/topology/discover", &body).await, 1003);
    bed.end().await;
}

#[tokio::test]
async fn a_job_whose_password_nobody_knows_any_more_fails_with_the_way_out() {
    let fleet = Fleet::start(Engine::MariaDb, 1).await;
    waste(&fleet).await;
    let replica = &fleet.servers[1];
    let bed = Bed::start(Settings::default()).await;
    let plan = bed.post("/api/v1/recycle/plan", &json!({"target": target(replica), "config": anything()})).await.1;
    let id = orphan(&bed, &plan["data"]).await;
    let job = ended(&bed, &id).await;
    assert_eq!((&job["status"], job["error_code"].as_u64().is_some_and(|code| code > 0)), (&json!("failed"), true));
    assert!(job["error"].as_str().unwrap().contains("RECYCLER_DB_PASSWORD"), "{job}");
    bed.end().await;
    // With the password in the environment the same job is carried out.
    let bed = Bed::start(Settings { password: Some(Secret::new(PASSWORD)), ..Settings::default() }).await;
    let id = orphan(&bed, &plan["data"]).await;
    assert_eq!(ended(&bed, &id).await["status"], "completed");
    bed.end().await;
}

/// A job another process stored and did not live to run.
async fn orphan(bed: &Bed, plan: &Value) -> String {
    let created_at = bed.control.clock().now();
    let body = json!({
        "job_id": "", "status": "pending", "config": plan["config"],
        "progress": {"total_tables": 1, "processed_tables": 0, "failed_tables": 0, "percentage": 0.0},
        "statistics": {"space_freed_mb": 0, "space_freed_bytes": 0, "time_elapsed": "00:00:00",
                       "estimated_remaining": "", "tables_processed": []},
        "created_at": created_at, "plan": plan,
    });
    let record = bed.store.create(NewJob { kind: "recycle".into(), body, created_at }).await.unwrap();
    record.id.to_string()
}

#[tokio::test]
async fn a_failed_job_is_told_to_the_webhook() {
    let webhook = MockServer::start().await;
    // The first attempt fails: it is tried again.
    Mock::given(any()).respond_with(ResponseTemplate::new(503)).up_to_n_times(1).mount(&webhook).await;
    Mock::given(any()).respond_with(ResponseTemplate::new(200)).mount(&webhook).await;
    let url = Secret::new(format!("{}/api/v2/alerts", webhook.uri()));
    let alerts = AlertSettings { enabled: true, webhook_url: Some(url) };
    let bed = Bed::start(Settings { alerts, ..Settings::default() }).await;
    // Its plan cannot be read, so it fails.
    let new = NewJob { kind: "recycle".into(), body: json!({"plan": 1}), created_at: bed.control.clock().now() };
    let id = bed.store.create(new).await.unwrap().id.to_string();
    let told = loop {
        let requests = webhook.received_requests().await.unwrap();
        if requests.len() >= 2 {
            break requests[1].body_json::<Value>().unwrap();
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert_eq!(told[0]["labels"]["job_id"], json!(id), "{told}");
    assert_eq!(told[0]["annotations"]["job_id"], json!(id));
    assert!(told[0]["startsAt"].as_str().unwrap().parse::<jiff::Timestamp>().is_ok());
    bed.end().await;
}
