//! Messages between stores: to each other store two connections, so that beats and votes never wait behind what carries much.
//!
//! Nothing is kept for a store that cannot be reached: agreement sends again what matters.

mod inbound;
mod peer;

use crate::{Directory, Hand, Parcel, Post};
use log::net::Tls;
use peer::Peer;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};
use tokio::{net::TcpListener, runtime::Handle};

/// Who this store is, and how it speaks.
#[derive(Clone)]
pub struct Identity {
    /// Its cluster.
    pub cluster: u128,
    /// Its own name.
    pub store: Arc<str>,
    /// With TLS, or without.
    pub tls: Option<Tls>,
}

/// The messages of one store. Clones are the same.
#[derive(Clone)]
pub struct Transport(Arc<Inner>);

struct Inner {
    identity: Identity,
    directory: Directory,
    hand: OnceLock<Hand>,
    peers: Mutex<HashMap<Arc<str>, Peer>>,
    runtime: Handle,
}

/// Limit for whoever calls to say who they are.
const GREETING: Duration = Duration::from_secs(5);

impl Transport {
    /// For a store; must be made inside the runtime that carries it.
    pub fn new(identity: Identity, directory: Directory) -> Transport {
        let (hand, peers, runtime) = (OnceLock::new(), Mutex::default(), Handle::current());
        Transport(Arc::new(Inner { identity, directory, hand, peers, runtime }))
    }

    /// What the store's thread posts by.
    pub fn post(&self) -> Post {
        let transport = self.clone();
        Box::new(move |parcels| parcels.into_iter().for_each(|parcel| transport.send(parcel)))
    }

    /// Hands what comes to the store from now on, and takes calls.
    pub fn serve(&self, hand: Hand, listener: TcpListener) {
        let _ = self.0.hand.set(hand);
        self.0.runtime.spawn(inbound::accept(self.clone(), listener));
    }

    fn send(&self, parcel: Parcel) {
        let mut peers = self.0.peers.lock().unwrap_or_else(PoisonError::into_inner);
        if !peers.contains_key(&parcel.store) {
            let peer = Peer::new(self.clone(), &parcel.store);
            peers.insert(Arc::clone(&parcel.store), peer);
        }
        if let Some(peer) = peers.get(&parcel.store) {
            peer.send(parcel);
        }
    }

    fn unreachable(&self, store: &Arc<str>) {
        if let Some(hand) = self.0.hand.get() {
            hand.unreachable(Arc::clone(store));
        }
    }
}
