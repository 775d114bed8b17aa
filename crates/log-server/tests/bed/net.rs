//! Stores that speak over TCP on free ports of this machine.

use super::name;
use async_trait::async_trait;
use bytes::Bytes;
use log::{
    Connect, RemoteLog, Servers,
    net::{Tls, TlsFiles},
};
use log_server::{
    Control, Directory, Hand, Identity, RealDisk, Run, Service, Store, StoreEntry, Transport, drive, keeper::Addresses,
};
use runtime::{Clock, Random};
use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};
use tokio::net::TcpListener;

pub const CLUSTER: u128 = 7;

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

/// Stores by number, from 1 on, whose replicas of shard `s` are `s * 10 + number`.
pub struct NetStores {
    pub hands: Vec<Hand>,
    pub addresses: Vec<Addresses>,
    pub tls: Option<Tls>,
    folder: tempfile::TempDir,
}

impl NetStores {
    pub async fn start(count: u64, tls: bool) -> NetStores {
        let folder = tempfile::tempdir().unwrap();
        let tls = tls.then(|| Tls::load(&certificates(folder.path(), "cluster")).unwrap());
        let (directory, mut sockets, mut addresses) = (Directory::default(), Vec::new(), Vec::new());
        for number in 1..=count {
            let (raft, service) = (listener().await, listener().await);
            let text = |listener: &TcpListener| listener.local_addr().unwrap().to_string();
            let known = Addresses { raft: text(&raft), service: text(&service), gossip: String::new() };
            directory.put(&name(number), StoreEntry { born: 0, addresses: known.clone() });
            addresses.push(known);
            sockets.push((raft, service));
        }
        let mut hands = Vec::new();
        for (number, (raft, service)) in (1..).zip(sockets) {
            let identity = Identity { cluster: CLUSTER, store: name(number).into(), tls: tls.clone() };
            let transport = Transport::new(identity.clone(), directory.clone());
            let path = folder.path().join(name(number));
            let (disk, random) = (Arc::new(RealDisk), Random::seeded(number));
            let store = Store::open(disk.clone(), &path, (CLUSTER, &name(number)), super::options(), random).unwrap();
            let beat = Duration::from_millis(10);
            let (hand, _) = drive(store, disk, beat, Clock::real(), transport.post()).unwrap();
            transport.attach(hand.clone());
            let control = Arc::new(Silent);
            let door = Service { identity, hand: hand.clone(), directory: directory.clone(), control };
            tokio::spawn(door.clone().serve(service));
            tokio::spawn(door.serve(raft));
            hands.push(hand);
        }
        NetStores { hands, addresses, tls, folder }
    }

    /// A new shard with a voter on each store.
    pub async fn begin(&self, shard: u64) {
        let voters: BTreeMap<u64, String> =
            (1..=self.hands.len() as u64).map(|number| (shard * 10 + number, name(number))).collect();
        for (replica, hand) in voters.keys().zip(&self.hands) {
            hand.run(shard, *replica, Run::First(voters.clone())).await.unwrap();
        }
    }

    /// A client that knows one of the stores first.
    pub fn client(&self, first: usize, shard: u64) -> RemoteLog {
        let mut addresses: Vec<String> = self.addresses.iter().map(|known| known.service.clone()).collect();
        addresses.rotate_left(first % self.addresses.len());
        let how = Connect { cluster: Some(CLUSTER), tls: self.tls.clone(), ..Connect::default() };
        RemoteLog::new(Arc::new(Servers::new(addresses, how)), shard)
    }
}

pub async fn listener() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}

/// An authority of its own, and a certificate for this machine by it.
pub fn certificates(folder: &Path, label: &str) -> TlsFiles {
    let mut authority = rcgen::CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority_key = rcgen::KeyPair::generate().unwrap();
    let root = authority.self_signed(&authority_key).unwrap();
    let issuer = rcgen::Issuer::new(authority, authority_key);
    let key = rcgen::KeyPair::generate().unwrap();
    let own = rcgen::CertificateParams::new(vec!["127.0.0.1".to_owned(), "localhost".to_owned()]).unwrap();
    let own = own.signed_by(&key, &issuer).unwrap();
    let write = |what: &str, text: String| {
        let path = folder.join(format!("{label}-{what}.pem"));
        std::fs::write(&path, text).unwrap();
        path
    };
    TlsFiles {
        authority: write("ca", root.pem()),
        certificate: write("cert", own.pem()),
        key: write("key", key.serialize_pem()),
    }
}
