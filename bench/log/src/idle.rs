//! What shards cost that nobody writes to.

use crate::{cluster::Cluster, place, process, table};
use runtime::Clock;
use std::time::Duration;

/// How long they are watched.
const SPAN: Duration = Duration::from_secs(30);
/// Until whatever an election stirred up has settled.
const SETTLE: Duration = Duration::from_secs(10);

pub async fn measure(shards: u64) {
    let mut rows = Vec::new();
    for members in [1, 3] {
        for shards in [1, shards] {
            rows.extend(watch(members, shards).await);
        }
    }
    let heads = ["members", "shards", "member", "resident MiB", "CPU of a core", "started in s", "on disk MiB"];
    table::print("Idle shards, a process a member, 30 s", &heads, &rows);
}

async fn watch(members: usize, shards: u64) -> Vec<Vec<String>> {
    let clock = Clock::real();
    let begun = clock.instant();
    let cluster = Cluster::start(members, shards).await;
    let started = clock.since(begun).as_secs_f64();
    clock.sleep(SETTLE).await;
    let (pids, begun) = (cluster.pids(), clock.instant());
    let before: Vec<Duration> = pids.iter().map(|pid| process::cpu(*pid)).collect();
    clock.sleep(SPAN).await;
    let (span, mut rows) = (clock.since(begun).as_secs_f64(), Vec::new());
    for (number, (pid, before)) in (1..).zip(pids.iter().zip(before)) {
        let share = process::cpu(*pid).saturating_sub(before).as_secs_f64() * 100.0 / span;
        let mut row = [members as u64, shards, number].map(|number| number.to_string()).to_vec();
        row.extend([format!("{:.0}", process::resident(*pid)), format!("{share:.1} %"), format!("{started:.1}")]);
        let store = cluster.store(usize::try_from(number).unwrap());
        let bytes: u64 = place::files(&store)
            .iter()
            .filter(|path| path.is_dir())
            .map(|shard| place::bytes(&place::files(shard)))
            .sum();
        row.push((bytes >> 20).to_string());
        rows.push(row);
    }
    rows
}
