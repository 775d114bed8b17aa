//! How long a member with a long log takes to serve again after it was killed in the middle of writing.

use crate::{cluster::Cluster, place, table, tail};
use bytes::Bytes;
use log::{Log, Most};
use runtime::Clock;
use std::time::Duration;
use types::{Epoch, Lsn};

const RECORD: usize = 64 << 10;
const ROUNDS: usize = 3;

pub async fn measure(gib: u64) {
    let mut cluster = Cluster::start(1, 1).await;
    tail::fill(&cluster, RECORD, gib << 10).await;
    let mut rows = Vec::new();
    for round in 1..=ROUNDS {
        for cold in [true, false] {
            rows.push(again(&mut cluster, round, cold).await);
        }
    }
    let heads = ["round", "page cache", "log GiB", "leads after s", "took an append after s", "read its begin after s"];
    table::print("Killed while it was written to, and started again", &heads, &rows);
}

async fn again(cluster: &mut Cluster, round: usize, cold: bool) -> Vec<String> {
    kill_while_it_writes(cluster).await;
    let files = place::files(&cluster.store(1).join("shard-1-11"));
    if cold {
        place::forget(&files);
    } else {
        place::recall(&files);
    }
    let gib = place::bytes(&files) as f64 / f64::from(1 << 30);
    let (clock, payload) = (Clock::real(), place::noise(RECORD));
    let begun = clock.instant();
    let now = || format!("{:.2}", clock.since(begun).as_secs_f64());
    cluster.run();
    cluster.ready().await;
    let (log, leads) = (cluster.client(1), now());
    log.append(Epoch::FIRST, vec![payload]).await.unwrap();
    let took = now();
    log.read(Lsn(1), Most::default()).await.unwrap();
    let cache = if cold { "cold" } else { "warm" };
    vec![round.to_string(), cache.to_owned(), format!("{gib:.1}"), leads, took, now()]
}

async fn kill_while_it_writes(cluster: &mut Cluster) {
    let log = cluster.client(1);
    let writer = tokio::spawn(async move {
        let records: Vec<Bytes> = vec![place::noise(RECORD); 16];
        while log.append(Epoch::FIRST, records.clone()).await.is_ok() {}
    });
    Clock::real().sleep(Duration::from_millis(300)).await;
    cluster.kill();
    writer.abort();
}
