//! Tenants: a token kept to a group of clusters meets nothing of the others, by any route of the document.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops loudly where it stands")]

mod support;

use api::{JobStatus, MetricPoint};
use control::{ClusterSettings, MetricsSettings, Role, Settings, TokenSettings, token_digest};
use futures::StreamExt;
use jobs::{JobStore, MetricsHistory};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::time::Duration;
use support::{Bed, assert_error, target};
use testkit::{Engine, Fleet, PASSWORD, Server, USER};
use tokio_tungstenite::{connect_async, tungstenite::Message};
use types::{JobId, Secret};

const JOBS: &str = "/api/v1/recycle/jobs";
/// A group nobody else is in; both tokens have every right otherwise.
const TENANTS: [(&str, &str); 2] = [("ann", "north"), ("bob", "south")];

fn cluster(name: &str, group: &str, server: &Server) -> ClusterSettings {
    ClusterSettings {
        name: name.into(),
        address: server.address(),
        username: USER.into(),
        password: Secret::new(PASSWORD),
        members: Vec::new(),
        group: Some(group.into()),
    }
}

fn token(name: &str, group: Option<&str>) -> TokenSettings {
    TokenSettings {
        name: name.into(),
        role: Role::Admin,
        sha256: token_digest(&format!("dd_{name}")),
        groups: group.map(|group| vec![group.to_owned()]),
    }
}

/// Two servers, two clusters, two groups, and a job of each that waits for a second admin.
struct Town {
    bed: Bed,
    fleets: [Fleet; 2],
    jobs: [String; 2],
}

/// The writer too: a cluster of one member has nothing else.
fn wanted() -> Value {
    json!({"config": {"exclude_primary": false}})
}

async fn town() -> Town {
    let fleets = [Fleet::start(Engine::MariaDb, 0).await, Fleet::start(Engine::MariaDb, 0).await];
    let clusters =
        vec![cluster("arctic", "north", fleets[0].primary()), cluster("pacific", "south", fleets[1].primary())];
    let mut tokens: Vec<_> = TENANTS.iter().map(|(name, group)| token(name, Some(group))).collect();
    tokens.push(token("root", None));
    let metrics = MetricsSettings { enabled: true, interval: Duration::from_millis(500), ..MetricsSettings::default() };
    let bed = Bed::start(Settings { clusters, tokens, two_person: true, metrics, ..Settings::default() }).await;
    let mut jobs = Vec::new();
    for ((name, _), cluster) in TENANTS.iter().zip(["arctic", "pacific"]) {
        let path = format!("/api/v1/clusters/{cluster}/jobs");
        let (status, made) = ask(&bed, name, "POST", &path, Some(wanted())).await;
        assert_eq!(status, StatusCode::CREATED, "{made}");
        let made: Value = serde_json::from_str(&made).unwrap();
        jobs.push(made["data"]["job_id"].as_str().unwrap().to_owned());
    }
    Town { bed, fleets, jobs: [jobs[0].clone(), jobs[1].clone()] }
}

async fn ask(bed: &Bed, name: &str, method: &str, path: &str, body: Option<Value>) -> (StatusCode, String) {
    let method: Method = method.parse().unwrap();
    let request = bed.client.request(method, format!("{}{path}", bed.server.url())).bearer_auth(format!("dd_{name}"));
    let response = match body {
        Some(body) => request.json(&body),
        None => request,
    };
    let response = response.send().await.unwrap();
    (response.status(), response.text().await.unwrap())
}

async fn json_of(bed: &Bed, name: &str, method: &str, path: &str, body: Option<Value>) -> (StatusCode, Value) {
    let (status, text) = ask(bed, name, method, path, body).await;
    (status, serde_json::from_str(&text).unwrap())
}

impl Town {
    /// Words that only the other tenant may ever read.
    fn secrets_of_bob(&self) -> [String; 3] {
        let address = self.fleets[1].primary().address();
        ["pacific".to_owned(), address.to_string(), self.jobs[1].clone()]
    }

