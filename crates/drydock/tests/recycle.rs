//! `recycle` to its end in its own process, and what the other commands show of it; cancelling; a refusal.
#![allow(clippy::expect_used, clippy::panic, reason = "a test stops where it fails")]

mod support;

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;
use std::{process::Stdio, time::Duration};
use support::{Ended, Place};
use testkit::{Engine, Fleet, PASSWORD, Server, USER};

async fn waste(fleet: &Fleet, doublings: usize) {
    let fill = "INSERT INTO shop.orders (body) SELECT body FROM shop.orders";
    let mut statements = vec![
        "CREATE DATABASE shop",
        "CREATE TABLE shop.orders (id INT AUTO_INCREMENT PRIMARY KEY, body VARCHAR(500) NOT NULL)",
        "INSERT INTO shop.orders (body) VALUES (REPEAT('x', 400))",
    ];
    statements.extend(std::iter::repeat_n(fill, doublings));
    statements.push("DELETE FROM shop.orders WHERE id % 10 < 7");
    fleet.primary().run(&statements).await;
    for replica in 1..fleet.servers.len() {
        fleet.catch_up(replica, 0).await;
    }
}

fn command(place: &Place, server: &Server, rest: &[&str]) -> std::process::Command {
    let address = server.address();
    let mut command = place.command("drydock");
    command.args(["recycle", "--host", &address.host, "--port", &address.port.to_string(), "--user", USER]);
    command
        .args(["--threshold-mb", "1", "--threshold-percent", "1", "--timeout", "60s"])
        .args(rest)
        .env("RECYCLER_DB_PASSWORD", PASSWORD);
    command
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

async fn to_its_end(engine: Engine) {
    let fleet = Fleet::start(engine, 1).await;
    waste(&fleet, 15).await;
    let replica = &fleet.servers[1];
    let (file, rows) = (replica.file_bytes("shop/orders.ibd"), replica.value("CHECKSUM TABLE shop.orders").await);
    let place = Place::new();
    let ended = Ended::of(command(&place, replica, &["--output-format", "json"]).output().expect("it starts"));
    assert_eq!(ended.code, 0, "{ended:?}");
    let job = json(&ended.out);
    assert_eq!((&job["status"], &job["progress"]["percentage"]), (&"completed".into(), &100.0.into()), "{job}");
    let table = &job["statistics"]["tables_processed"][0];
    let freed =
        i64::try_from(file).expect("a size") - i64::try_from(replica.file_bytes("shop/orders.ibd")).expect("a size");
    assert!(freed > 0);
    assert_eq!((&table["table"], &table["freed_bytes"]), (&"orders".into(), &freed.into()), "{table}");
    assert_eq!(replica.value("CHECKSUM TABLE shop.orders").await, rows);
    assert_eq!(replica.value("SELECT @@read_only").await, "1");
    assert!(
        !ended.err.contains(PASSWORD) && ended.err.contains("\"progress\":100.0"),
        "progress is on standard error: {ended:?}"
    );
    shown_by_the_other_commands(&place, job["job_id"].as_str().expect("an id"));
}

fn shown_by_the_other_commands(place: &Place, id: &str) {
    let one = place.run(&["status", "--job-id", id, "--format", "json"]);
    assert_eq!(json(&one.out)["job_id"], id, "{one:?}");
    let table = place.run(&["status", "--job-id", id]);
    for word in ["FILE BEFORE", "PREDICTED", "FREED", "ERROR", "shop.orders", "done"] {
        assert!(table.out.contains(word), "{word}: {}", table.out);
    }
    assert!(place.run(&["status", "--job-id", id, "--format", "yaml"]).out.contains("status: completed"));
    let all = json(&place.run(&["status", "--format", "json"]).out);
    assert_eq!((&all["total"], &all["jobs"][0]["job_id"]), (&1.into(), &id.into()));
    assert!(place.run(&["monitor", "--show-completed"]).out.contains(id));
    assert!(!place.run(&["monitor"]).out.contains(id));
    let again = place.run(&["cancel", id]);
    assert!(again.code == 1 && again.err.contains("error 1007"), "{again:?}");
    assert_eq!(json(&place.read("data/jobs.json"))[0]["job_id"], id);
    for file in ["data/jobs.json", "logs/recycling.log"] {
        assert!(!place.read(file).contains(PASSWORD), "{file}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_runs_to_its_end_on_mariadb() {
    to_its_end(Engine::MariaDb).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_runs_to_its_end_on_mysql() {
    if Engine::MySql.is_available() {
        to_its_end(Engine::MySql).await;
    } else {
        eprintln!("skipped: no MySQL here");
    }
}

/// The job waits on a table someone holds; Ctrl-C cancels it, and nothing is left changed.
#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_cancels_the_job_and_leaves_the_table_whole() {
    let fleet = Fleet::start(Engine::MariaDb, 1).await;
    waste(&fleet, 13).await;
    let replica = &fleet.servers[1];
    let mut holder = replica.session().await;
    holder.run("START TRANSACTION").await.expect("begun");
    holder.value("SELECT COUNT(*) FROM shop.orders").await.expect("counted");
    let place = Place::new();
    let mut process = command(&place, replica, &[]);
    let child = process.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    running(&place).await;
    kill(Pid::from_raw(i32::try_from(child.id()).expect("an id")), Signal::SIGINT).expect("it lives");
    let ended = Ended::of(child.wait_with_output().expect("its output"));
    assert_eq!(ended.code, 130, "{ended:?}");
    assert!(ended.err.contains("cancelling") && ended.out.contains("cancelled"), "{ended:?}");
    holder.close().await;
    assert_eq!(replica.value("SELECT @@read_only").await, "1");
    assert_eq!(json(&place.run(&["status", "--format", "json"]).out)["jobs"][0]["status"], "cancelled");
}

/// Waits until the store shows a running job.
async fn running(place: &Place) {
    for _ in 0..600 {
        if json(&place.run(&["status", "--format", "json"]).out)["jobs"][0]["status"] == "running" {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("no job runs");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_writer_is_refused_with_a_code_of_its_own() {
    let fleet = Fleet::start(Engine::MariaDb, 1).await;
    waste(&fleet, 13).await;
    let place = Place::new();
    let rest = ["--scope", "node", "--output-format", "json"];
    let ended = Ended::of(command(&place, fleet.primary(), &rest).output().expect("it starts"));
    assert_eq!(
        (ended.code, &json(ended.err.lines().last().unwrap_or_default())["code"]),
        (5, &1004.into()),
        "{ended:?}"
    );
}
