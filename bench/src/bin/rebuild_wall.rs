//! What the tool adds to the `ALTER` it runs: bare statement and tool in turn on twin tables of one replica.
//!
//! `cargo build --release -p drydock && cargo run --release -p bench --bin rebuild_wall [-- --small]`
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a measuring program stops loudly")]

use bench::{fill, program, size, table};
use runtime::Clock;
use serde_json::Value;
use testkit::{Engine, Fleet, Options, Server};

const ROWS: u64 = 500_000;
/// Pairs, an odd number of them for the median.
const PAIRS: usize = 5;

#[tokio::main]
async fn main() {
    let mut rows = Vec::new();
    for engine in Engine::available() {
        rows.extend(measure(engine).await);
    }
    let heads = ["engine", "pair", "file MiB", "bare ALTER s", "statement under drydock s", "ratio", "whole command s"];
    table::print("A rebuild beside the bare ALTER it runs", &heads, &rows);
}

async fn measure(engine: Engine) -> Vec<Vec<String>> {
    let options = Options { arguments: vec!["--innodb-buffer-pool-size=256M".into()], ..Options::default() };
    let fleet = Fleet::start_with(engine, 1, &options).await;
    let home = tempfile::tempdir().unwrap();
    let (mut rows, mut ratios) = (Vec::new(), Vec::new());
    for pair in 1..=PAIRS {
        let names = [format!("bare{pair}"), format!("tool{pair}")];
        for name in &names {
            waste(&fleet, name).await;
        }
        let replica = &fleet.servers[1];
        let file = replica.file_bytes(format!("shop/{}.ibd", names[1]));
        let statement = planned(replica, home.path(), &names[0]).await;
        // Who goes first changes from pair to pair, so a warming cache favours neither.
        let (bare, (inside, whole)) = if pair % 2 == 0 {
            let tool = tool(replica, home.path(), &names[1]).await;
            (bare(replica, &statement).await, tool)
        } else {
            (bare(replica, &statement).await, tool(replica, home.path(), &names[1]).await)
        };
        ratios.push(inside / bare);
        let cells =
            [format!("{bare:.2}"), format!("{inside:.2}"), format!("{:.3}", inside / bare), format!("{whole:.2}")];
        let mut row = vec![engine.name().to_owned(), pair.to_string(), table::mib(i64::try_from(file).unwrap())];
        row.extend(cells);
        rows.push(row);
    }
    ratios.sort_by(f64::total_cmp);
    let mut median = vec![engine.name().to_owned(), "median".into()];
    median.extend(["", "", "", &format!("{:.3}", ratios[PAIRS / 2]), ""].map(str::to_owned));
    rows.push(median);
    rows
}

async fn waste(fleet: &Fleet, name: &str) {
    let mut session = fleet.primary().session().await;
    fill::sequential(&mut session, "shop", name, size::of(ROWS)).await;
    fill::scatter_delete(&mut session, "shop", name, size::of(ROWS), 2).await;
    fleet.catch_up(1, 0).await;
    fleet.servers[1].settled().await;
}

/// The statement the tool would run on a table, from its own dry run.
async fn planned(replica: &Server, home: &std::path::Path, name: &str) -> String {
    let mut recycle = program::recycle(&replica.address(), home);
    recycle.args(["--database", "shop", "--table", name, "--dry-run", "--output-format", "json"]);
    let output = recycle.output().await.expect("the tool starts");
    let plan: Value = serde_json::from_slice(&output.stdout).expect("a dry run prints its plan as JSON");
    let statements = program::of_table(&plan, name, "statements").and_then(Value::as_array);
    let alter = statements.into_iter().flatten().filter_map(Value::as_str).find(|text| text.starts_with("ALTER"));
    alter.unwrap_or_else(|| panic!("no statement for {name}: {plan:#}")).to_owned()
}

async fn bare(replica: &Server, statement: &str) -> f64 {
    let mut session = replica.session().await;
    session.run("SET SESSION sql_log_bin = 0").await.unwrap();
    if replica.engine() == Engine::MySql {
        session.run("SET GLOBAL super_read_only = 0").await.unwrap();
        session.run("SET GLOBAL innodb_segment_reserve_factor = 0.03").await.unwrap();
    }
    let clock = Clock::real();
    let start = clock.instant();
    session.run_watched(statement).await.unwrap();
    let seconds = clock.since(start).as_secs_f64();
    if replica.engine() == Engine::MySql {
        session.run("SET GLOBAL innodb_segment_reserve_factor = 12.5").await.unwrap();
        session.run("SET GLOBAL super_read_only = 1").await.unwrap();
    }
    seconds
}

/// Seconds of the statement as the job's report has them, and of the whole command.
async fn tool(replica: &Server, home: &std::path::Path, name: &str) -> (f64, f64) {
    let clock = Clock::real();
    let start = clock.instant();
    let mut recycle = program::recycle(&replica.address(), home);
    recycle.args(["--database", "shop", "--table", name]);
    let output = recycle.output().await.expect("the tool starts");
    let whole = clock.since(start).as_secs_f64();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    // The list of all jobs, newest first, has no tables in it: only the one job tells the seconds of each.
    let newest = status(home, &[]).await["jobs"][0]["job_id"].as_str().expect("a job").to_owned();
    let report = status(home, &["--job-id", &newest]).await;
    let seconds = program::seconds_of(&report, name);
    (seconds.unwrap_or_else(|| panic!("{newest} has no seconds of {name}: {report:#}")), whole)
}

async fn status(home: &std::path::Path, arguments: &[&str]) -> Value {
    let output = program::drydock(home).args(["status", "--format", "json"]).args(arguments).output().await.unwrap();
    serde_json::from_slice(&output.stdout).expect("status prints JSON")
}
