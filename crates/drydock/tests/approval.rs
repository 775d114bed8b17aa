//! Two people at the terminal: `recycle` waits and says who has to run what; `recycle approve` lets a job begin, also with no
//! server there, and not for the one who asked.
#![allow(clippy::expect_used, clippy::panic, reason = "a test stops where it fails")]

mod support;

use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader},
    process::{Child, Stdio},
    time::Duration,
};
use support::{Ended, Place};
use testkit::{Engine, Fleet, PASSWORD, Server, USER};

/// Drydock's server, killed when dropped.
struct Running {
    child: Child,
    url: String,
}

impl Running {
    fn start(place: &Place) -> Self {
        let mut command = place.command("drydock");
        let mut child = command.args(["server", "--port", "0"]).stdout(Stdio::piped()).spawn().expect("it starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("its output")).read_line(&mut line).expect("a line");
        let url = line.trim().strip_prefix("listening on ").unwrap_or_else(|| panic!("it says {line:?}")).to_owned();
        Self { child, url }
    }

    async fn post(&self, token: &str, path: &str, body: &Value) -> (u16, Value) {
        let request = reqwest::Client::new().post(format!("{}/api/v1/recycle/jobs{path}", self.url));
        let answer = request.bearer_auth(token).json(body).send().await.expect("an answer");
        (answer.status().as_u16(), answer.json().await.expect("JSON"))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A token of an admin and its entry in `auth.tokens`.
fn admin(name: &str) -> (String, String) {
    let ended = Place::new().run(&["token", "new", "--name", name, "--role", "admin"]);
    let token = ended.out.lines().find_map(|line| line.strip_prefix("token: ")).expect("a token").to_owned();
    let entry = ended.out.split_once("tokens:\n").expect("an entry").1.trim_end().to_owned();
    (token, entry)
}

/// Two people are asked for, and two there are: their tokens, and a place to work in.
fn two_admins(server: &Server) -> (String, String, Place) {
    let ((ann, first), (bob, second)) = (admin("ann-of-the-test"), admin("bob-of-the-test"));
    let address = server.address();
    let text = format!(
        "auth:\n  two_person: true\n  tokens:\n{first}\n{second}\ndatabase:\n  clusters:\n    - name: shop\n      primary: \
         {{host: {}, port: {}, username: {USER}, password: {PASSWORD}}}\n",
        address.host, address.port
    );
    (ann, bob, Place::with_config(&text))
}

async fn waste(server: &Server) {
    let fill = "INSERT INTO shop.orders (body) SELECT body FROM shop.orders";
    let mut statements = vec![
        "CREATE DATABASE shop",
        "CREATE TABLE shop.orders (id INT AUTO_INCREMENT PRIMARY KEY, body VARCHAR(500) NOT NULL)",
        "INSERT INTO shop.orders (body) VALUES (REPEAT('x', 400))",
    ];
    statements.extend([fill; 14]);
    statements.push("DELETE FROM shop.orders WHERE id % 10 < 7");
    server.run(&statements).await;
}

fn shown(place: &Place, id: &str) -> Value {
    let ended = place.run(&["status", "--job-id", id, "--format", "json"]);
    serde_json::from_str(&ended.out).unwrap_or_else(|error| panic!("{error}: {ended:?}"))
}

async fn until(place: &Place, id: &str, status: &str) -> Value {
    let mut last = Value::Null;
    for _ in 0..600 {
        last = shown(place, id);
        if last["status"] == status {
            return last;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("not {status}: {last}")
}

/// Asked for through a server that is killed while the job waits; approved with no server there; run by the next one.
async fn through_a_kill(engine: Engine) {
    let fleet = Fleet::start(engine, 0).await;
    let server = fleet.primary();
    waste(server).await;
    let bytes = server.file_bytes("shop/orders.ibd");
    let (ann, _, place) = two_admins(server);
    let running = Running::start(&place);
    let address = server.address();
    let target = json!({"host": address.host, "port": address.port, "username": USER, "password": PASSWORD});
    let config = json!({"exclude_primary": false, "threshold_mb": 0, "threshold_percent": 0.0});
    let (status, made) = running.post(&ann, "", &json!({"target": target, "config": config})).await;
    assert_eq!(status, 201, "{made}");
    let id = made["data"]["job_id"].as_str().expect("an id").to_owned();
    let (status, own) = running.post(&ann, &format!("/{id}/approve"), &json!({})).await;
    assert_eq!((status, &own["code"]), (403, &json!(1008)), "{own}");
    drop(running);

    let running = Running::start(&place);
    tokio::time::sleep(Duration::from_secs(20)).await;
    assert_eq!((&shown(&place, &id)["status"], server.file_bytes("shop/orders.ibd")), (&json!("pending"), bytes));
    drop(running);

    let dry = place.run(&["--dry-run", "recycle", "approve", &id]);
    assert!(dry.code == 0 && dry.out.contains("nothing was changed"), "{dry:?}");
    let wrong = place.run(&["recycle", "approve", &id, "--plan-digest", "another"]);
    assert!(wrong.code == 1 && wrong.err.contains("error 1007"), "{wrong:?}");
    assert_eq!(shown(&place, &id)["approval"], json!({"asked_by": "ann-of-the-test"}));
    let yes = place.run(&["recycle", "approve", &id, "--format", "json"]);
    let said: Value = serde_json::from_str(&yes.out).unwrap_or_else(|error| panic!("{error}: {yes:?}"));
    assert!(said["data"]["approval"]["approved_by"].as_str().is_some_and(|by| by.starts_with("cli:")), "{said}");
    assert_eq!((&shown(&place, &id)["status"], server.file_bytes("shop/orders.ibd")), (&json!("pending"), bytes));

    let _running = Running::start(&place);
    let done = until(&place, &id, "completed").await;
    assert_eq!(done["progress"]["failed_tables"], 0, "{done}");
    assert!(server.file_bytes("shop/orders.ibd") < bytes);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_waiting_job_outlives_a_kill_on_mariadb() {
    through_a_kill(Engine::MariaDb).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_waiting_job_outlives_a_kill_on_mysql() {
    if Engine::MySql.is_available() {
        through_a_kill(Engine::MySql).await;
    } else {
        eprintln!("skipped: no MySQL here");
    }
}

/// The command's own process keeps its job and its password; the yes comes through a server on the same store.
#[tokio::test(flavor = "multi_thread")]
async fn the_terminals_own_job_waits_visibly_and_not_for_the_one_who_asked() {
    let fleet = Fleet::start(Engine::MariaDb, 0).await;
    let server = fleet.primary();
    waste(server).await;
    let bytes = server.file_bytes("shop/orders.ibd");
    let (_, bob, place) = two_admins(server);
    let mut command = place.command("drydock");
    command.args(["recycle", "--cluster", "shop", "--exclude-primary=false", "--threshold-mb", "0"]);
    let mut child = command
        .args(["--threshold-percent", "0"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts");
    let (said, id) = wait_for_the_sentence(&mut child).await;
    assert!(said.contains("another person") && said.contains("may touch a primary"), "{said}");
    let own = place.run(&["recycle", "approve", &id]);
    assert!(own.code == 4 && own.err.contains("error 1008"), "{own:?}");
    let report = place.run(&["status", "--job-id", &id]);
    assert!(report.out.contains("approval") && report.out.contains("waiting for a second admin"), "{report:?}");
    assert_eq!((&shown(&place, &id)["status"], server.file_bytes("shop/orders.ibd")), (&json!("pending"), bytes));

    let running = Running::start(&place);
    let (status, yes) = running.post(&bob, &format!("/{id}/approve"), &json!({})).await;
    assert_eq!(status, 200, "{yes}");
    let ended = Ended::of(child.wait_with_output().expect("its output"));
    assert!(ended.code == 0 && ended.out.contains("approved by bob-of-the-test"), "{ended:?}");
    assert!(server.file_bytes("shop/orders.ibd") < bytes);
}

/// What the command says while it waits, and the job it names in `recycle approve JOB`.
async fn wait_for_the_sentence(child: &mut Child) -> (String, String) {
    let errors = child.stderr.take().expect("its errors");
    let read = tokio::task::spawn_blocking(move || {
        let mut lines = BufReader::new(errors).lines().map_while(Result::ok);
        let mut said = String::new();
        let mut job = None;
        for line in lines.by_ref() {
            said.push_str(&line);
            job = line.split_once("recycle approve ").map(|(_, rest)| rest.split('`').next().unwrap_or("").to_owned());
            if job.is_some() {
                break;
            }
        }
        // Somebody has to go on reading, or the command would stand still.
        std::thread::spawn(move || lines.for_each(drop));
        (said, job)
    });
    let (said, job) = read.await.expect("read");
    let job = job.unwrap_or_else(|| panic!("it never says who has to run what: {said}"));
    (said, job)
}
