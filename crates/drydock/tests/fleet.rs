//! Chapter 7.1 of the seed typed as it stands, host and port swapped for a real fleet's; both engines.
#![allow(clippy::expect_used, clippy::panic, reason = "a test stops where it fails")]

mod support;

use serde_json::Value;
use support::{Ended, PROGRAMS, Place};
use testkit::{Engine, Fleet, PASSWORD, Server, USER};

/// A table of some MB with seven rows of ten gone.
async fn waste(fleet: &Fleet) {
    let fill = "INSERT INTO shop.orders SELECT NULL, REPEAT('x', 400) FROM shop.orders";
    let mut statements = vec![
        "CREATE DATABASE shop",
        "CREATE TABLE shop.orders (id INT AUTO_INCREMENT PRIMARY KEY, body VARCHAR(500) NOT NULL)",
        "INSERT INTO shop.orders (body) VALUES (REPEAT('x', 400))",
    ];
    statements.extend(std::iter::repeat_n(fill, 15));
    statements.push("DELETE FROM shop.orders WHERE id % 10 < 7");
    fleet.primary().run(&statements).await;
    for replica in 1..fleet.servers.len() {
        fleet.catch_up(replica, 0).await;
    }
}

/// The seed's way of naming a member.
fn member(server: &Server) -> Vec<String> {
    let address = server.address();
    let port = address.port.to_string();
    ["--host", &address.host, "--port", &port, "--user", USER, "--password", PASSWORD].map(String::from).to_vec()
}

fn run(place: &Place, program: &str, command: &str, server: &Server, rest: &[&str]) -> Ended {
    let mut process = place.command(program);
    process.arg(command).args(member(server)).args(rest);
    Ended::of(process.output().expect("the program starts"))
}

fn run_ours(place: &Place, command: &str, server: &Server, rest: &[&str]) -> Ended {
    run(place, "drydock", command, server, rest)
}

fn assert_topology(found: &Value, fleet: &Fleet) {
    let master = &found["topology"]["master"];
    assert!(found["cluster_name"].as_str().is_some_and(|name| !name.is_empty()), "{found}");
    assert_eq!(master["port"], fleet.primary().address().port, "{found}");
    assert_eq!((&master["role"], &master["read_only"]), (&"master".into(), &false.into()), "{found}");
    let slave = &master["slaves"][0];
    assert_eq!(slave["port"], fleet.servers[1].address().port, "{found}");
    assert_eq!((&slave["role"], &slave["read_only"]), (&"slave".into(), &true.into()), "{found}");
    assert!(slave["lag_seconds"].is_i64(), "{found}");
}

fn first_example(place: &Place, fleet: &Fleet) {
    for program in PROGRAMS {
        let rest = ["--output-format", "json", "--output-file", "topology.json"];
        let ended = run(place, program, "topology", &fleet.servers[1], &rest);
        assert_eq!((ended.code, ended.out.as_str()), (0, ""), "{ended:?}");
        assert_topology(&serde_json::from_str(&place.read("topology.json")).expect("JSON"), fleet);
    }
    let port = fleet.servers[1].address().port.to_string();
    for (format, hint) in [("yaml", "slaves:"), ("table", "replica"), ("dot", "digraph")] {
        let ended = run_ours(place, "topology", fleet.primary(), &["--output-format", format]);
        assert_eq!(ended.code, 0, "{ended:?}");
        assert!(ended.out.contains(hint) && ended.out.contains(&port), "{format}: {}", ended.out);
    }
}

async fn second_example(place: &Place, fleet: &Fleet) {
    let replica = &fleet.servers[1];
    let before = (replica.file_bytes("shop/orders.ibd"), replica.value("CHECKSUM TABLE shop.orders").await);
    let seeds = ["--threshold-mb", "100", "--mode", "binlog-off", "--dry-run"];
    let ended = run(place, "mysql-tablespace-recycling", "recycle", replica, &seeds);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(ended.out.contains("nothing to rebuild") && ended.out.contains("Nothing was changed"), "{ended:?}");
    let low = ["--threshold-mb", "1", "--threshold-percent", "1", "--dry-run"];
    let shown = run_ours(place, "recycle", replica, &low);
    assert!(shown.out.contains("shop.orders") && shown.out.contains("sql_log_bin"), "{shown:?}");
    let json = run_ours(place, "recycle", replica, &[&low[..], &["--output-format", "json"]].concat());
    let plan: Value = serde_json::from_str(&json.out).unwrap_or_else(|error| panic!("{error}: {json:?}"));
    let table = &plan["nodes"][0]["batches"][0]["tables"][0];
    assert_eq!((&table["database"], &table["table"]), (&"shop".into(), &"orders".into()), "{plan}");
    for key in ["file_bytes", "predicted_freed_bytes", "predicted_low_bytes", "predicted_high_bytes"] {
        assert!(table[key].is_i64(), "{key}: {table}");
    }
    let after = (replica.file_bytes("shop/orders.ibd"), replica.value("CHECKSUM TABLE shop.orders").await);
    assert_eq!(before, after, "a dry run changes nothing");
}

