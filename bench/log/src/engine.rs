//! Our files beside raft-engine: the same entries, written and synced by one thread, nothing agreed on.

use crate::{
    load::{Seen, micros},
    place, table,
};
use bytes::Bytes;
use log_server::{Entry, Owner, RealDisk, ReplicaLog, SegmentOptions};
use raft::eraftpb;
use raft_engine::{Config, Engine, LogBatch, MessageExt};
use runtime::Clock;
use std::{path::Path, sync::Arc, time::Duration};

/// Bytes written in a round, at most, and syncs.
const MOST: usize = 512 << 20;
const SYNCS: usize = 4000;
const ROUNDS: usize = 2;

struct Ext;

impl MessageExt for Ext {
    type Entry = eraftpb::Entry;

    fn index(entry: &Self::Entry) -> u64 {
        entry.index
    }
}

pub fn measure() {
    let mut rows = Vec::new();
    for (label, length) in [("100 B", 100), ("1 KiB", 1 << 10), ("64 KiB", 64 << 10), ("1 MiB", 1 << 20)] {
        for together in [1, 32] {
            if length * together <= 8 << 20 {
                rows.push(row(label, &place::noise(length), together));
            }
        }
    }
    let heads = ["entry", "a sync", "ours entries/s", "raft-engine /s", "ratio", "ours p50 ms", "raft-engine p50"];
    let heads = [&heads[..], &["ours p99", "raft-engine p99"]].concat();
    table::print("Storage alone: append and sync", &heads, &rows);
}

fn row(label: &str, payload: &Bytes, together: usize) -> Vec<String> {
    let times = (MOST / (payload.len() * together)).min(SYNCS);
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        ours.extend(replica_log(place::folder().path(), payload, together, times));
        theirs.extend(raft_engine(place::folder().path(), payload, together, times));
    }
    let seen = |micros: Vec<u32>| {
        let span = Duration::from_micros(micros.iter().map(|micros| u64::from(*micros)).sum());
        Seen::of(micros, span)
    };
    let (ours, theirs) = (seen(ours), seen(theirs));
    let rates = [&ours, &theirs].map(|seen| seen.rate() * together as f64);
    let mut row = vec![label.to_owned(), together.to_string()];
    row.extend(rates.map(|rate| format!("{rate:.0}")));
    row.push(format!("{:.2}", rates[0] / rates[1]));
    for percent in [50, 99] {
        row.extend([&ours, &theirs].map(|seen| format!("{:.3}", seen.percentile(percent))));
    }
    row
}

fn replica_log(folder: &Path, payload: &Bytes, together: usize, times: usize) -> Vec<u32> {
    let owner = Owner { cluster: 7, shard: 1, replica: 11 };
    let mut log = ReplicaLog::open(Arc::new(RealDisk), folder, owner, SegmentOptions::default()).unwrap();
    each(together, times, |first| {
        let entry = |index| Entry { index, term: 1, change: false, payload: payload.clone() };
        let entries: Vec<Entry> = (first..first + together as u64).map(entry).collect();
        log.append(&entries).unwrap();
        log.sync().unwrap();
    })
}

fn raft_engine(folder: &Path, payload: &Bytes, together: usize, times: usize) -> Vec<u32> {
    let dir = folder.join("engine").to_string_lossy().into_owned();
    let engine = Engine::open(Config { dir, ..Config::default() }).unwrap();
    each(together, times, |first| {
        let entry = |index| eraftpb::Entry { index, term: 1, data: payload.clone(), ..eraftpb::Entry::default() };
        let entries: Vec<eraftpb::Entry> = (first..first + together as u64).map(entry).collect();
        let mut batch = LogBatch::default();
        batch.add_entries::<Ext>(1, &entries).unwrap();
        engine.write(&mut batch, true).unwrap();
    })
}

/// Microseconds of each write, which is told the index of its first entry.
fn each(together: usize, times: usize, mut write: impl FnMut(u64)) -> Vec<u32> {
    let clock = Clock::real();
    let one = |number: usize| {
        let began = clock.instant();
        write((number * together) as u64 + 1);
        micros(began)
    };
    (0..times).map(one).collect()
}
