//! How long discovery of 300 members takes at `parallel` 10: `cargo run --release -p bench --bin discover_300`.
//!
//! The members are protocol fakes in this very process, so the figure holds their work as well as ours; what is
//! measured is logins, statements and merging, not a network. `--delay-ms N` makes every answer take that long;
//! `--small` takes 30 members.
#![allow(clippy::expect_used, clippy::panic, reason = "a measuring program stops loudly where it stands")]

use bench::size;
use runtime::Clock;
use std::time::Duration;
use testkit::fake::{Dialect, FakeFleet, FakeNode, Script};
use topology::DiscoverOptions;

/// Members of each fleet.
const MEMBERS: usize = 300;
const RUNS: usize = 5;

/// All follow one primary.
fn star(dialect: Dialect) -> Vec<FakeNode> {
    (0..size::count(MEMBERS))
        .map(|place| if place == 0 { FakeNode::primary(dialect) } else { FakeNode::replica(dialect, 0) })
        .collect()
}

/// Each has ten below it.
fn tree(dialect: Dialect) -> Vec<FakeNode> {
    let node = |place: usize| match place.checked_sub(1) {
        None => FakeNode::primary(dialect),
        Some(before) => FakeNode::replica(dialect, before / 10),
    };
    (0..size::count(MEMBERS)).map(node).collect()
}

/// Ten chains of thirty: thirty levels, ten members each.
fn chains(dialect: Dialect) -> Vec<FakeNode> {
    let node = |place: usize| match place {
        0 => FakeNode::primary(dialect),
        1..=10 => FakeNode::replica(dialect, 0),
        deep => FakeNode::replica(dialect, deep - 10),
    };
    (0..size::count(MEMBERS)).map(node).collect()
}

async fn measure(nodes: &[FakeNode], parallel: usize, delay: Duration) -> (Vec<Duration>, usize) {
    let slow = |_, mut script: Script| {
        script.delay = delay;
        script
    };
    let fleet = FakeFleet::start(nodes, slow).await;
    let options = DiscoverOptions { parallel, max_depth: 100, ..DiscoverOptions::default() };
    let clock = Clock::real();
    let (mut times, mut reached) = (Vec::new(), 0);
    for run in 0..RUNS {
        // From a different member each time.
        let seed = fleet.members[run * 61 % fleet.members.len()].endpoint();
        let start = clock.instant();
        let picture = topology::discover(&seed, &options, &clock).await.unwrap_or_else(|failure| panic!("{failure}"));
        times.push(clock.since(start));
        reached = picture.nodes.iter().filter(|node| node.reach == api::Reach::Reached).count();
    }
    times.sort();
    (times, reached)
}

fn delay() -> Duration {
    let mut arguments = std::env::args().skip(1);
    let given = arguments.find(|argument| argument == "--delay-ms").and_then(|_| arguments.next());
    Duration::from_millis(given.map_or(0, |text| text.parse().expect("--delay-ms takes milliseconds")))
}

#[tokio::main]
async fn main() {
    let mut rows = Vec::new();
    let delay = delay();
    for (shape, nodes) in [
        ("star, MySQL 8.4", star(Dialect::MySql84)),
        ("star, MySQL 5.7", star(Dialect::MySql57)),
        ("star, MariaDB 10.11", star(Dialect::MariaDb1011)),
        ("tree of tens, MySQL 8.4", tree(Dialect::MySql84)),
        ("ten chains of thirty, MySQL 8.4", chains(Dialect::MySql84)),
    ] {
        for parallel in [1, 10] {
            let (times, reached) = measure(&nodes, parallel, delay).await;
            let seconds = |time: Duration| format!("{:.2}", time.as_secs_f64());
            rows.push(vec![
                shape.to_owned(),
                parallel.to_string(),
                reached.to_string(),
                seconds(times[0]),
                seconds(times[RUNS / 2]),
                seconds(times[RUNS - 1]),
            ]);
        }
    }
    let title = format!("Discovery of {} members, {} ms per answer", size::count(MEMBERS), delay.as_millis());
    bench::table::print(&title, &["fleet", "parallel", "reached", "best s", "median s", "worst s"], &rows);
}
