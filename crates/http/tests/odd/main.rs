//! Odd input at every endpoint the served OpenAPI document names: always the seed's shape, never a fault of the server,
//! and whatever does not fit the document's own schema is refused as 1001.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops loudly where it stands")]

mod requests;
mod schema;
#[path = "../support/mod.rs"]
mod support;

use control::{ClusterSettings, DatabaseSettings, Settings};
use futures::{StreamExt, stream};
use requests::Odd;
use reqwest::header;
use serde_json::Value;
use std::{collections::BTreeMap, time::Duration};
use support::Bed;
use types::{Address, Code, Secret};

/// Requests under way at once.
const AT_ONCE: usize = 32;

/// A server that knows one cluster, at which nobody answers.
async fn bed(port: u16) -> Bed {
    let cluster = ClusterSettings {
        name: requests::CLUSTER.to_owned(),
        address: Address::new("127.0.0.1", port),
        username: "u".to_owned(),
        password: Secret::new("p"),
        members: Vec::new(),
        group: None,
    };
    let database = DatabaseSettings { timeout: Duration::from_secs(2), ..DatabaseSettings::default() };
    Bed::start(Settings { clusters: vec![cluster], database, ..Settings::default() }).await
}

/// Sends it; what is wrong with the answer, if anything.
async fn complaint(bed: &Bed, odd: &Odd) -> Option<String> {
    let mut request = bed.request(odd.method.clone(), &odd.path);
    if let Some(body) = &odd.body {
        request = request.header(header::CONTENT_TYPE, "application/json").body(body.clone());
    }
    let answer = request.send().await.expect("the server answers and does not fall silent");
    let (status, text) = (answer.status().as_u16(), answer.text().await.expect("text"));
    let told = judge(status, &text, odd.fits);
    told.map(|told| {
        format!("{} {} with {:?} ({}): {status} {told}: {text:.300}", odd.method, odd.path, odd.shown(), odd.why)
    })
}

fn judge(status: u16, text: &str, fits: bool) -> Option<&'static str> {
    let Ok(body) = serde_json::from_str::<Value>(text) else { return Some("is not JSON") };
    let Some(number) = body["code"].as_u64().and_then(|code| u16::try_from(code).ok()) else {
        return Some("has no code");
    };
    if number == 0 {
        return if fits {
            (status >= 300).then_some("is 0")
        } else {
            Some("was taken though it does not fit the document")
        };
    }
    let Ok(code) = Code::try_from(number) else { return Some("has a code the seed does not know") };
    let says = |detail: &str| body["details"][detail].as_str().is_some_and(|text| !text.is_empty());
    if body["message"] != code.message() || !says("error") || !says("next") || !body["timestamp"].is_string() {
        return Some("is not in the seed's shape");
    }
    match code {
        Code::InvalidArgument if [400, 404, 405, 413].contains(&status) => None,
        Code::InvalidArgument => Some("has another status than its code"),
        _ if !fits => Some("is not 1001, though it does not fit the document"),
        // Nobody listens where these requests point: the only fault a server may report here.
        Code::ConnectFailed if status == 500 && says("host") => None,
        _ if status == code.http_status() && status < 500 => None,
        _ => Some("is a fault"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_input_is_refused_in_the_seeds_shape_and_never_a_fault() {
    let bed = bed(testkit::free_port()).await;
    let (_, document) = bed.get("/api/v1/openapi.json").await;
    let port = bed.control.settings().clusters[0].address.port;
    let all = requests::all(&document, port);
    let mut sent: BTreeMap<String, (u32, u32)> = BTreeMap::new();
    for odd in &all {
        let counted = sent.entry(odd.route.clone()).or_default();
        *counted = (counted.0 + 1, counted.1 + u32::from(!odd.fits));
    }
    let asked = stream::iter(&all).map(|odd| complaint(&bed, odd)).buffer_unordered(AT_ONCE);
    let complaints: Vec<String> = asked.filter_map(std::future::ready).collect().await;
    assert!(complaints.is_empty(), "{} of {}:\n{}", complaints.len(), all.len(), complaints.join("\n"));
    // The walk must not be empty: every operation got something, and every body something that does not fit.
    let paths = document["paths"].as_object().expect("paths");
    for (path, operations) in paths {
        for (method, operation) in operations.as_object().expect("operations") {
            let (asked, misfits) = sent.get(&format!("{method} {path}")).copied().unwrap_or_default();
            assert!(asked > 0, "nothing was sent to {method} {path}");
            assert!(operation.get("requestBody").is_none() || misfits > 20, "{method} {path}: {misfits} misfits");
        }
    }
    assert_eq!(bed.get("/api/v1/health").await.0, 200, "it is still well");
    bed.end().await;
}
