//! One member as a process of its own: a store, its shards, its two doors.

use async_trait::async_trait;
use bytes::Bytes;
use log_server::{
    Control, Directory, Hand, Identity, RealDisk, Run, Service, Store, StoreEntry, StoreOptions, Transport, drive,
    keeper::Addresses,
};
use runtime::{Clock, Random};
use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};
use tokio::{io::AsyncReadExt, net::TcpListener};

pub const CLUSTER: u128 = 7;
/// As the configuration has it unless told otherwise.
pub const BEAT: Duration = Duration::from_millis(100);

/// Nothing is asked of it here.
struct Silent;

#[async_trait]
impl Control for Silent {
    async fn control(&self, body: Bytes) -> Bytes {
        body
    }

    async fn leader(&self, _shard: u64) -> Option<String> {
        None
    }
}

pub fn name(number: u64) -> String {
    format!("store-{number}")
}

/// `NUMBER FOLDER SHARDS RAFT,SERVICE...` of all members in order. Ends when its standard input does, so that none outlives who started it.
pub async fn run(arguments: &[String]) {
    let [number, folder, shards, members @ ..] = arguments else { panic!("four arguments or more") };
    let (number, shards): (u64, u64) = (number.parse().unwrap(), shards.parse().unwrap());
    let directory = Directory::default();
    for (number, member) in (1..).zip(members) {
        directory.put(&name(number), StoreEntry { born: 0, addresses: addresses(member) });
    }
    let hand = serve(number, Path::new(folder), directory).await;
    for shard in 1..=shards {
        hand.run(shard, shard * 10 + number, Run::First(voters(shard, members.len() as u64))).await.unwrap();
    }
    let _ = tokio::io::stdin().read_to_end(&mut Vec::new()).await;
    std::process::exit(0);
}

fn addresses(member: &str) -> Addresses {
    let (raft, service) = member.split_once(',').unwrap();
    Addresses { raft: raft.to_owned(), service: service.to_owned(), gossip: String::new() }
}

/// Of a shard: replica `s * 10 + n` on store `n`.
fn voters(shard: u64, members: u64) -> BTreeMap<u64, String> {
    (1..=members).map(|number| (shard * 10 + number, name(number))).collect()
}

async fn serve(number: u64, folder: &Path, directory: Directory) -> Hand {
    let own = directory.get(&name(number)).unwrap();
    let identity = Identity { cluster: CLUSTER, store: name(number).into(), tls: None };
    let transport = Transport::new(identity.clone(), directory.clone());
    let hand = hand(number, folder, &transport);
    transport.attach(hand.clone());
    let door = Service { identity, hand: hand.clone(), directory, control: Arc::new(Silent) };
    for address in [&own.raft, &own.service] {
        tokio::spawn(door.clone().serve(TcpListener::bind(address).await.unwrap()));
    }
    hand
}

fn hand(number: u64, folder: &Path, transport: &Transport) -> Hand {
    let (disk, random) = (Arc::new(RealDisk), Random::seeded(number));
    let store = Store::open(disk.clone(), folder, (CLUSTER, &name(number)), StoreOptions::default(), random).unwrap();
    drive(store, disk, BEAT, Clock::real(), transport.post()).unwrap().0
}

/// A store with one shard in this process, asked without a network.
pub async fn inside(folder: &Path) -> Hand {
    let (disk, random) = (Arc::new(RealDisk), Random::seeded(1));
    let store = Store::open(disk.clone(), folder, (CLUSTER, &name(1)), StoreOptions::default(), random).unwrap();
    let (hand, _) = drive(store, disk, BEAT, Clock::real(), Box::new(|_| ())).unwrap();
    hand.run(1, 11, Run::First(voters(1, 1))).await.unwrap();
    while hand.positions(1).await.is_err() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    hand
}
