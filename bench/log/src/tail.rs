//! Reading a shard from its begin, beside copying the same files.

use crate::{cluster::Cluster, member, place, table};
use bytes::Bytes;
use log::{Log, Most};
use log_server::LocalLog;
use runtime::Clock;
use std::{
    fs::File,
    io::{Read, Write},
    path::{Path, PathBuf},
    sync::Arc,
};
use types::{Epoch, Lsn};

/// Bytes of an append while the log is made, and appends under way.
const APPEND: usize = 1 << 20;
const AT_ONCE: u64 = 8;

/// Whether the files are in the page cache.
#[derive(Clone, Copy, PartialEq)]
enum Cache {
    Cold,
    Warm,
}

pub async fn measure(mib: u64) {
    let mut rows = Vec::new();
    for (label, length) in [("1 KiB", 1 << 10), ("64 KiB", 64 << 10)] {
        rows.extend(record(label, length, mib).await);
    }
    let heads = ["record", "page cache", "read only", "copied", "in the process", "of a copy", "over TCP", "of a copy"];
    table::print(&format!("MiB/s, {mib} MiB from the begin on, by one reader"), &heads, &rows);
}

/// Appends so much to the first shard.
pub async fn fill(cluster: &Cluster, length: usize, mib: u64) {
    let (payload, times) = (place::noise(length), (mib << 20) / APPEND as u64 / AT_ONCE);
    let log = Arc::new(cluster.client(1));
    let writer = |_| {
        let (log, records) = (Arc::clone(&log), vec![payload.clone(); APPEND / length]);
        tokio::spawn(async move {
            for _ in 0..times {
                log.append(Epoch::FIRST, records.clone()).await.unwrap();
            }
        })
    };
    for writer in (0..AT_ONCE).map(writer).collect::<Vec<_>>() {
        writer.await.unwrap();
    }
}

async fn record(label: &str, length: usize, mib: u64) -> Vec<Vec<String>> {
    let cluster = Cluster::start(1, 1).await;
    fill(&cluster, length, mib).await;
    let shard = cluster.store(1).join("shard-1-11");
    let caches = [Cache::Cold, Cache::Warm];
    let (mut remote, mut local, mut plain) = (Vec::new(), Vec::new(), Vec::new());
    for cache in caches {
        remote.push(read(&cluster.client(1), &shard, cache).await);
    }
    let (folder, store) = (cluster.store(1), cluster.leave());
    let log = LocalLog::new(member::inside(&folder).await, 1);
    for cache in caches {
        plain.push((copy(&shard, cache, None), copy(&shard, cache, Some(&store.path().join("copy")))));
        local.push(read(&log, &shard, cache).await);
    }
    let row = |at: usize| {
        let cache = if caches[at] == Cache::Cold { "cold" } else { "warm" };
        let (only, copied) = plain[at];
        let of = |rate: f64| [format!("{rate:.0}"), format!("{:.0} %", rate * 100.0 / copied)];
        let mut row = vec![label.to_owned(), cache.to_owned(), format!("{only:.0}"), format!("{copied:.0}")];
        row.extend(of(local[at]).into_iter().chain(of(remote[at])));
        row
    };
    (0..caches.len()).map(row).collect()
}

fn prepare(shard: &Path, cache: Cache) -> Vec<PathBuf> {
    let files = place::files(shard);
    place::forget(&files);
    if cache == Cache::Warm {
        place::recall(&files);
    }
    files
}

/// MiB of payload a second.
async fn read(log: &dyn Log, shard: &Path, cache: Cache) -> f64 {
    prepare(shard, cache);
    let (end, clock) = (log.positions().await.unwrap().end, Clock::real());
    let (begun, mut next, mut bytes) = (clock.instant(), Lsn(1), 0);
    while next <= end {
        let batch = log.read(next, Most::default()).await.unwrap();
        bytes += batch.records.iter().map(|record| Bytes::len(&record.payload)).sum::<usize>();
        next = batch.next;
    }
    bytes as f64 / f64::from(1 << 20) / clock.since(begun).as_secs_f64()
}

/// MiB of files a second, into another file or into nothing.
fn copy(shard: &Path, cache: Cache, into: Option<&Path>) -> f64 {
    let (files, clock, mut buffer, mut all) = (prepare(shard, cache), Clock::real(), vec![0; 1 << 20], 0);
    let mut out = into.map(|path| File::create(path).unwrap());
    let begun = clock.instant();
    for path in files {
        let mut file = File::open(path).unwrap();
        while let some @ 1.. = file.read(&mut buffer).unwrap() {
            if let Some(out) = &mut out {
                out.write_all(&buffer[..some]).unwrap();
            }
            all += some;
        }
    }
    let rate = all as f64 / f64::from(1 << 20) / clock.since(begun).as_secs_f64();
    if let Some(path) = into {
        std::fs::remove_file(path).unwrap();
    }
    rate
}
