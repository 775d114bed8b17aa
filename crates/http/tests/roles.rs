//! Who may do what: every route of the document, every role. A new route without a row here fails.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops loudly where it stands")]

mod support;

use control::Settings;
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use support::{Bed, answer, assert_error, three_tokens};

/// Least role a route needs: 0 nobody, 1 viewer, 2 operator, 3 admin.
const RULES: [(&str, &str, usize); 21] = [
    ("POST", "/api/v1/topology/discover", 2),
    ("POST", "/api/v1/recycle/jobs", 2),
    ("GET", "/api/v1/recycle/jobs", 1),
    ("GET", "/api/v1/recycle/jobs/{job_id}", 1),
    ("DELETE", "/api/v1/recycle/jobs/{job_id}", 2),
    ("POST", "/api/v1/recycle/jobs/{job_id}/approve", 3),
    ("GET", "/api/v1/recycle/jobs/{job_id}/plan", 1),
    ("POST", "/api/v1/recycle/plan", 2),
    ("GET", "/api/v1/health", 0),
    ("GET", "/api/v1/session", 0),
    ("GET", "/api/v1/audit", 3),
    ("GET", "/api/v1/metrics/history", 1),
    ("GET", "/api/v1/clusters", 1),
    ("POST", "/api/v1/clusters", 3),
    ("GET", "/api/v1/clusters/{name}/topology", 1),
    ("GET", "/api/v1/clusters/{name}/space", 1),
    ("GET", "/api/v1/clusters/{name}/census", 1),
    ("POST", "/api/v1/clusters/{name}/plan", 2),
    ("POST", "/api/v1/clusters/{name}/jobs", 2),
    ("GET", "/api/v1/ws/monitor", 1),
    ("GET", "/metrics", 1),
];

const TOKENS: [Option<&str>; 4] = [None, Some("dd_viewer"), Some("dd_operator"), Some("dd_admin")];

/// A body that is read, and whose work then fails: nothing listens on port 1.
fn body(path: &str) -> Value {
    let target = json!({"host": "127.0.0.1", "port": 1, "username": "u", "password": "p"});
    match path {
        "/api/v1/topology/discover" => target,
        "/api/v1/clusters" => json!({"name": "c", "host": "127.0.0.1", "port": 1, "username": "u", "password": "p"}),
        path if path.contains("{name}") || path.ends_with("/approve") => json!({}),
        _ => json!({"target": target}),
    }
}

async fn ask(bed: &Bed, method: &str, path: &str, token: Option<&str>) -> (u16, Option<u64>) {
    let address = format!("{}{}", bed.server.url(), path.replace("{job_id}", "job-x").replace("{name}", "none"));
    let mut request = bed.client.request(method.parse().unwrap(), address);
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    if method == "POST" {
        request = request.json(&body(path));
    }
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let body: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap_or_default();
    (status, body["code"].as_u64())
}

#[tokio::test]
async fn every_route_has_its_role() {
    let bed = Bed::start(Settings { tokens: three_tokens(), ..Settings::default() }).await;
    for (method, path, needed) in RULES {
        for (has, token) in TOKENS.iter().enumerate() {
            let (status, code) = ask(&bed, method, path, *token).await;
            let refused = status == 403 && code == Some(1008);
            assert_eq!(refused, has < needed, "{method} {path} with {token:?}: {status} {code:?}");
        }
    }
    bed.end().await;
}

#[test]
fn every_route_of_the_document_has_a_rule() {
    let document: Value = serde_json::from_str(&http::openapi_json()).unwrap();
    let routes: BTreeSet<(String, String)> = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, methods)| {
            let methods = methods.as_object().unwrap().keys().map(|method| method.to_uppercase());
            methods.map(|method| (method, path.clone())).collect::<Vec<_>>()
        })
        .collect();
    let ruled: BTreeSet<(String, String)> =
        RULES.iter().filter(|rule| rule.1 != "/metrics").map(|rule| (rule.0.to_owned(), rule.1.to_owned())).collect();
    assert_eq!(routes, ruled);
}

#[tokio::test]
async fn letting_a_job_touch_a_writer_takes_an_admin() {
    let bed = Bed::start(Settings { tokens: three_tokens(), ..Settings::default() }).await.with_token("dd_operator");
    let mut request = body("/api/v1/recycle/jobs");
    request["config"] = json!({"exclude_primary": false});
    assert_error(&bed.post("/api/v1/recycle/jobs", &request).await, 1008);
    let bed = bed.with_token("dd_admin");
    assert_error(&bed.post("/api/v1/recycle/jobs", &request).await, 1002);
    bed.end().await;
}

#[tokio::test]
async fn what_was_tried_stands_in_the_audit_with_its_outcome() {
    let bed = Bed::start(Settings { tokens: three_tokens(), ..Settings::default() }).await.with_token("dd_viewer");
    assert_error(&bed.post("/api/v1/recycle/jobs", &body("/api/v1/recycle/jobs")).await, 1008);
    let wrong = bed.client.get(format!("{}/api/v1/recycle/jobs", bed.server.url())).bearer_auth("dd_wrong");
    assert_error(&answer(wrong).await, 1008);
    let bed = bed.with_token("dd_admin");
    let (_, audit) = bed.get("/api/v1/audit?limit=10").await;
    let find = |action: &str| {
        let entries = audit["data"].as_array().unwrap();
        entries.iter().find(|entry| entry["action"] == action).unwrap_or_else(|| panic!("{action}: {audit}")).clone()
    };
    let created = find("jobs.create");
    assert_eq!((&created["actor"], &created["subject"]), (&json!("the viewer"), &json!("127.0.0.1:1")));
    assert!(created["outcome"].as_str().unwrap().contains("1008"), "{created}");
    assert_eq!(find("authenticate")["actor"], "unknown@127.0.0.1");
    bed.end().await;
}

#[tokio::test]
async fn the_session_says_who_one_is() {
    let bed = Bed::start(Settings { tokens: three_tokens(), ..Settings::default() }).await;
    let (_, nobody) = bed.get("/api/v1/session").await;
    assert_eq!(nobody["data"], json!({"actor": "", "role": "", "token_required": true}));
    let bed = bed.with_token("dd_operator");
    let (_, somebody) = bed.get("/api/v1/session").await;
    assert_eq!(somebody["data"], json!({"actor": "the operator", "role": "operator", "token_required": true}));
    bed.end().await;
}

#[tokio::test]
async fn wrong_tokens_are_slowed_down_and_right_ones_are_not() {
    let bed = Bed::start(Settings { tokens: three_tokens(), ..Settings::default() }).await;
    let guess = || bed.client.get(format!("{}/api/v1/recycle/jobs", bed.server.url())).bearer_auth("dd_guess");
    for _ in 0..10 {
        assert_error(&answer(guess()).await, 1008);
    }
    let slowed = guess().send().await.unwrap();
    assert!(slowed.headers().contains_key("retry-after"));
    assert_error(&answer(guess()).await, 1010);
    let bed = bed.with_token("dd_viewer");
    assert_eq!(bed.get("/api/v1/recycle/jobs").await.0, 200);
    let entries = bed.control.audit(&control::Caller::new("t", control::Role::Admin), api::AuditQuery::default()).await;
    let refused = entries.unwrap().iter().filter(|entry| entry.action == "authenticate").count();
    assert_eq!(refused, 10, "a flood does not fill the audit");
    assert_eq!(bed.request(Method::GET, "/").send().await.unwrap().status(), 200);
    bed.end().await;
}
