//! The door itself: bad input, other sites, limits, the page, TLS, ending.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops loudly where it stands")]

mod support;

use control::{Concurrency, Settings};
use http::{HttpSettings, TlsFiles, serve};
use reqwest::{Method, StatusCode, header};
use serde_json::json;
use std::time::Duration;
use support::{Bed, answer, assert_error, loopback, three_tokens};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_util::sync::CancellationToken;

const JOBS: &str = "/api/v1/recycle/jobs";

#[tokio::test]
async fn bad_bodies_are_1001_and_say_what_and_where() {
    let bed = Bed::start(Settings::default()).await;
    let target = r#""target":{"host":"h","port":1,"username":"u"}"#;
    let cases = [
        ("{\"target\": \n oops}".to_owned(), "line", json!(2)),
        (format!("{{{target},\"config\":{{\"threshold_mb\":-1}}}}"), "field", json!("config.threshold_mb")),
        (format!("{{{target},\"config\":{{\"batch_size\":0}}}}"), "field", json!("config.batch_size")),
        (format!("{{{target},\"config\":{{\"mode\":\"binlog\"}}}}"), "field", json!("config.mode")),
        (format!("{{{target},\"config\":{{\"modus\":\"binlog-off\"}}}}"), "field", json!("config.modus")),
        (format!("{{{target},\"config\":{{\"timeout\":\"soon\"}}}}"), "field", json!("config.timeout")),
        ("{\"target\":{\"host\":\"\",\"username\":\"u\"}}".to_owned(), "field", json!("target.host")),
        ("{\"target\":{\"host\":\"h\",\"port\":0,\"username\":\"u\"}}".to_owned(), "field", json!("target.port")),
        ("{\"target\":{\"host\":\"h\",\"port\":65536,\"username\":\"u\"}}".to_owned(), "field", json!("target.port")),
        ("[]".to_owned(), "line", json!(1)),
        (String::new(), "line", json!(1)),
    ];
    for (body, detail, value) in cases {
        let request =
            bed.request(Method::POST, JOBS).header(header::CONTENT_TYPE, "application/json").body(body.clone());
        let refused = answer(request).await;
        assert_error(&refused, 1001);
        assert_eq!(refused.1["details"][detail], value, "{body}: {}", refused.1);
    }
    bed.end().await;
}

#[tokio::test]
async fn bad_queries_are_1001() {
    let bed = Bed::start(Settings::default()).await;
    for query in ["limit=0", "limit=-1", "limit=x", "limit=1001", "offset=-1", "status=done", "sort=up"] {
        assert_error(&bed.get(&format!("{JOBS}?{query}")).await, 1001);
    }
    assert_error(&bed.get("/api/v1/audit?limit=0").await, 1001);
    assert_error(&bed.get("/api/v1/metrics/history?since=yesterday").await, 1001);
    assert_error(&bed.get("/api/v1/clusters/none/topology").await, 1001);
    assert_eq!(bed.get(&format!("{JOBS}?status=running&limit=10&offset=0")).await.0, 200);
    bed.end().await;
}

#[tokio::test]
async fn what_is_not_there_answers_in_the_envelope() {
    let bed = Bed::start(Settings::default()).await;
    for (method, path, status) in [
        (Method::GET, "/api/v1/nothing", 404),
        (Method::GET, "/api", 404),
        (Method::POST, "/nothing", 404),
        (Method::GET, "/assets/none.js", 404),
        (Method::PUT, JOBS, 405),
        (Method::DELETE, "/api/v1/health", 405),
    ] {
        let (got, body) = answer(bed.request(method.clone(), path)).await;
        assert_eq!((got.as_u16(), &body["code"]), (status, &json!(1001)), "{method} {path}: {body}");
        assert!(body["details"]["next"].is_string() && body["timestamp"].is_string());
    }
    assert_error(&bed.get(&format!("{JOBS}/job-20240101-001")).await, 1006);
    assert_error(&bed.delete(&format!("{JOBS}/job-20240101-001")).await, 1006);
    assert_error(&bed.get(&format!("{JOBS}/%00%27%3B--/plan")).await, 1006);
    bed.end().await;
}

#[tokio::test]
async fn a_body_too_large_or_of_another_kind_is_refused() {
    let bed = Bed::start_with(Settings::default(), HttpSettings { body_limit: 1000, ..loopback() }).await;
    let large = bed.request(Method::POST, JOBS).json(&json!({"target": "x".repeat(2000)}));
    let (status, body) = answer(large).await;
    assert_eq!((status, &body["code"]), (StatusCode::PAYLOAD_TOO_LARGE, &json!(1001)));
    for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"] {
        let form = bed.request(Method::POST, JOBS).header(header::CONTENT_TYPE, kind).body("{}");
        assert_error(&answer(form).await, 1001);
    }
    bed.end().await;
}

