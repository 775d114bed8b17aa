//! The thread that drives a store, and the hand it is asked by.

use crate::{
    Answer, Ask, Disk, Parcel, Run, StorageError, Store, Tip, Told,
    consensus::{Change, Command, Outcome},
};
use log::{Batch, LogError, Most, Positions};
use runtime::{Clock, Instant};
use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    thread::JoinHandle,
    time::Duration,
};
use tokio::sync::{oneshot, watch};
use types::Lsn;

/// Asks that are taken up before a turn, at most: ticks must not wait for ever.
const AT_ONCE: usize = 4096;

/// Where outgoing messages go. It must not wait.
pub type Post = Box<dyn FnMut(Vec<Parcel>) + Send>;

/// The end of a store's thread that everybody else holds. The store ends when all hands are gone.
#[derive(Clone)]
pub struct Hand {
    asks: Sender<Ask>,
    disk: Arc<dyn Disk>,
    stopped: watch::Receiver<Option<String>>,
}

/// Starts a thread that drives the store with a tick each `beat`. `disk` is the one the store was opened on.
pub fn drive(
    store: Store,
    disk: Arc<dyn Disk>,
    beat: Duration,
    clock: Clock,
    post: Post,
) -> io::Result<(Hand, JoinHandle<()>)> {
    let (asks, inbox) = channel();
    let (stop, stopped) = watch::channel(None);
    let driver = Driver { store, inbox, beat, clock, post, ticked: clock.instant(), left: false };
    let thread = std::thread::Builder::new().name("store".to_owned()).spawn(move || driver.run(&stop))?;
    Ok((Hand { asks, disk, stopped }, thread))
}

struct Driver {
    store: Store,
    inbox: Receiver<Ask>,
    beat: Duration,
    clock: Clock,
    post: Post,
    ticked: Instant,
    left: bool,
}

impl Driver {
    fn run(mut self, stop: &watch::Sender<Option<String>>) {
        // raft-rs panics where a read of its storage fails or its members contradict each other. What is on disk is sound all the same,
        // and what is in memory is not to be trusted any more: the store stops, as after a failed sync.
        let ended = catch_unwind(AssertUnwindSafe(|| self.rounds()));
        let why = match ended {
            Ok(Ok(())) => "the store was ended".to_owned(),
            Ok(Err(error)) => error.to_string(),
            Err(panic) => format!("agreement came upon something impossible: {}", said(panic.as_ref())),
        };
        stop.send_replace(Some(why.clone()));
        self.store.stop(&why);
    }

    /// Until nobody can ask any more.
    fn rounds(&mut self) -> Result<(), StorageError> {
        let mut busy = false;
        loop {
            let left = if busy { Duration::ZERO } else { self.beat.saturating_sub(self.clock.since(self.ticked)) };
            match self.inbox.recv_timeout(left) {
                Ok(ask) => self.take(ask)?,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return self.store.rest(),
            }
            if self.clock.since(self.ticked) >= self.beat {
                // One tick, however long this thread was kept from it: a frozen process must not wake up full of elections.
                self.ticked = self.clock.instant();
                self.store.tick();
            }
            busy = self.store.turn(&mut self.post)?;
            if self.left {
                return self.store.rest();
            }
        }
    }

    fn take(&mut self, first: Ask) -> Result<(), StorageError> {
        self.left |= matches!(first, Ask::Leave);
        self.store.take(first)?;
        for ask in self.inbox.try_iter().take(AT_ONCE) {
            self.left |= matches!(ask, Ask::Leave);
            self.store.take(ask)?;
        }
        Ok(())
    }
}

fn said(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no text").to_owned()
}

/// A question the store has.
struct Asked<T> {
    came: oneshot::Receiver<Result<T, LogError>>,
    sent: bool,
    stopped: watch::Receiver<Option<String>>,
}

impl<T> Asked<T> {
    async fn answer(self) -> Result<T, LogError> {
        if !self.sent {
            return Err(LogError::Stopped(why(&self.stopped)));
        }
        // It was taken up and not answered: nobody knows what became of it.
        self.came.await.unwrap_or_else(|_| Err(LogError::Unknown(why(&self.stopped))))
    }
}

