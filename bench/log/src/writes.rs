//! Writes a second, three members of ours beside three of etcd on the same disk: the same payloads, clients and connections.

use crate::{
    cluster::Cluster,
    etcd::{self, Etcd},
    load::{Seen, Target, drive},
    place, process, table,
};
use async_trait::async_trait;
use bytes::Bytes;
use log::{Log, RemoteLog};
use std::{sync::Arc, time::Duration};
use types::Epoch;

/// Clients share connections as a program's tasks do.
const CONNECTIONS: usize = 8;
const WARM: u64 = 2;

struct Ours(RemoteLog);

#[async_trait]
impl Target for Ours {
    async fn write(&self, _key: u64, payload: Bytes) {
        self.0.append(Epoch::FIRST, vec![payload]).await.unwrap();
    }
}

/// What one cell came to, and the processor time a write took of the members and of the clients, which share the machine.
struct Cell {
    seen: Seen,
    cpu: [f64; 2],
}

/// All cells, or the one asked for: bytes of a write and clients.
pub async fn measure(seconds: u64, asked: &[String]) {
    let mut rows = Vec::new();
    for (label, length) in [("100 B", 100), ("1 KiB", 1 << 10), ("64 KiB", 64 << 10)] {
        let payload = place::noise(length);
        let cell = |clients: &usize| asked.is_empty() || *asked == [length.to_string(), clients.to_string()];
        for clients in [1, 64, 512].into_iter().filter(cell) {
            let ours = ours(clients, &payload, seconds).await;
            let theirs = theirs(clients, &payload, seconds).await;
            rows.push(row(label, clients, &ours, &theirs));
            eprintln!("{}", rows.last().unwrap().join(" "));
        }
    }
    let heads =
        ["payload", "clients", "ours /s", "etcd /s", "ratio", "ours p50 ms", "etcd p50", "ours p99", "etcd p99"];
    let heads = [&heads[..], &["ours CPU µs a write", "etcd CPU", "our client", "etcd's client"]].concat();
    table::print("Writes: three members each, loopback, fsync on", &heads, &rows);
}

fn row(label: &str, clients: usize, ours: &Cell, theirs: &Cell) -> Vec<String> {
    let (rate, other) = (ours.seen.rate(), theirs.seen.rate());
    let mut row = vec![label.to_owned(), clients.to_string(), format!("{rate:.0}"), format!("{other:.0}")];
    row.push(format!("{:.1}", rate / other));
    for percent in [50, 99] {
        row.extend([ours, theirs].map(|cell| format!("{:.2}", cell.seen.percentile(percent))));
    }
    for who in [0, 1] {
        row.extend([ours, theirs].map(|cell| format!("{:.0}", cell.cpu[who])));
    }
    row
}

async fn ours(clients: usize, payload: &Bytes, seconds: u64) -> Cell {
    let cluster = Cluster::start(3, 1).await;
    let client = |_| Arc::new(Ours(cluster.client(1))) as Arc<dyn Target>;
    let targets: Vec<_> = (0..CONNECTIONS.min(clients)).map(client).collect();
    cell(&cluster.pids(), &targets, clients, payload, seconds).await
}

async fn theirs(clients: usize, payload: &Bytes, seconds: u64) -> Cell {
    let etcd = Etcd::start();
    let targets = etcd::clients(&etcd, CONNECTIONS.min(clients)).await;
    cell(&etcd.pids(), &targets, clients, payload, seconds).await
}

async fn cell(pids: &[u32], targets: &[Arc<dyn Target>], clients: usize, payload: &Bytes, seconds: u64) -> Cell {
    let own = [std::process::id()];
    let used = |pids: &[u32]| pids.iter().map(|pid| process::cpu(*pid)).sum::<Duration>();
    drive(targets, clients, payload, 0, WARM).await;
    let before = [pids, &own].map(used);
    let seen = drive(targets, clients, payload, 1, seconds).await;
    let after = [pids, &own].map(used);
    let share = |who: usize| after[who].saturating_sub(before[who]).as_secs_f64() * 1e6 / seen.count().max(1) as f64;
    let cpu = [share(0), share(1)];
    Cell { seen, cpu }
}
