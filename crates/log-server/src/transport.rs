//! Messages between stores: to each other store two connections, so that beats and votes never wait behind what carries much.
//!
//! Nothing is kept for a store that cannot be reached: agreement sends again what matters.

mod peer;

use crate::{Directory, Hand, Parcel, Post, consensus::letter};
use bytes::Bytes;
use log::net::Tls;
use peer::Peer;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};
use tokio::runtime::Handle;

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

    /// Tells the store from now on whom it cannot reach.
    pub fn attach(&self, hand: Hand) {
        let _ = self.0.hand.set(hand);
    }

    fn send(&self, parcel: Parcel) {
        let mut peers = self.0.peers.lock().unwrap_or_else(PoisonError::into_inner);
        if !peers.contains_key(&parcel.store) {
            let peer = Peer::new(self, &parcel.store);
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

/// A frame's content as a peer is sent it, from a store.
pub(crate) fn parcel(frame: Bytes, from: &Arc<str>) -> Option<Parcel> {
    let (shard, message) = letter::read(frame)?;
    Some(Parcel { shard, store: Arc::clone(from), message })
}
