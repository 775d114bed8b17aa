//! The disk's worth: bytes a second and one client's latency, beside the same disk without us.

use crate::{cluster::Cluster, engine, floor, load, member, place, table};
use bytes::Bytes;
use log::Log;
use log_server::LocalLog;
use runtime::Clock;
use std::sync::Arc;
use types::Epoch;

/// Appends under way at once.
const AT_ONCE: u64 = 8;
const ROUNDS: usize = 3;
const TIMES: u64 = 3000;

pub async fn measure(mib: u64) {
    stream(mib).await;
    latency().await;
    engine::measure();
}

fn median(mut of: Vec<f64>) -> f64 {
    of.sort_by(f64::total_cmp);
    of[of.len() / 2]
}

async fn stream(mib: u64) {
    let (mut ours, mut appended, mut allocated) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let folder = place::folder();
        appended.push(floor::stream(folder.path(), mib, false));
        ours.push(shard(mib).await);
        allocated.push(floor::stream(folder.path(), mib, true));
    }
    let base = median(appended.clone());
    let row = |what: &str, rates: Vec<f64>| {
        let all = rates.iter().map(|rate| format!("{rate:.0}")).collect::<Vec<_>>().join(", ");
        let middle = median(rates);
        vec![what.to_owned(), format!("{middle:.0}"), format!("{:.0} %", middle * 100.0 / base), all]
    };
    let rows = [
        row("one file, appended, fdatasync after each", appended),
        row("a shard of one member, 8 appends under way", ours),
        row("one file, preallocated, fdatasync after each", allocated),
    ];
    table::print(&format!("{mib} MiB in records of 1 MiB"), &["", "MiB/s", "of the first", "each round"], &rows);
}

/// MiB a second into a shard of this process.
async fn shard(mib: u64) -> f64 {
    let folder = place::folder();
    let log = Arc::new(LocalLog::new(member::inside(folder.path()).await, 1));
    let (clock, payload) = (Clock::real(), place::noise(1 << 20));
    let begun = clock.instant();
    let writers = (0..AT_ONCE).map(|_| tokio::spawn(append(Arc::clone(&log), payload.clone(), mib / AT_ONCE)));
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    mib as f64 / clock.since(begun).as_secs_f64()
}

async fn append(log: Arc<LocalLog>, payload: Bytes, times: u64) {
    for _ in 0..times {
        log.append(Epoch::FIRST, vec![payload.clone()]).await.unwrap();
    }
}

async fn latency() {
    let mut rows = Vec::new();
    for (label, length) in [("100 B", 100), ("1 KiB", 1 << 10), ("64 KiB", 64 << 10)] {
        let payload = place::noise(length);
        for (members, hops) in [(1, 1), (3, 2)] {
            // Right before each: a machine that others use changes by the minute.
            let (sync, hop) = (floor::sync(place::folder().path(), &payload, TIMES), floor::hop(&payload, TIMES));
            let ours = one_client(members, &payload).await;
            let cell = |percent| (ours.percentile(percent), sync.percentile(percent), hop.percentile(percent));
            let mut row = vec![label.to_owned(), members.to_string()];
            for (ours, sync, hop) in [cell(50), cell(99)] {
                let floor = sync + hop * f64::from(hops);
                row.extend([ours, sync, hop, floor].map(|ms| format!("{ms:.3}")));
                row.push(format!("{:.2}", ours / floor));
            }
            rows.push(row);
        }
    }
    let heads =
        ["ours p50 ms", "fdatasync", "a hop", "floor", "ratio", "ours p99", "fdatasync", "a hop", "floor", "ratio"];
    let heads = [&["payload", "members"], &heads[..]].concat();
    table::print("One client; floor = fdatasync + hops (one for one member, two for three)", &heads, &rows);
}

async fn one_client(members: usize, payload: &Bytes) -> load::Seen {
    let cluster = Cluster::start(members, 1).await;
    let (log, clock, mut seen) = (cluster.client(1), Clock::real(), Vec::new());
    for number in 0..TIMES * 11 / 10 {
        let began = clock.instant();
        log.append(Epoch::FIRST, vec![payload.clone()]).await.unwrap();
        if number >= TIMES / 10 {
            seen.push(load::micros(began));
        }
    }
    load::Seen::of(seen, std::time::Duration::from_secs(1))
}
