//! `make demo`: a private fleet, wasted space in five shapes, and the tool giving it back, from discovery to proof.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a demonstration stops loudly")]

mod door;
mod proof;
mod shapes;
mod tell;

use door::Door;
use proof::Picture;
use runtime::Clock;
use std::{io::IsTerminal, process::ExitCode};
use tell::{say, step};
use testkit::{Engine, Fleet, Options};

#[tokio::main]
async fn main() -> ExitCode {
    tokio::select! {
        code = demo() => code,
        _ = tokio::signal::ctrl_c() => {
            say("stopping; every server and file of the demo goes with it");
            ExitCode::SUCCESS
        }
    }
}

async fn demo() -> ExitCode {
    let clock = Clock::real();
    let began = clock.instant();
    step("starting one primary and two replicas (MariaDB, loopback, temporary directories)");
    let fleet = fleet().await;
    step("filling five tables and wasting their space");
    shapes::fill(&fleet).await;
    let before = Picture::take(&fleet).await;
    say(&format!(
        "{} on each member; ready after {:.0} s",
        tell::mib(before.total(0)),
        clock.since(began).as_secs_f64()
    ));

    step("starting the server");
    let door = Door::open(&fleet).await;
    say(&format!("the page is at {}", door.url));
    step("drydock topology --cluster demo");
    door.command(&["topology", "--cluster", "demo"]).await;
    step("drydock recycle --cluster demo --dry-run");
    door.command(&["recycle", "--cluster", "demo", "--dry-run"]).await;
    step("recycling the replicas: POST /api/v1/recycle/jobs");
    let job = door.recycle(&fleet).await;

    step("verifying: the same rows on every member, files measured on disk");
    let after = Picture::take(&fleet).await;
    let faults = proof::faults(&fleet, &before, &after, &job).await;
    proof::print(&fleet, &before, &after, &job);
    say(&format!("done after {:.0} s", clock.since(began).as_secs_f64()));
    if !faults.is_empty() {
        for fault in &faults {
            say(&format!("FAULT: {fault}"));
        }
        return ExitCode::FAILURE;
    }
    stay(&door).await;
    ExitCode::SUCCESS
}

async fn fleet() -> Fleet {
    let arguments = ["--innodb-buffer-pool-size=192M", "--innodb-log-file-size=256M", "--innodb-doublewrite=OFF"];
    let options = Options { arguments: arguments.map(String::from).to_vec(), ..Options::default() };
    Fleet::start_with(Engine::MariaDb, 2, &options).await
}

/// On a terminal the page stays open until Ctrl-C; elsewhere there is nobody to look at it.
async fn stay(door: &Door) {
    println!("\n{}", door.url);
    if std::io::stdout().is_terminal() {
        say("look at the fleet, its space and the job on that page; Ctrl-C ends everything");
        std::future::pending::<()>().await;
    }
}
