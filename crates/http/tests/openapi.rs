//! The OpenAPI document: kept in `docs/openapi.json`, served, and complete.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops loudly where it stands")]

mod support;

use control::Settings;
use serde_json::Value;
use support::Bed;

const KEPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json");

/// `UPDATE=1 cargo nextest run -p http@0.1.0 kept` writes it anew.
#[test]
fn the_kept_document_is_the_code_s() {
    let fresh = http::openapi_json() + "\n";
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(KEPT, &fresh).unwrap();
    }
    let kept = std::fs::read_to_string(KEPT).unwrap_or_default();
    assert!(kept == fresh, "docs/openapi.json is old: run with UPDATE=1 and commit it");
}

#[tokio::test]
async fn it_is_served_with_a_page_that_works_offline() {
    let bed = Bed::start(Settings::default()).await;
    let (status, served) = bed.get("/api/v1/openapi.json").await;
    assert_eq!(status, 200);
    assert_eq!(served, serde_json::from_str::<Value>(&http::openapi_json()).unwrap());
    let page = bed.request(reqwest::Method::GET, "/docs/").send().await.unwrap();
    assert_eq!(page.status(), 200);
    let html = page.text().await.unwrap();
    assert!(html.contains("swagger-ui"), "{html}");
    assert!(!html.contains("http://") && !html.contains("https://"), "nothing from elsewhere: {html}");
    for part in ["swagger-ui-bundle.js", "swagger-initializer.js", "swagger-ui.css"] {
        let file = bed.request(reqwest::Method::GET, &format!("/docs/{part}")).send().await.unwrap();
        assert_eq!(file.status(), 200, "{part}");
    }
    bed.end().await;
}

#[test]
fn no_schema_shows_a_password_it_would_answer_with() {
    let document: Value = serde_json::from_str(&http::openapi_json()).unwrap();
    for answer in ["ClusterInfo", "JobCreated", "AuditEntry", "SessionInfo"] {
        let properties = &document["components"]["schemas"][answer]["properties"];
        assert!(properties.is_object(), "{answer}");
        assert!(properties["password"].is_null(), "{answer}");
    }
}

#[test]
fn every_password_that_may_be_sent_is_told_and_is_write_only() {
    let document: Value = serde_json::from_str(&http::openapi_json()).unwrap();
    for request in ["DatabaseTarget", "DiscoverRequest", "ConnectRequest"] {
        let password = &document["components"]["schemas"][request]["properties"]["password"];
        assert_eq!((&password["type"], &password["writeOnly"]), (&"string".into(), &true.into()), "{request}");
    }
}
