//! A watcher that takes nothing holds nobody up and is let go; nothing piles up for it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops loudly where it stands")]

mod support;

use api::JobStatus;
use control::Settings;
use futures::StreamExt;
use http::HttpSettings;
use jobs::{JobRecord, JobStore, NewJob};
use serde_json::{Value, json};
use std::{collections::BTreeSet, time::Duration};
use support::{Bed, loopback};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};

/// More than the system keeps for a connection that is not read, all jobs together.
const JOBS: usize = 100;
const EACH: usize = 128 * 1024;

/// A job's document with a table of a very long name in it, so that a few updates fill any buffer.
fn body() -> Value {
    let config = json!({
        "target": {"host": "h", "port": 1, "username": "u"}, "mode": "binlog-off", "threshold_mb": 1,
        "threshold_percent": 1.0, "exclude_primary": true, "batch_size": 1, "timeout": "1h",
    });
    json!({
        "job_id": "", "status": "pending", "config": config, "created_at": "2026-01-01T00:00:00Z",
        "progress": {"total_tables": 1, "processed_tables": 0, "failed_tables": 0, "percentage": 0.0,
                     "current_table": "x".repeat(EACH)},
        "statistics": {"space_freed_mb": 0, "space_freed_bytes": 0, "time_elapsed": "00:00:00",
                       "estimated_remaining": "", "tables_processed": []},
        "plan": {"created_at": "2026-01-01T00:00:00Z", "cluster_id": "c", "config": config, "mode": "binlog-off",
                 "nodes": [], "file_bytes": 0, "predicted_freed_bytes": 0, "predicted_seconds": 0.0, "warnings": []},
    })
}

/// Jobs of a trade this server does not have: this test plays the process that runs them.
async fn many(bed: &Bed) -> Vec<JobRecord> {
    let mut made = Vec::new();
    for _ in 0..JOBS {
        let new = NewJob { kind: "elsewhere".into(), body: body(), created_at: bed.control.clock().now() };
        made.push(bed.store.create(new).await.unwrap());
    }
    made
}

/// A WebSocket that is opened and never read.
async fn slow(bed: &Bed) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut stream = socket.connect(bed.server.address).await.unwrap();
    let head = "GET /api/v1/ws/monitor HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut begun = [0; 12];
    stream.read_exact(&mut begun).await.unwrap();
    assert_eq!(&begun, b"HTTP/1.1 101");
    stream
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_watcher_is_let_go_and_the_others_hear_everything() {
    let patience = Duration::from_secs(5);
    let http = HttpSettings { write_timeout: patience, ..loopback() };
    let bed = Bed::start_with(Settings::default(), http).await;
    let made = many(&bed).await;
    let mut stalled = Vec::new();
    for _ in 0..3 {
        stalled.push(slow(&bed).await);
    }
    let (quick, _) = connect_async(format!("ws://{}/api/v1/ws/monitor", bed.server.address)).await.unwrap();
    let hearing = tokio::spawn(hear_all(quick));
    for job in &made {
        let done = JobRecord { status: JobStatus::Completed, progress: 100.0, ..job.clone() };
        bed.store.save(&done, None).await.unwrap();
    }
    hearing.await.unwrap();
    // Nothing is read before the server's patience has run out: reading would make them quick.
    tokio::time::sleep(2 * patience).await;
    for mut stream in stalled {
        // What the system had buffered, then the end: the server keeps nothing for it.
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest).await;
        assert!(rest.len() < JOBS * EACH, "it was sent everything: {} bytes", rest.len());
    }
    bed.end().await;
}

/// Listens until every job has been told of as completed.
async fn hear_all(mut socket: WebSocketStream<MaybeTlsStream<TcpStream>>) {
    let mut done = BTreeSet::new();
    while done.len() < JOBS {
        let Message::Text(text) = socket.next().await.expect("a message").expect("an open socket") else { continue };
        let update: Value = serde_json::from_str(&text).unwrap();
        if update["status"] == "completed" {
            done.insert(update["job_id"].as_str().unwrap().to_owned());
        }
    }
}
