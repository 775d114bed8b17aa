//! A rolling reclaim of two replicas under a write load, beside `mysqlcheck --optimize` and `pt-online-schema-change`.
//!
//! `cargo build --release -p drydock && cargo run --release -p bench --bin rolling [-- --small]`
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a measuring program stops loudly")]

use bench::{fill, load, program, size, table};
use runtime::Clock;
use std::{process::Stdio, time::Duration};
use testkit::{Engine, Fleet, Options, PASSWORD, USER};
use tokio::process::Command;

const ROWS: u64 = 600_000;

/// One way to give the space back.
#[derive(Clone, Copy)]
enum Way {
    Drydock,
    MysqlCheck,
    PtOsc,
}

impl Way {
    fn name(self) -> &'static str {
        match self {
            Way::Drydock => "drydock recycle (replicas, rolling)",
            Way::MysqlCheck => "mysqlcheck --optimize (primary, logged)",
            Way::PtOsc => "pt-online-schema-change (primary, logged)",
        }
    }

    fn command(self, fleet: &Fleet, home: &std::path::Path) -> Command {
        let port = fleet.primary().address().port.to_string();
        let mut command = match self {
            Way::Drydock => {
                let mut command = program::recycle(&fleet.primary().address(), home);
                command.args(["--database", "shop"]);
                command
            }
            Way::MysqlCheck => {
                let mut command = Command::new("mysqlcheck");
                command.args(["--optimize", "-h127.0.0.1", "-P", &port, "-u", USER, "shop", "orders"]);
                command
            }
            Way::PtOsc => {
                let mut command = Command::new("pt-online-schema-change");
                command.args(["--execute", "--alter", "FORCE", "--max-lag", "1", "--recursion-method", "hosts"]);
                command.arg(format!("h=127.0.0.1,P={port},u={USER},p={PASSWORD},D=shop,t=orders"));
                command
            }
        };
        command.env("MYSQL_PWD", PASSWORD).env("RECYCLER_DB_PASSWORD", PASSWORD);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        command
    }
}

#[tokio::main]
async fn main() {
    for engine in Engine::available() {
        let mut rows = Vec::new();
        for way in [Way::Drydock, Way::MysqlCheck, Way::PtOsc] {
            rows.push(measure(engine, way).await);
        }
        show(engine, &rows);
    }
}

fn show(engine: Engine, rows: &[Vec<String>]) {
    let heads = [
        "way",
        "wall s",
        "freed per node MiB",
        "writes",
        "primary p99 ms",
        "replica 1 p50/p99/max ms",
        "replica 2 p50/p99/max ms",
    ];
    table::print(&format!("Rolling reclaim of two replicas under 200 writes/s, {}", engine.name()), &heads, rows);
}

async fn measure(engine: Engine, way: Way) -> Vec<String> {
    let options = Options { arguments: vec!["--innodb-buffer-pool-size=128M".into()], ..Options::default() };
    let fleet = Fleet::start_with(engine, 2, &options).await;
    let home = tempfile::tempdir().unwrap();
    waste(&fleet).await;
    let endpoints: Vec<_> = fleet.servers.iter().map(testkit::Server::endpoint).collect();
    load::prepare(&endpoints[0]).await;
    for replica in [1, 2] {
        fleet.catch_up(replica, 0).await;
    }
    let before: Vec<u64> = fleet.servers.iter().map(|server| server.file_bytes("shop/orders.ibd")).collect();
    let load = load::start(&endpoints[0], &endpoints, 200, "shop.orders", size::of(ROWS));
    tokio::time::sleep(Duration::from_secs(2)).await;
    let clock = Clock::real();
    let start = clock.instant();
    let output = way.command(&fleet, home.path()).output().await.expect("the tool starts");
    let wall = clock.since(start);
    if !output.status.success() {
        eprintln!("{} on {}: {}", way.name(), engine.name(), String::from_utf8_lossy(&output.stderr));
        // A rival that cannot get in on an engine is a line of the table; we must never fail.
        assert!(!matches!(way, Way::Drydock), "the tool failed");
    }
    // A logged statement reaches the replicas only now: lag counts until they have caught up.
    for replica in [1, 2] {
        fleet.catch_up(replica, 0).await;
    }
    let seen = load.stop().await;
    let freed = fleet.servers.iter().zip(before).map(|(server, before)| {
        let after = server.file_bytes("shop/orders.ibd");
        table::mib(i64::try_from(before).unwrap() - i64::try_from(after).unwrap())
    });
    let quantiles = |index: usize| {
        let lag = &seen.lags[index];
        format!("{}/{}/{}", lag.value_at_quantile(0.5), lag.value_at_quantile(0.99), lag.max())
    };
    vec![
        way.name().to_owned(),
        if output.status.success() { format!("{:.1}", wall.as_secs_f64()) } else { "failed".to_owned() },
        freed.collect::<Vec<_>>().join(", "),
        seen.writes.to_string(),
        seen.lags[0].value_at_quantile(0.99).to_string(),
        quantiles(1),
        quantiles(2),
    ]
}

async fn waste(fleet: &Fleet) {
    let mut session = fleet.primary().session().await;
    fill::sequential(&mut session, "shop", "orders", size::of(ROWS)).await;
    fill::scatter_delete(&mut session, "shop", "orders", size::of(ROWS), 3).await;
    for server in [1, 2] {
        fleet.catch_up(server, 0).await;
    }
    for server in &fleet.servers {
        server.settled().await;
    }
    session.close().await;
}