    fn assert_free(&self, what: &str, text: &str, said: &str) {
        for secret in self.secrets_of_bob().iter().filter(|secret| !said.contains(secret.as_str())) {
            assert!(!text.contains(secret.as_str()), "{what} tells of {secret}: {text}");
        }
    }

    async fn end(self) {
        self.bed.end().await;
    }
}

fn body(path: &str, town: &Town) -> Value {
    let mut target = target(town.fleets[1].primary());
    match path {
        "/api/v1/topology/discover" => target,
        "/api/v1/clusters" => {
            target["name"] = json!("mine");
            target
        }
        path if path.contains("{name}") || path.ends_with("/approve") => json!({}),
        _ => json!({"target": target}),
    }
}

/// What a limited admin is answered when each route is asked about what is another's.
async fn visit(town: &Town, method: &str, path: &str) {
    let asked = path.replace("{job_id}", &town.jobs[1]).replace("{name}", "pacific");
    assert!(!asked.contains('{'), "{path} has a part this test does not know: say what it is of another tenant");
    let body = (method == "POST").then(|| body(path, town));
    let (status, text) = ask(&town.bed, "ann", method, &asked, body).await;
    let named = asked != path;
    town.assert_free(&format!("{method} {path}"), &text, &asked);
    if named {
        let code = serde_json::from_str::<Value>(&text).unwrap()["code"].as_u64();
        let unknown = if path.contains("{job_id}") { 1006 } else { 1001 };
        assert_eq!(code, Some(unknown), "{method} {path} is not as for an unknown one: {status} {text}");
        let asked = asked.replace(&town.jobs[1], "job-20200101-001").replace("pacific", "nowhere");
        let nothing = json_of(&town.bed, "ann", method, &asked, (method == "POST").then(|| json!({}))).await;
        let text = text.replace(&town.jobs[1], "job-20200101-001").replace("pacific", "nowhere");
        let mut same: Value = serde_json::from_str(&text).unwrap();
        same["timestamp"] = nothing.1["timestamp"].clone();
        assert_eq!((status, same), nothing, "{method} {path} tells that there is one");
    } else if method != "GET" {
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap()["code"], 1008, "{method} {path}: {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_route_tells_of_another_tenant() {
    let town = town().await;
    let document: Value = serde_json::from_str(&http::openapi_json()).unwrap();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            visit(&town, &method.to_uppercase(), path).await;
        }
    }
    assert_error(&json_of(&town.bed, "ann", "GET", "/api/v1/audit", None).await, 1008);
    let (_, job) = json_of(&town.bed, "bob", "GET", &format!("{JOBS}/{}", town.jobs[1]), None).await;
    assert_eq!((&job["data"]["status"], &job["data"]["cluster"]), (&json!("pending"), &json!("pacific")), "{job}");
    town.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ones_own_is_there() {
    let town = town().await;
    let bed = &town.bed;
    let (_, clusters) = json_of(bed, "ann", "GET", "/api/v1/clusters", None).await;
    let names: Vec<&Value> = clusters["data"].as_array().unwrap().iter().map(|cluster| &cluster["name"]).collect();
    assert_eq!(names, ["arctic"]);
    for part in ["topology", "space", "census"] {
        let (status, text) = ask(bed, "ann", "GET", &format!("/api/v1/clusters/arctic/{part}"), None).await;
        assert_eq!(status, 200, "{part}: {text}");
        town.assert_free(part, &text, "");
    }
    assert_eq!(ask(bed, "ann", "POST", "/api/v1/clusters/arctic/plan", Some(wanted())).await.0, 200);
    for (name, total) in [("ann", 1), ("bob", 1), ("root", 2)] {
        let (_, list) = json_of(bed, name, "GET", JOBS, None).await;
        assert_eq!((&list["data"]["total"], list["data"]["jobs"].as_array().unwrap().len()), (&json!(total), total));
    }
    let (_, list) = json_of(bed, "ann", "GET", &format!("{JOBS}?status=pending&offset=1"), None).await;
    assert_eq!((&list["data"]["total"], &list["data"]["jobs"]), (&json!(1), &json!([])));
    let own = format!("{JOBS}/{}", town.jobs[0]);
    assert_eq!(ask(bed, "ann", "GET", &format!("{own}/plan"), None).await.0, 200);
    assert_eq!(ask(bed, "ann", "DELETE", &own, None).await.0, 200);
    town.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_ones_own_jobs_are_watched() {
    let town = town().await;
    let url = format!("ws://{}/api/v1/ws/monitor?token=dd_ann", town.bed.server.address);
    let (mut socket, _) = connect_async(url).await.unwrap();
    let [own, other] = &town.jobs;
    // The other's changes first: whatever is told of them would come before the end of one's own.
    for (name, id) in [("bob", other), ("ann", own)] {
        assert_eq!(ask(&town.bed, name, "DELETE", &format!("{JOBS}/{id}"), None).await.0, 200);
        while town.bed.store.get(&JobId(id.clone())).await.unwrap().unwrap().status != JobStatus::Cancelled {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    loop {
        let Message::Text(text) = socket.next().await.unwrap().unwrap() else { continue };
        let update: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(update["job_id"], own.as_str(), "told of another's job");
        if update["status"] == "cancelled" {
            break;
        }
    }
    town.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_ones_own_members_are_in_the_metrics() {
    let town = town().await;
    let bed = &town.bed;
    let at = bed.control.clock().now();
    let job = |id: &String| MetricPoint { name: "job_freed_bytes".into(), subject: id.clone(), at, value: 1.0 };
    bed.store.keep(&[job(&town.jobs[0]), job(&town.jobs[1])]).await.unwrap();
    let everybody = async || ask(bed, "root", "GET", "/metrics", None).await.1;
    while everybody().await.matches("drydock_node_up{").count() < 2 {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let (status, text) = ask(bed, "ann", "GET", "/metrics", None).await;
    assert_eq!((status, text.matches("drydock_node_up{").count()), (StatusCode::OK, 1), "{text}");
    assert!(text.contains("cluster=\"arctic\"") && !text.contains("drydock_jobs"), "{text}");
    town.assert_free("/metrics", &text, "");
    let (_, all) = ask(bed, "root", "GET", "/api/v1/metrics/history", None).await;
    assert!(town.secrets_of_bob()[1..].iter().all(|secret| all.contains(secret)), "{all}");
    let (_, text) = ask(bed, "ann", "GET", "/api/v1/metrics/history", None).await;
    town.assert_free("history", &text, "");
    assert!(text.contains(&town.jobs[0]) && text.contains(&town.fleets[0].primary().address().to_string()), "{text}");
    assert!(!text.contains("freed_bytes_total") && !text.contains("\"jobs\""), "{text}");
    town.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_connected_by_hand_or_belongs_to_no_cluster_is_nobodys() {
    let town = town().await;
    let bed = &town.bed;
    let mut guest = target(town.fleets[0].primary());
    guest["name"] = json!("guest");
    assert_eq!(ask(bed, "root", "POST", "/api/v1/clusters", Some(guest)).await.0, 201);
    assert_error(&json_of(bed, "ann", "GET", "/api/v1/clusters/guest/topology", None).await, 1001);
    let on_a_host = json!({"target": target(town.fleets[0].primary()), "config": {"exclude_primary": false}});
    let (_, made) = json_of(bed, "root", "POST", JOBS, Some(on_a_host)).await;
    let id = made["data"]["job_id"].as_str().unwrap();
    assert_error(&json_of(bed, "ann", "GET", &format!("{JOBS}/{id}"), None).await, 1006);
    let (_, list) = json_of(bed, "ann", "GET", JOBS, None).await;
    assert_eq!(list["data"]["total"], 1, "{list}");
    town.end().await;
}
