//! The server through its program: chapter 7.2 of the seed, reload, tokens, a graceful end.
#![allow(clippy::expect_used, clippy::panic, reason = "a test stops where it fails")]

mod support;

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader, Read},
    process::{Child, Stdio},
    time::Duration,
};
use support::Place;
use testkit::{Engine, Fleet, PASSWORD, USER};

struct Server {
    child: Child,
    url: String,
    client: reqwest::Client,
}

impl Server {
    fn start(place: &Place, program: &str, arguments: &[&str]) -> Server {
        let mut command = place.command(program);
        command.arg("server").args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("its output")).read_line(&mut line).expect("a line");
        let Some(url) = line.trim().strip_prefix("listening on ") else {
            let mut said = String::new();
            let _ = child.stderr.take().expect("its errors").read_to_string(&mut said);
            panic!("{line} {said}");
        };
        Server { url: url.to_owned(), child, client: reqwest::Client::new() }
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).expect("a process id");
        kill(Pid::from_raw(pid), signal).expect("it lives");
    }

    async fn ask(&self, request: reqwest::RequestBuilder) -> (u16, Value) {
        let answer = request.send().await.expect("an answer");
        (answer.status().as_u16(), answer.json().await.expect("JSON"))
    }

    async fn get(&self, path: &str, token: Option<&str>) -> (u16, Value) {
        let mut request = self.client.get(format!("{}{path}", self.url));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        self.ask(request).await
    }

    /// Asked to end, it ends well.
    fn end(mut self) {
        self.signal(Signal::SIGTERM);
        let status = self.child.wait().expect("it ends");
        assert_eq!(status.code(), Some(0));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_seeds_server_and_discovery_work_as_typed() {
    let fleet = Fleet::start(Engine::MariaDb, 1).await;
    let place = Place::new();
    let port = testkit::free_port().to_string();
    let server = Server::start(&place, "mysql-tablespace-recycling", &["--port", &port, "--log-level", "debug"]);
    assert_eq!(server.url, format!("http://127.0.0.1:{port}"));
    let (status, health) = server.get("/api/v1/health", None).await;
    assert_eq!((status, &health["code"], &health["message"]), (200, &0.into(), &"healthy".into()));
    let address = fleet.servers[1].address();
    let body = json!({"host": address.host, "port": address.port, "username": USER, "password": PASSWORD});
    let request = server.client.post(format!("{}/api/v1/topology/discover", server.url)).json(&body);
    let (status, found) = server.ask(request).await;
    assert_eq!((status, &found["code"]), (200, &0.into()), "{found}");
    assert_eq!(found["data"]["topology"]["master"]["port"], fleet.primary().address().port);
    server.end();
    let log = place.read("logs/recycling.log");
    assert!(log.contains("serving") && log.contains("ending") && !log.contains(PASSWORD), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_be_reloaded_is_reloaded_and_the_rest_is_named() {
    let place = Place::with_config("logging:\n  level: info\n");
    let server = Server::start(&place, "drydock", &["--port", "0"]);
    assert_eq!(server.get("/api/v1/recycle/jobs", None).await.0, 200);
    let made = place.run(&["token", "new", "--name", "ann", "--role", "viewer", "--config", "config.yaml"]).out;
    let token = made.lines().next().and_then(|line| line.strip_prefix("token: ")).expect("a token").to_owned();
    let entry = made.split("\n\n").nth(1).expect("an entry");
    let file = place.directory.path().join("config.yaml");
    std::fs::write(&file, format!("server:\n  prot: 1\n{entry}")).expect("written");
    server.signal(Signal::SIGHUP);
    wait_for(|| place.read("logs/recycling.log").contains("the old configuration stays")).await;
    assert_eq!(server.get("/api/v1/recycle/jobs", None).await.0, 200, "a file with a fault changes nothing");
    // Without a signal: the file is looked at.
    std::fs::write(&file, format!("server:\n  idle_timeout: 1m\nlogging:\n  level: debug\n{entry}")).expect("written");
    wait_for(|| place.read("logs/recycling.log").contains("need a restart")).await;
    assert_eq!(server.get("/api/v1/recycle/jobs", None).await.0, 403);
    let (status, jobs) = server.get("/api/v1/recycle/jobs", Some(&token)).await;
    assert_eq!((status, &jobs["data"]["total"]), (200, &0.into()), "{jobs}");
    let told = || place.read("logs/recycling.log").lines().filter(|line| line.contains("need a restart")).count();
    assert!(place.read("logs/recycling.log").contains("keys=\"server\""), "{}", place.read("logs/recycling.log"));
    // Read again for another reason: what waits for a restart is not forgotten.
    std::fs::write(&file, format!("server:\n  idle_timeout: 1m\nlogging:\n  level: info\n{entry}")).expect("written");
    wait_for(|| told() == 2).await;
    server.end();
    assert!(!place.read("logs/recycling.log").contains(&token));
}

/// A state that must come.
async fn wait_for(state: impl Fn() -> bool) {
    for _ in 0..1500 {
        if state() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("waited long enough");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_is_taken_is_said() {
    let place = Place::new();
    let server = Server::start(&place, "drydock", &["--port", "0"]);
    let port = server.url.rsplit(':').next().expect("a port").to_owned();
    let ended = place.run(&["server", "--port", &port]);
    assert!(ended.code != 0 && ended.err.contains(&port) && ended.err.contains("next:"), "{ended:?}");
    // The environment says it as well as the flag; the flag counts.
    let output = place.command("drydock").args(["server", "--dry-run"]).env("RECYCLER_SERVER_PORT", "7").output();
    let output = output.expect("the program starts");
    assert!(String::from_utf8_lossy(&output.stdout).contains("127.0.0.1:7"));
    server.end();
}