#[tokio::test]
async fn other_sites_and_other_names_are_kept_out() {
    let bed =
        Bed::start_with(Settings::default(), HttpSettings { allowed_hosts: vec!["ops".into()], ..loopback() }).await;
    let named = |host: &str| bed.request(Method::GET, "/api/v1/health").header(header::HOST, host.to_owned());
    assert_error(&answer(named("rebound.example")).await, 1008);
    assert_eq!(answer(named("ops:8080")).await.0, 200);
    let from = |origin: &str| {
        let request = bed.request(Method::DELETE, &format!("{JOBS}/job-x"));
        request.header(header::ORIGIN, origin.to_owned())
    };
    assert_error(&answer(from("http://evil.example")).await, 1008);
    assert_error(&answer(from("null")).await, 1008);
    assert_error(&answer(from(&bed.server.url())).await, 1006);
    bed.end().await;
}

#[tokio::test]
async fn a_request_that_takes_too_long_is_408() {
    // Accepts and never speaks: a server that hangs in its handshake.
    let hanging = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = hanging.local_addr().unwrap().port();
    let body = json!({"host": "127.0.0.1", "port": port, "username": "u", "password": "p"});
    let http = HttpSettings { request_timeout: Duration::from_millis(200), ..loopback() };
    let bed = Bed::start_with(Settings::default(), http).await;
    assert_error(&bed.post("/api/v1/topology/discover", &body).await, 1009);
    bed.end().await;
    let concurrency = Concurrency { worker_timeout: Duration::from_millis(200), ..Concurrency::default() };
    let bed = Bed::start(Settings { concurrency, ..Settings::default() }).await;
    assert_error(&bed.post("/api/v1/topology/discover", &body).await, 1009);
    bed.end().await;
}

#[tokio::test]
async fn too_much_at_once_is_1010() {
    let hanging = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = hanging.local_addr().unwrap().port();
    let body = json!({"host": "127.0.0.1", "port": port, "username": "u", "password": "p"});
    let concurrency = Concurrency { max_workers: 1, queue_size: 0, ..Concurrency::default() };
    let bed = Bed::start(Settings { concurrency, ..Settings::default() }).await;
    let first = bed.request(Method::POST, "/api/v1/topology/discover").json(&body);
    let first = tokio::spawn(async move { first.send().await });
    let _held = hanging.accept().await.unwrap();
    assert_error(&bed.post("/api/v1/topology/discover", &body).await, 1010);
    first.abort();
    bed.end().await;
}

async fn closed_by_server(stream: &mut TcpStream) -> bool {
    let mut rest = Vec::new();
    let end = tokio::time::timeout(Duration::from_secs(30), stream.read_to_end(&mut rest)).await;
    end.is_ok()
}

#[tokio::test]
async fn connections_that_say_nothing_are_closed() {
    let short = Duration::from_millis(200);
    let idle = HttpSettings { idle_timeout: short, ..loopback() };
    let slow = HttpSettings { read_timeout: short, ..loopback() };
    for (settings, sent) in [(idle, ""), (slow, "GET /api/v1/health HTTP/1.1\r\nHost: localh")] {
        let bed = Bed::start_with(Settings::default(), settings).await;
        let mut stream = TcpStream::connect(bed.server.address).await.unwrap();
        stream.write_all(sent.as_bytes()).await.unwrap();
        assert!(closed_by_server(&mut stream).await, "{sent:?}");
        bed.end().await;
    }
}

#[tokio::test]
async fn a_body_that_does_not_come_is_408() {
    let slow = HttpSettings { read_timeout: Duration::from_millis(300), ..loopback() };
    let bed = Bed::start_with(Settings::default(), slow).await;
    let mut stream = TcpStream::connect(bed.server.address).await.unwrap();
    let head = "POST /api/v1/recycle/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
                Content-Length: 100\r\n\r\n{\"tar";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = vec![0; 4096];
    let read = stream.read(&mut answer).await.unwrap();
    let answer = String::from_utf8_lossy(&answer[..read]).into_owned();
    assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("1009"), "{answer}");
    bed.end().await;
}

#[tokio::test]
async fn the_page_is_served_from_inside_with_its_own_rules() {
    let bed = Bed::start(Settings::default()).await;
    for path in ["/", "/jobs/job-20240101-001", "/clusters/prod/space", "/fleet/127.0.0.1:3306/space"] {
        let page = bed.request(Method::GET, path).send().await.unwrap();
        assert_eq!(page.status(), 200, "{path}");
        assert!(page.headers()[header::CONTENT_TYPE].to_str().unwrap().starts_with("text/html"));
        let policy = page.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.starts_with("default-src 'self'") && !policy.contains("unsafe"), "{policy}");
        assert_eq!(page.headers()["x-content-type-options"], "nosniff");
    }
    let first = bed.request(Method::GET, "/").send().await.unwrap();
    let Some(tag) = first.headers().get(header::ETAG).cloned() else { return bed.end().await };
    let again = bed.request(Method::GET, "/").header(header::IF_NONE_MATCH, tag).send().await.unwrap();
    assert_eq!(again.status(), 304);
    let small = bed.request(Method::GET, "/").header(header::ACCEPT_ENCODING, "gzip").send().await.unwrap();
    assert_eq!(small.headers()[header::CONTENT_ENCODING], "gzip");
    bed.end().await;
}

