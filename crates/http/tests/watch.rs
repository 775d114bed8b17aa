//! The WebSocket: the seed's message, order, tokens, other sites, the end.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops loudly where it stands")]

mod support;

use api::JobStatus;
use control::{Caller, Role, Settings};
use futures::{SinkExt, StreamExt};
use jobs::{JobRecord, JobStore, NewJob};
use serde_json::{Value, json};
use std::time::Duration;
use support::{Bed, three_tokens};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Error, Message, client::IntoClientRequest, http::HeaderValue},
};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

fn address(bed: &Bed, query: &str) -> String {
    format!("ws://{}/api/v1/ws/monitor{query}", bed.server.address)
}

async fn next(socket: &mut Socket) -> Value {
    loop {
        match socket.next().await.expect("a message").expect("an open socket") {
            Message::Text(text) => return serde_json::from_str(&text).expect("JSON"),
            Message::Close(frame) => panic!("closed: {frame:?}"),
            _ => {}
        }
    }
}

/// A job of a trade this server does not have: it stays for another process, which these tests play.
async fn job(bed: &Bed) -> JobRecord {
    let new = NewJob { kind: "elsewhere".into(), body: json!({}), created_at: bed.control.clock().now() };
    bed.store.create(new).await.unwrap()
}

async fn save(bed: &Bed, job: &JobRecord, status: JobStatus, progress: f64) -> JobRecord {
    let next = JobRecord { status, progress, updated_at: bed.control.clock().now(), ..job.clone() };
    bed.store.save(&next, None).await.unwrap()
}

#[tokio::test]
async fn a_watcher_begins_with_what_is_and_sees_it_rise_to_100() {
    let bed = Bed::start(Settings::default()).await;
    let begun = save(&bed, &job(&bed).await, JobStatus::Running, 47.5).await;
    let (mut socket, _) = connect_async(address(&bed, "")).await.unwrap();
    let first = next(&mut socket).await;
    assert_eq!(first["type"], "job_update");
    assert_eq!(first["job_id"], begun.id.as_str());
    assert_eq!((&first["status"], &first["progress"]), (&json!("running"), &json!(47.5)));
    first["timestamp"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    let fallen = save(&bed, &begun, JobStatus::Running, 12.0).await;
    let (mut before, mut done) = (47.5, false);
    let mut last = save(&bed, &fallen, JobStatus::Running, 80.0).await;
    while !done {
        let update = next(&mut socket).await;
        let progress = update["progress"].as_f64().unwrap();
        assert!(progress >= before, "{progress} after {before}");
        before = progress;
        done = update["status"] == "completed";
        if progress >= 80.0 && !done {
            last = save(&bed, &last, JobStatus::Completed, 99.9).await;
        }
    }
    assert!((before - 100.0).abs() < f64::EPSILON);
    bed.end().await;
}

/// A job that another process ends before this one has asked the store for the first time.
#[tokio::test]
async fn whoever_was_shown_a_job_hears_of_its_end() {
    let bed = Bed::start(Settings::default()).await;
    let begun = save(&bed, &job(&bed).await, JobStatus::Running, 47.5).await;
    let (mut socket, _) = connect_async(address(&bed, "")).await.unwrap();
    assert_eq!(next(&mut socket).await["status"], "running");
    save(&bed, &begun, JobStatus::Completed, 100.0).await;
    let end = tokio::time::timeout(Duration::from_secs(20), next(&mut socket)).await.expect("it is told of the end");
    assert_eq!((&end["job_id"], &end["status"]), (&json!(begun.id.as_str()), &json!("completed")));
    bed.end().await;
}

#[tokio::test]
async fn a_token_is_taken_from_each_place_it_may_stand() {
    let bed = Bed::start(Settings { tokens: three_tokens(), ..Settings::default() }).await;
    let waiting = job(&bed).await;
    let (mut by_query, _) = connect_async(address(&bed, "?token=dd_viewer")).await.unwrap();
    assert_eq!(next(&mut by_query).await["job_id"], waiting.id.as_str());
    for (name, value) in [("authorization", "Bearer dd_viewer"), ("sec-websocket-protocol", "bearer, dd_viewer")] {
        let mut request = address(&bed, "").into_client_request().unwrap();
        request.headers_mut().insert(name, HeaderValue::from_static(value));
        let (mut socket, response) = connect_async(request).await.unwrap();
        assert_eq!(next(&mut socket).await["job_id"], waiting.id.as_str());
        if name == "sec-websocket-protocol" {
            assert_eq!(response.headers()[name], "bearer", "the token is not sent back");
        }
    }
    for query in ["", "?token=dd_wrong"] {
        let Err(Error::Http(refused)) = connect_async(address(&bed, query)).await else {
            panic!("let in by {query:?}")
        };
        assert_eq!(refused.status(), 403);
    }
    bed.end().await;
}

#[tokio::test]
async fn a_token_taken_back_ends_what_it_opened() {
    let bed = Bed::start(Settings { tokens: three_tokens(), ..Settings::default() }).await;
    let begun = save(&bed, &job(&bed).await, JobStatus::Running, 10.0).await;
    let (mut kept, _) = connect_async(address(&bed, "?token=dd_admin")).await.unwrap();
    let (mut gone, _) = connect_async(address(&bed, "?token=dd_viewer")).await.unwrap();
    next(&mut kept).await;
    next(&mut gone).await;
    let tokens = three_tokens().into_iter().filter(|token| token.role != Role::Viewer).collect();
    let without = Settings { tokens, ..Settings::default() };
    bed.control.reload(&Caller::new("ann", Role::Admin), without).await.unwrap();
    save(&bed, &begun, JobStatus::Running, 20.0).await;
    let end = tokio::time::timeout(Duration::from_secs(20), gone.next()).await.expect("it ends").unwrap().unwrap();
    let Message::Close(Some(frame)) = end else { panic!("it was told {end:?}") };
    assert_eq!(u16::from(frame.code), 1008, "{frame:?}");
    assert_eq!(next(&mut kept).await["progress"], 20.0);
    bed.end().await;
}

#[tokio::test]
async fn a_page_of_another_site_cannot_watch() {
    let bed = Bed::start(Settings::default()).await;
    let mut request = address(&bed, "").into_client_request().unwrap();
    request.headers_mut().insert("origin", HeaderValue::from_static("http://evil.example"));
    let Err(Error::Http(refused)) = connect_async(request).await else { panic!("let in") };
    assert_eq!(refused.status(), 403);
    bed.end().await;
}

#[tokio::test]
async fn the_end_of_the_server_is_said_and_a_closed_watcher_is_let_go() {
    let bed = Bed::start(Settings::default()).await;
    let (mut gone, _) = connect_async(address(&bed, "")).await.unwrap();
    gone.send(Message::Close(None)).await.unwrap();
    let (mut socket, _) = connect_async(address(&bed, "")).await.unwrap();
    bed.shutdown.cancel();
    let last = loop {
        match socket.next().await {
            Some(Ok(Message::Close(frame))) => break frame,
            Some(Ok(_)) => {}
            other => panic!("no goodbye: {other:?}"),
        }
    };
    assert_eq!(u16::from(last.expect("a reason").code), 1001);
    bed.end().await;
}

#[tokio::test]
async fn without_an_upgrade_it_says_what_it_wants() {
    let bed = Bed::start(Settings::default()).await;
    support::assert_error(&bed.get("/api/v1/ws/monitor").await, 1001);
    bed.end().await;
}
