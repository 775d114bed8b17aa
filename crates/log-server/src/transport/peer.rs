//! Another store, as messages are sent to it.

use super::Transport;
use crate::{Parcel, consensus::letter};
use log::net::{Hello, Outlet, Purpose, dial, greet};
use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::sync::mpsc;

/// Messages that wait in a lane, at most.
const MESSAGES: usize = 8192;
/// Bytes that wait in a lane, at most.
const BYTES: usize = 64 << 20;
/// Between two tries to connect: at first, and at most.
const PAUSE: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(1));
/// Limit for a try.
const ATTEMPT: Duration = Duration::from_secs(2);

/// The two lanes to a store.
pub(super) struct Peer {
    urgent: Lane,
    bulk: Lane,
}

struct Lane {
    queue: mpsc::Sender<Parcel>,
    waiting: Arc<AtomicUsize>,
}

impl Peer {
    pub fn new(transport: &Transport, store: &Arc<str>) -> Peer {
        let lane = |purpose| Lane::new(transport.clone(), Arc::clone(store), purpose);
        Peer { urgent: lane(Purpose::Urgent), bulk: lane(Purpose::Bulk) }
    }

    pub fn send(&self, parcel: Parcel) {
        let carries = !parcel.message.entries.is_empty() || parcel.message.snapshot.is_some();
        if carries { self.bulk.send(parcel) } else { self.urgent.send(parcel) }
    }
}

fn weight(parcel: &Parcel) -> usize {
    parcel.message.entries.iter().map(|entry| entry.data.len() + 64).sum::<usize>() + 128
}

impl Lane {
    fn new(transport: Transport, store: Arc<str>, purpose: Purpose) -> Lane {
        let (queue, parcels) = mpsc::channel(MESSAGES);
        let waiting = Arc::new(AtomicUsize::new(0));
        let runtime = transport.0.runtime.clone();
        runtime.spawn(Carrier { transport, store, purpose, parcels, waiting: Arc::clone(&waiting) }.run());
        Lane { queue, waiting }
    }

    /// What does not fit is dropped: it is as if the network had lost it.
    fn send(&self, parcel: Parcel) {
        let more = weight(&parcel);
        if self.waiting.load(Ordering::Relaxed) + more <= BYTES && self.queue.try_send(parcel).is_ok() {
            self.waiting.fetch_add(more, Ordering::Relaxed);
        }
    }
}

/// The task behind a lane.
struct Carrier {
    transport: Transport,
    store: Arc<str>,
    purpose: Purpose,
    parcels: mpsc::Receiver<Parcel>,
    waiting: Arc<AtomicUsize>,
}

impl Carrier {
    async fn run(mut self) {
        let mut pause = PAUSE.0;
        let mut kept = None;
        // A connection is made when there is something to send, not before.
        while let Some(first) = self.next(&mut kept).await {
            let connected = tokio::time::timeout(ATTEMPT, self.connect()).await;
            let connected = connected.unwrap_or_else(|_| Err(io::Error::from(io::ErrorKind::TimedOut)));
            if let Ok(outlet) = connected {
                pause = PAUSE.0;
                let _ = self.carry(outlet, first).await;
            } else {
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(PAUSE.1);
            }
            self.transport.unreachable(&self.store);
            // What waited meanwhile is stale. The last of it may be news: it is what the next try is made for.
            while let Ok(parcel) = self.parcels.try_recv() {
                self.off(&parcel);
                kept = Some(parcel);
            }
        }
    }

    async fn next(&mut self, kept: &mut Option<Parcel>) -> Option<Parcel> {
        if let Some(parcel) = kept.take() {
            return Some(parcel);
        }
        let parcel = self.parcels.recv().await?;
        self.off(&parcel);
        Some(parcel)
    }

    fn off(&self, parcel: &Parcel) {
        self.waiting.fetch_sub(weight(parcel), Ordering::Relaxed);
    }

    async fn connect(&self) -> io::Result<Outlet> {
        let inner = &self.transport.0;
        let addresses = inner.directory.get(&self.store).ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
        let stream = dial(&addresses.raft, inner.identity.tls.as_ref()).await?;
        let hello = Hello::new(Some(inner.identity.cluster), &inner.identity.store, &self.store, self.purpose);
        let (_, outlet, _) = greet(stream, &hello).await?;
        Ok(outlet)
    }

    /// Sends until the connection breaks.
    async fn carry(&mut self, mut outlet: Outlet, first: Parcel) -> io::Result<()> {
        let mut next = Some(first);
        loop {
            while let Some(parcel) = next {
                outlet.put(&letter::write(parcel.shard, &parcel.message)).await?;
                next = self.parcels.try_recv().ok();
                if let Some(parcel) = &next {
                    self.off(parcel);
                }
            }
            outlet.flush().await?;
            let Some(parcel) = self.parcels.recv().await else { return Ok(()) };
            self.off(&parcel);
            next = Some(parcel);
        }
    }
}