fn why(stopped: &watch::Receiver<Option<String>>) -> String {
    stopped.borrow().clone().unwrap_or_else(|| "the store was ended".to_owned())
}

impl Hand {
    /// What is asked is with the store once this returns; the answer comes later, so that questions keep their order.
    fn ask<T>(&self, ask: impl FnOnce(Answer<T>) -> Ask) -> Asked<T> {
        let (answer, came) = oneshot::channel();
        let sent = self.asks.send(ask(answer)).is_ok();
        Asked { came, sent, stopped: self.stopped.clone() }
    }

    /// Waits until the store has stopped for good, and says why. Never, as long as it works.
    pub async fn stopped(&self) -> String {
        let mut stopped = self.stopped.clone();
        let _ = stopped.wait_for(Option::is_some).await;
        why(&stopped)
    }

    /// Has commands agreed on, one behind the other, all or none; what the last came to.
    pub fn commands(
        &self,
        shard: u64,
        commands: Vec<Command>,
    ) -> impl Future<Output = Result<Outcome, LogError>> + use<> {
        self.ask(|answer| Ask::Commands { shard, commands, answer }).answer()
    }

    /// Where a shard stands, all included that was acknowledged before.
    pub fn positions(&self, shard: u64) -> impl Future<Output = Result<Positions, LogError>> + use<> {
        self.ask(|answer| Ask::Positions { shard, answer }).answer()
    }

    /// Where this store's replica of a shard stands, from now on.
    pub async fn watch(&self, shard: u64) -> Result<watch::Receiver<Tip>, LogError> {
        self.ask(|answer| Ask::Watch { shard, answer }).answer().await
    }

    /// Agreed records from a place on, as far as this store knows them.
    pub async fn read(&self, shard: u64, from: Lsn, most: Most) -> Result<Batch, LogError> {
        let mut from = from;
        loop {
            let view = self.ask(|answer| Ask::Look { shard, from, most, answer }).answer().await?;
            let (disk, end) = (Arc::clone(&self.disk), view.ends_at());
            let read = tokio::task::spawn_blocking(move || view.batch(&*disk, most)).await;
            let batch = read.map_err(|error| LogError::Stopped(error.to_string()))??;
            if !batch.records.is_empty() || batch.next >= end || batch.next == from {
                return Ok(batch);
            }
            from = batch.next;
        }
    }

    /// A message came.
    pub fn step(&self, parcel: Parcel) {
        let _ = self.asks.send(Ask::Step(parcel));
    }

    /// A store cannot be reached now.
    pub fn unreachable(&self, store: Arc<str>) {
        let _ = self.asks.send(Ask::Unreachable(store));
    }

    /// Proposes changes of members that hold together, if the last change lies at `membership`.
    pub async fn change(&self, shard: u64, membership: u64, changes: Vec<Change>) -> Result<(), LogError> {
        self.ask(|answer| Ask::Change { shard, membership, changes, answer }).answer().await
    }

    /// Hands the lead of a shard to whichever of its voters is best for it.
    pub fn hand_over(&self, shard: u64) {
        let _ = self.asks.send(Ask::HandOver { shard });
    }

    /// Runs a replica.
    pub async fn run(&self, shard: u64, replica: u64, how: Run) -> Result<(), LogError> {
        self.ask(|answer| Ask::Run { shard, replica, how, answer }).answer().await
    }

    /// Ends a replica for good.
    pub async fn end(&self, shard: u64, replica: u64) -> Result<(), LogError> {
        self.ask(|answer| Ask::End { shard, replica, answer }).answer().await
    }

    /// Ends the store in good order, once everything asked before is taken up. Connections may still hold hands of it.
    pub fn leave(&self) {
        let _ = self.asks.send(Ask::Leave);
    }

    /// What each replica of the store tells.
    pub async fn told(&self) -> Result<Vec<Told>, LogError> {
        self.ask(|answer| Ask::Told { answer }).answer().await
    }
}
