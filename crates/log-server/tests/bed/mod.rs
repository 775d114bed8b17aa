//! A bed for tests: stores of one process that post to each other directly.
#![allow(dead_code, reason = "each test program uses its part")]

pub mod net;
pub mod nodes;

use log_server::{Hand, Parcel, RealDisk, Run, Store, StoreOptions, consensus::Rhythm, drive};
use runtime::{Clock, Random};
use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
    thread::JoinHandle,
    time::Duration,
};

/// Stores by number, from 1 on, whose replicas of shard `s` are `s * 10 + number`.
pub struct Stores {
    pub hands: Vec<Hand>,
    folder: tempfile::TempDir,
    threads: Vec<JoinHandle<()>>,
}

pub fn options() -> StoreOptions {
    let rhythm = Rhythm { election: 10, heartbeat: 1, ..Rhythm::default() };
    StoreOptions { rhythm, ..StoreOptions::default() }
}

pub fn name(number: u64) -> String {
    format!("store-{number}")
}

impl Stores {
    pub fn start(count: u64) -> Stores {
        let folder = tempfile::tempdir().unwrap();
        Self::over(folder, count)
    }

    pub fn over(folder: tempfile::TempDir, count: u64) -> Stores {
        let all: Arc<OnceLock<Vec<Hand>>> = Arc::default();
        let (mut hands, mut threads) = (Vec::new(), Vec::new());
        for number in 1..=count {
            let (disk, name) = (Arc::new(RealDisk), name(number));
            let path = folder.path().join(&name);
            let random = Random::seeded(number);
            let store = Store::open(disk.clone(), &path, (7, &name), options(), random).unwrap();
            let others = Arc::clone(&all);
            let own: Arc<str> = name.as_str().into();
            let post = move |parcels: Vec<Parcel>| {
                for mut parcel in parcels {
                    let to: usize = parcel.store.strip_prefix("store-").unwrap().parse().unwrap();
                    if let Some(hand) = others.get().and_then(|all| all.get(to - 1)) {
                        parcel.store = Arc::clone(&own);
                        hand.step(parcel);
                    }
                }
            };
            let beat = Duration::from_millis(10);
            let (hand, thread) = drive(store, disk, beat, Clock::real(), Box::new(post)).unwrap();
            hands.push(hand);
            threads.push(thread);
        }
        let _ = all.set(hands.clone());
        Stores { hands, folder, threads }
    }

    /// A new shard with a voter on each store.
    pub async fn begin(&self, shard: u64) {
        let voters: BTreeMap<u64, String> =
            (1..=self.hands.len() as u64).map(|number| (shard * 10 + number, name(number))).collect();
        for (replica, hand) in voters.keys().zip(&self.hands) {
            hand.run(shard, *replica, Run::First(voters.clone())).await.unwrap();
        }
    }

    /// The store that leads a shard, once there is one.
    pub async fn leader(&self, shard: u64) -> Hand {
        loop {
            for hand in &self.hands {
                // A leader that has agreed on something in its term answers at once.
                if hand.positions(shard).await.is_ok() {
                    return hand.clone();
                }
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}
