//! Whole log stores in one process, each with its folder and its doors.

use super::net::CLUSTER;
use log::{Connect, RemoteLog, Servers};
use log_server::{
    Founding, Identity, Listen, Node, NodeError, NodeOptions, Pace, RealDisk,
    affairs::{Answer, KeeperClient, Question},
    keeper::{Addresses, Limits, Locality, State, Wanted},
};
use runtime::{Clock, Random};
use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};

pub const PACE: Pace = Pace {
    beat: Duration::from_millis(10),
    heartbeat: Duration::from_millis(50),
    check: Duration::from_millis(100),
    probe: Duration::from_millis(200),
    ticks_per_second: 100,
};

/// An address nobody listens on. On a host of this process's own, for what is let go of now is wanted again when a store comes back: all of
/// 127.0.0.0/8 is this machine.
pub fn free() -> String {
    let [_, _, high, low] = std::process::id().to_be_bytes();
    let host = std::net::Ipv4Addr::new(127, 64 | (high & 63), low, 1);
    std::net::TcpListener::bind((host, 0)).unwrap().local_addr().unwrap().to_string()
}

/// A store that knows `seeds`; nobody runs it yet.
pub fn options(folder: &Path, uuid: &str, locality: &str, seeds: &[&NodeOptions]) -> NodeOptions {
    let (raft, service, gossip) = (free(), free(), free());
    let addresses = Addresses { raft: raft.clone(), service: service.clone(), gossip: gossip.clone() };
    NodeOptions {
        identity: Identity { cluster: CLUSTER, store: uuid.into(), tls: None },
        addresses,
        listen: Listen { raft, service, gossip },
        folder: folder.join(uuid),
        locality: Locality::read(locality),
        store: super::options(),
        pace: PACE,
        seeds: seeds.iter().map(|other| other.addresses.gossip.clone()).collect(),
        founding: None,
    }
}

/// The stores that begin a cluster with these shards.
pub fn founders(stores: &mut [&mut NodeOptions], shards: &[u64]) {
    let members: BTreeMap<u64, String> =
        (131_072..).zip(stores.iter().map(|store| store.identity.store.to_string())).collect();
    let seeds: Vec<String> = stores.iter().map(|store| store.addresses.gossip.clone()).collect();
    for store in stores.iter_mut() {
        let limits = Limits { voters: members.len(), store_ticks: 200 };
        let wanted = Wanted { shards: shards.to_vec(), limits, locality: Locality::default() };
        store.founding = Some(Founding { members: members.clone(), wanted });
        store.seeds = seeds.clone();
    }
}

pub async fn start(options: &NodeOptions) -> Result<Node, NodeError> {
    Node::start(options.clone(), Arc::new(RealDisk), Clock::real(), Random::real()).await
}

/// Whoever asks the keeper by one door of one store.
pub fn client(door: &str) -> KeeperClient {
    KeeperClient::new(vec![door.to_owned()], Connect { cluster: Some(CLUSTER), ..Connect::default() })
}

pub async fn state(door: &str) -> Result<State, String> {
    match client(door).ask(&Question::State, &[]).await? {
        Answer::State(state) => Ok(*state),
        other => Err(format!("{other:?}")),
    }
}

/// Waits until the keeper's state is as wanted.
pub async fn until(door: &str, what: &str, wanted: impl Fn(&State) -> bool) -> State {
    let mut last = String::new();
    for _ in 0..600 {
        match state(door).await {
            Ok(state) if wanted(&state) => return state,
            Ok(state) => last = format!("{state:#?}"),
            Err(error) => last = error,
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{what} never came: {last}");
}

pub fn log(door: &str, shard: u64) -> RemoteLog {
    let how = Connect { cluster: Some(CLUSTER), ..Connect::default() };
    RemoteLog::new(Arc::new(Servers::new(vec![door.to_owned()], how)), shard)
}

/// A port that stays taken.
pub fn taken() -> (std::net::TcpListener, String) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    (listener, address)
}