async fn examples(engine: Engine) {
    let fleet = Fleet::start(engine, 1).await;
    waste(&fleet).await;
    let place = Place::new();
    first_example(&place, &fleet);
    second_example(&place, &fleet).await;
    assert!(!place.read("logs/recycling.log").contains(PASSWORD));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_examples_work_on_mariadb() {
    examples(Engine::MariaDb).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_examples_work_on_mysql() {
    if Engine::MySql.is_available() {
        examples(Engine::MySql).await;
    } else {
        eprintln!("skipped: no MySQL here");
    }
}

fn code_of(ended: &Ended) -> (i32, Value) {
    assert!(!ended.err.contains(PASSWORD), "{ended:?}");
    (ended.code, ended.body()["code"].clone())
}

/// Wrong password, dead host, unknown table, numbers out of range: a code, what happened, what to do.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_said_in_json_with_its_code() {
    let fleet = Fleet::start(Engine::MariaDb, 1).await;
    let replica = &fleet.servers[1];
    let place = Place::new();
    let json = ["--output-format", "json"];
    let dry = |rest: &[&str]| run_ours(&place, "recycle", replica, &[&json[..], &["--dry-run"], rest].concat());
    for rest in [
        &["--threshold-mb", "-1"][..],
        &["--threshold-percent", "-5"],
        &["--batch-size", "0"],
        &["--table", "no.such_table"],
        &["--database", "nowhere"],
    ] {
        let ended = dry(rest);
        assert_eq!(code_of(&ended), (2, 1001.into()), "{rest:?} {ended:?}");
        assert!(!ended.body()["details"]["next"].as_str().unwrap_or_default().is_empty(), "{ended:?}");
    }
    let port = replica.address().port.to_string();
    let wrong = ["topology", "--host", "127.0.0.1", "--port", &port, "--user", USER, "--password", "wrong-one"];
    let ended = place.run(&[&wrong[..], &json].concat());
    assert_eq!(code_of(&ended), (1, 1002.into()), "{ended:?}");
    let free = testkit::free_port().to_string();
    let dead = ["topology", "--host", "127.0.0.1", "--port", &free, "--user", USER, "--password", PASSWORD];
    let ended = place.run(&[&dead[..], &json].concat());
    assert_eq!(code_of(&ended), (1, 1002.into()), "{ended:?}");
    let details = &ended.body()["details"];
    assert_eq!((&details["host"], details["port"].to_string()), (&"127.0.0.1".into(), free));
}

/// A password never stands in the process list, in the log or in what comes out.
#[tokio::test(flavor = "multi_thread")]
async fn a_password_on_the_command_line_leaves_the_process_list() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port().to_string();
    let place = Place::new();
    let secret = "hunter2-in-argv";
    for spelling in [vec!["--password".to_owned(), secret.to_owned()], vec![format!("--password={secret}")]] {
        let mut command = place.command("mysql-tablespace-recycling");
        command.args(["topology", "--host", "127.0.0.1", "--port", &port, "--user", "u"]).args(spelling);
        command.args(["--log-level", "debug"]);
        let child = command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn();
        let mut child = child.expect("the program starts");
        // It has connected, so it is past its start; now it waits for a greeting that does not come.
        let _silent = listener.accept().await.expect("a connection");
        let line = std::fs::read(format!("/proc/{}/cmdline", child.id())).expect("the process lives");
        let line = String::from_utf8_lossy(&line);
        assert!(line.contains("topology") && !line.contains(secret), "{line}");
        child.kill().expect("killed");
        let ended = Ended::of(child.wait_with_output().expect("its output"));
        assert!(ended.err.contains("--password-file") && !ended.err.contains(secret), "{ended:?}");
    }
    assert!(!place.read("logs/recycling.log").is_empty());
    assert!(!place.read("logs/recycling.log").contains(secret));
}

/// File, environment and configured cluster each do instead of the flag.
#[tokio::test(flavor = "multi_thread")]
async fn a_password_may_come_from_a_file_the_environment_or_the_configuration() {
    let fleet = Fleet::start(Engine::MariaDb, 0).await;
    let port = fleet.primary().address().port.to_string();
    let place = Place::with_config(&format!(
        "database:\n  clusters:\n    - name: one\n      primary: {{host: 127.0.0.1, port: {port}, username: {USER}, \
         password_file: pw}}\n"
    ));
    std::fs::write(place.directory.path().join("pw"), format!("{PASSWORD}\n")).expect("written");
    let named = ["topology", "--host", "127.0.0.1", "--port", &port, "--user", USER];
    let ended = place.run(&[&named[..], &["--password-file", "pw"]].concat());
    assert_eq!(ended.code, 0, "{ended:?}");
    let ended = place.run(&named);
    assert_eq!(ended.code, 0, "the configured cluster has it: {ended:?}");
    let ended = place.run(&["topology", "--cluster", "one"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let ended = place.run(&["topology", "--cluster", "oen"]);
    assert!(ended.code == 2 && ended.err.contains("take one of: one"), "{ended:?}");
    let bare = Place::new();
    let output = bare.command("drydock").args(named).env("RECYCLER_DB_PASSWORD", PASSWORD).output();
    assert!(output.expect("the program starts").status.success());
    let ended = bare.run(&named);
    assert!(ended.code == 2 && ended.err.contains("RECYCLER_DB_PASSWORD"), "never hangs: {ended:?}");
}
