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
    let driver = Driver { store, inbox, beat, clock, post, ticked: clock.instant() };
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
}

impl Driver {
    fn run(mut self, stop: &watch::Sender<Option<String>>) {
        // raft-rs panics where a read of its storage fails or its members contradict each other. What is on disk is sound all the same,
        // and what is in memory is not to be trusted any more: the store stops, as after a failed sync.
        let ended = catch_unwind(AssertUnwindSafe(|| self.rounds()));
        let why = match ended {
            Ok(Ok(())) => return,
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
        }
    }

    fn take(&mut self, first: Ask) -> Result<(), StorageError> {
        self.store.take(first)?;
        for ask in self.inbox.try_iter().take(AT_ONCE) {
            self.store.take(ask)?;
        }
        Ok(())
    }
}

fn said(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no text").to_owned()
}

impl Hand {
    async fn ask<T>(&self, ask: impl FnOnce(Answer<T>) -> Ask) -> Result<T, LogError> {
        let (answer, came) = oneshot::channel();
        if self.asks.send(ask(answer)).is_err() {
            return Err(LogError::Stopped(self.why()));
        }
        // It was taken up and not answered: nobody knows what became of it.
        came.await.unwrap_or_else(|_| Err(LogError::Unknown(self.why())))
    }

    fn why(&self) -> String {
        self.stopped.borrow().clone().unwrap_or_else(|| "the store was ended".to_owned())
    }

    /// Waits until the store has stopped for good, and says why. Never, as long as it works.
    pub async fn stopped(&self) -> String {
        let mut stopped = self.stopped.clone();
        match stopped.wait_for(Option::is_some).await {
            Ok(why) => why.clone().unwrap_or_default(),
            Err(_) => self.why(),
        }
    }

    /// Has commands agreed on, one behind the other, all or none; what the last came to.
    pub async fn commands(&self, shard: u64, commands: Vec<Command>) -> Result<Outcome, LogError> {
        self.ask(|answer| Ask::Commands { shard, commands, answer }).await
    }

    /// Where a shard stands, all included that was acknowledged before.
    pub async fn positions(&self, shard: u64) -> Result<Positions, LogError> {
        self.ask(|answer| Ask::Positions { shard, answer }).await
    }

    /// Where this store's replica of a shard stands, from now on.
    pub async fn watch(&self, shard: u64) -> Result<watch::Receiver<Tip>, LogError> {
        self.ask(|answer| Ask::Watch { shard, answer }).await
    }

    /// Agreed records from a place on, as far as this store knows them.
    pub async fn read(&self, shard: u64, from: Lsn, most: Most) -> Result<Batch, LogError> {
        let mut from = from;
        loop {
            let view = self.ask(|answer| Ask::Look { shard, from, most, answer }).await?;
            let (disk, end) = (Arc::clone(&self.disk), view.ends_at());
            let read = tokio::task::spawn_blocking(move || view.batch(&*disk, most)).await;
            let batch = read.map_err(|error| LogError::Stopped(error.to_string()))??;
            if !batch.records.is_empty() || batch.next >= end || batch.next == from {
                return Ok(batch);
            }
            from = batch.next;
        }
    }

    /// Messages came from another store.
    pub fn step(&self, parcels: Vec<Parcel>) {
        for parcel in parcels {
            let _ = self.asks.send(Ask::Step(parcel));
        }
    }

    /// Proposes changes of members that hold together.
    pub async fn change(&self, shard: u64, changes: Vec<Change>) -> Result<(), LogError> {
        self.ask(|answer| Ask::Change { shard, changes, answer }).await
    }

    /// Hands the lead of a shard to another of its voters.
    pub fn lead(&self, shard: u64, replica: u64) {
        let _ = self.asks.send(Ask::Lead { shard, replica });
    }

    /// Runs a replica.
    pub async fn run(&self, shard: u64, replica: u64, how: Run) -> Result<(), LogError> {
        self.ask(|answer| Ask::Run { shard, replica, how, answer }).await
    }

    /// Ends a replica for good.
    pub async fn end(&self, shard: u64, replica: u64) -> Result<(), LogError> {
        self.ask(|answer| Ask::End { shard, replica, answer }).await
    }

    /// What each replica of the store tells.
    pub async fn told(&self) -> Result<Vec<Told>, LogError> {
        self.ask(|answer| Ask::Told { answer }).await
    }
}
