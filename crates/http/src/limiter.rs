//! How often one peer may show a wrong token. Tokens carry 256 bits, so this guards the log and the audit, not the
//! tokens: a right token is never held up.

use runtime::{Clock, Instant};
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// Wrong tokens a peer may show per window.
const ALLOWED: u32 = 10;
/// The window.
const WINDOW: Duration = Duration::from_mins(1);
/// Most peers remembered; beyond it the oldest window goes.
const PEERS: usize = 4096;

/// Wrong tokens by peer.
pub(crate) struct Limiter {
    clock: Clock,
    peers: Mutex<HashMap<IpAddr, (Instant, u32)>>,
}

impl Limiter {
    pub(crate) fn new(clock: Clock) -> Self {
        Self { clock, peers: Mutex::default() }
    }

    /// Counts one wrong token; false if the peer has shown too many.
    pub(crate) fn allows(&self, peer: IpAddr) -> bool {
        let now = self.clock.instant();
        let mut peers = self.peers.lock().unwrap_or_else(PoisonError::into_inner);
        if peers.len() >= PEERS && !peers.contains_key(&peer) {
            peers.retain(|_, (began, _)| self.clock.since(*began) < WINDOW);
            let oldest = peers.iter().min_by_key(|(_, (began, _))| *began).map(|(peer, _)| *peer);
            if let (true, Some(oldest)) = (peers.len() >= PEERS, oldest) {
                peers.remove(&oldest);
            }
        }
        let entry = peers.entry(peer).or_insert((now, 0));
        if self.clock.since(entry.0) >= WINDOW {
            *entry = (now, 0);
        }
        entry.1 = entry.1.saturating_add(1);
        entry.1 <= ALLOWED
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    fn peer(number: u32) -> IpAddr {
        IpAddr::V4(Ipv4Addr::from(number))
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_is_held_up_for_a_window_and_others_are_not() {
        let limiter = Limiter::new(Clock::real());
        let first: Vec<bool> = (0..12).map(|_| limiter.allows(peer(1))).collect();
        assert_eq!(first.iter().filter(|allowed| **allowed).count(), 10);
        assert!(limiter.allows(peer(2)));
        tokio::time::advance(WINDOW).await;
        assert!(limiter.allows(peer(1)));
    }

    #[tokio::test(start_paused = true)]
    async fn memory_is_bounded() {
        let limiter = Limiter::new(Clock::real());
        for number in 0..10_000 {
            limiter.allows(peer(number));
        }
        assert!(limiter.peers.lock().unwrap().len() <= PEERS);
    }
}