#[tokio::test]
async fn metrics_count_requests_with_few_labels() {
    let bed = Bed::start(Settings::default()).await;
    for id in 0..20 {
        bed.get(&format!("{JOBS}/job-{id}")).await;
    }
    let text = bed.request(Method::GET, "/metrics").send().await.unwrap().text().await.unwrap();
    assert!(text.contains(r#"route="/api/v1/recycle/jobs/{job_id}",status="404"} 20"#), "{text}");
    for status in ["pending", "running", "completed", "failed", "cancelled"] {
        assert!(text.contains(&format!("drydock_jobs{{status=\"{status}\"}} 0")), "{text}");
    }
    assert!(!text.contains("job-1"), "no job is a label");
    bed.end().await;
}

#[tokio::test]
async fn a_stranger_may_not_be_let_in_without_tokens() {
    let bed = Bed::start(Settings::default()).await;
    let open = HttpSettings::at("0.0.0.0:0".parse().unwrap());
    let refused = serve(bed.control.clone(), open.clone(), CancellationToken::new()).await.unwrap_err();
    assert!(refused.detail("error").contains("no token") && refused.detail("next").contains("auth.tokens"));
    bed.end().await;
    let bed = Bed::start_with(Settings { tokens: three_tokens(), ..Settings::default() }, open).await;
    bed.end().await;
}

#[tokio::test]
async fn a_port_in_use_says_so() {
    let bed = Bed::start(Settings::default()).await;
    let taken = HttpSettings::at(bed.server.address);
    let refused = serve(bed.control.clone(), taken, CancellationToken::new()).await.unwrap_err();
    assert!(refused.detail("error").contains("cannot listen"), "{refused}");
    bed.end().await;
}

fn self_signed(directory: &std::path::Path, name: &str) -> (TlsFiles, reqwest::Certificate) {
    let pair = rcgen::generate_simple_self_signed(vec!["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
    let (certificate, key) = (directory.join(format!("{name}.pem")), directory.join(format!("{name}.key")));
    std::fs::write(&certificate, pair.cert.pem()).unwrap();
    std::fs::write(&key, pair.signing_key.serialize_pem()).unwrap();
    (TlsFiles { certificate, key }, reqwest::Certificate::from_pem(pair.cert.pem().as_bytes()).unwrap())
}

#[tokio::test]
async fn tls_is_spoken_and_its_certificate_can_be_changed() {
    let directory = tempfile::tempdir().unwrap();
    let (files, root) = self_signed(directory.path(), "one");
    let bed = Bed::start_with(Settings::default(), HttpSettings { tls: Some(files.clone()), ..loopback() }).await;
    assert!(bed.server.url().starts_with("https://"));
    let ask = |root: reqwest::Certificate| {
        let client = reqwest::Client::builder().tls_certs_only([root]).build().unwrap();
        client.get(format!("{}/api/v1/health", bed.server.url())).send()
    };
    assert_eq!(ask(root.clone()).await.unwrap().status(), 200);
    let plain = format!("http://{}/api/v1/health", bed.server.address);
    assert!(bed.client.get(plain).send().await.is_err(), "no plain HTTP on a TLS port");
    let (other, new_root) = self_signed(directory.path(), "two");
    std::fs::copy(other.certificate, &files.certificate).unwrap();
    std::fs::copy(other.key, &files.key).unwrap();
    bed.server.reload_certificate().await.unwrap();
    assert_eq!(ask(new_root).await.unwrap().status(), 200);
    assert!(ask(root).await.is_err(), "the old certificate is not shown any more");
    std::fs::write(&files.key, "not a key").unwrap();
    assert!(bed.server.reload_certificate().await.unwrap_err().detail("error").contains("one.key"));
    bed.end().await;
}

#[tokio::test]
async fn a_request_under_way_is_answered_before_the_end() {
    let hanging = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = hanging.local_addr().unwrap().port();
    let body = json!({"host": "127.0.0.1", "port": port, "username": "u", "password": "p"});
    let bed = Bed::start(Settings::default()).await;
    let asked = tokio::spawn(answer(bed.request(Method::POST, "/api/v1/topology/discover").json(&body)));
    let (held, _) = hanging.accept().await.unwrap();
    bed.shutdown.cancel();
    drop(held);
    let (status, body) = asked.await.unwrap();
    assert_eq!((status.as_u16(), &body["code"]), (500, &json!(1002)), "{body}");
    bed.end().await;
}
