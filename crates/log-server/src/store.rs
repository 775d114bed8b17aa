//! One store: the replicas of many shards in one folder, driven by one thread.
//!
//! No clock, no network, no thread of its own: whoever drives it hands it what was asked, ticks it, and lets it take turns. All that was
//! asked between two turns is written, synced and sent together.
//!
//! ```text
//!   ask, ask, ask, tick ─▶ turn: ┌ rows of commands ─▶ waves ─▶ what may go at once ─▶ one sync a log ─▶ land ─▶ answers ┐ ─▶ parcels
//!                                └──────────────────────────── of each shard that has something to do ───────────────────┘
//! ```

mod ask;
mod book;
mod slot;
mod waiting;

pub use ask::{Answer, Ask, Parcel, Run, Tip};
pub use book::Book;

use crate::{
    Disk, Owner, ReplicaLog, SegmentOptions, StorageError,
    consensus::{Group, Members, Rhythm, bootstrap},
};
use log::{LogError, Positions};
use runtime::Random;
use slot::Slot;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};
use waiting::Waiting;

/// How a store works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StoreOptions {
    /// Of its shards' elections.
    pub rhythm: Rhythm,
    /// Of its files.
    pub segments: SegmentOptions,
}

/// A store.
pub struct Store {
    disk: Arc<dyn Disk>,
    folder: PathBuf,
    book: Book,
    options: StoreOptions,
    random: Random,
    slots: BTreeMap<u64, Slot>,
    waiting: Waiting,
}

/// What a replica tells of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The log.
    pub shard: u64,
    /// The copy.
    pub replica: u64,
    /// Where it stands.
    pub tip: Tip,
    /// The place of the last change of members it applied.
    pub membership: u64,
    /// Who takes part.
    pub members: Members,
}

impl Store {
    /// Opens the store in a folder, or makes it, and runs the replicas its book names.
    pub fn open(
        disk: Arc<dyn Disk>,
        folder: &Path,
        owner: (u128, &str),
        options: StoreOptions,
        random: Random,
    ) -> Result<Store, StorageError> {
        let book = Book::open(&*disk, folder, owner, &random)?;
        let (slots, waiting) = (BTreeMap::new(), Waiting::default());
        let mut store = Store { disk, folder: folder.to_owned(), book, options, random, slots, waiting };
        for (shard, replica) in store.book.running() {
            store.run(shard, replica, &Run::Again)?;
        }
        Ok(store)
    }

    /// What was written down of it.
    pub fn book(&self) -> &Book {
        &self.book
    }

    fn run(&mut self, shard: u64, replica: u64, how: &Run) -> Result<(), StorageError> {
        let owner = Owner { cluster: self.book.cluster, shard, replica };
        let folder = self.folder.join(format!("shard-{shard}-{replica}"));
        if *how == Run::Again && !ReplicaLog::is_there(&*self.disk, &folder)? {
            let what = "the replica's files are gone, and what it promised with them".to_owned();
            return Err(StorageError::Damaged { path: folder, place: 0, what });
        }
        let mut log = ReplicaLog::open(Arc::clone(&self.disk), &folder, owner, self.options.segments)?;
        if let Run::First(voters) = how
            && log.last_index() == 0
        {
            bootstrap(&mut log, voters)?;
        }
        // The book names it only once its begin is on disk.
        self.book.begin(&*self.disk, &self.folder, shard, replica)?;
        let group = Group::new(replica, log, self.options.rhythm, self.random.clone())?;
        self.slots.insert(shard, Slot::new(shard, replica, group));
        Ok(())
    }

    /// Takes up what somebody asked. What cannot be done is answered; what breaks the store is an error.
    pub fn take(&mut self, ask: Ask) -> Result<(), StorageError> {
        match ask {
            Ask::Commands { shard, commands, answer } => self.commands(shard, commands, answer),
            Ask::Positions { shard, answer } => self.positions(shard, answer),
            Ask::Look { shard, from, most, answer } => {
                let view = self.slot(shard).and_then(|slot| slot.group.look(from, most));
                let _ = answer.send(view);
            }
            Ask::Watch { shard, answer } => {
                let _ = answer.send(self.slot(shard).map(|slot| slot.watch()));
            }
            Ask::Step(Parcel { shard, store, message }) => {
                if let Some(slot) = self.slots.get_mut(&shard).filter(|slot| slot.replica == message.to) {
                    slot.step(store, message);
                }
            }
            Ask::Unreachable(store) => self.slots.values_mut().for_each(|slot| slot.unreachable(&store)),
            Ask::Change { shard, membership, changes, answer } => {
                let done = self.slot(shard).and_then(|slot| slot.change(membership, &changes));
                let _ = answer.send(done);
            }
            Ask::HandOver { shard } => {
                if let Ok(slot) = self.slot(shard) {
                    slot.hand_over();
                }
            }
            Ask::Run { shard, replica, how, answer } => return self.start(shard, replica, &how, answer),
            Ask::End { shard, replica, answer } => return self.end(shard, replica, answer),
            // It is for whoever drives the store.
            Ask::Leave => {}
            Ask::Told { answer } => {
                let _ = answer.send(Ok(self.told()));
            }
        }
        Ok(())
    }

    fn slot(&mut self, shard: u64) -> Result<&mut Slot, LogError> {
        let name = &self.book.store;
        let none = || LogError::Unavailable(format!("store {name} holds no replica of shard {shard}"));
        self.slots.get_mut(&shard).ok_or_else(none)
    }

    fn commands(
        &mut self,
        shard: u64,
        commands: Vec<crate::consensus::Command>,
        answer: Answer<crate::consensus::Outcome>,
    ) {
        match self.slots.get_mut(&shard) {
            Some(slot) => slot.queue(self.waiting.outcome(shard, answer), commands),
            None => {
                let _ = answer.send(Err(LogError::Unavailable(format!(
                    "store {} holds no replica of shard {shard}",
                    self.book.store
                ))));
            }
        }
    }

    fn positions(&mut self, shard: u64, answer: Answer<Positions>) {
        if let Err(error) = self.slot(shard) {
            let _ = answer.send(Err(error));
            return;
        }
        let ticket = self.waiting.positions(shard, answer);
        self.confirm(shard, ticket);
    }

    fn confirm(&mut self, shard: u64, ticket: u64) {
        let asked = self.slot(shard).and_then(|slot| slot.confirm(ticket));
        if let Err(error) = asked {
            self.waiting.fail(ticket, error);
        }
    }

    fn start(&mut self, shard: u64, replica: u64, how: &Run, answer: Answer<()>) -> Result<(), StorageError> {
        let held = self.slots.get(&shard).map(|slot| slot.replica);
        let done = if held == Some(replica) {
            Ok(())
        } else if let Some(other) = held {
            Err(LogError::Invalid(format!("shard {shard} has replica {other} on this store; end it first")))
        } else if self.book.is_gone(shard, replica) {
            Err(LogError::Invalid(format!(
                "replica {replica} of shard {shard} was ended here: its id is never used again"
            )))
        } else {
            self.run(shard, replica, how)?;
            Ok(())
        };
        let _ = answer.send(done);
        Ok(())
    }

    /// Ends a replica for good: its id is written off before its files go.
    fn end(&mut self, shard: u64, replica: u64, answer: Answer<()>) -> Result<(), StorageError> {
        if self.slots.get(&shard).is_some_and(|slot| slot.replica == replica) {
            self.slots.remove(&shard);
            self.waiting.end(shard);
            self.book.end(&*self.disk, &self.folder, shard, replica)?;
            ReplicaLog::remove_files(&*self.disk, &self.folder.join(format!("shard-{shard}-{replica}")))?;
        }
        let _ = answer.send(Ok(()));
        Ok(())
    }

    /// What each replica tells.
    pub fn told(&self) -> Vec<Told> {
        self.slots.values().map(Slot::told).collect()
    }

    /// A tick of the clock went by.
    pub fn tick(&mut self) {
        for slot in self.slots.values_mut() {
            slot.tick();
        }
        for (shard, ticket) in self.waiting.tick(self.options.rhythm.election) {
            self.confirm(shard, ticket);
        }
    }

    /// Does what is to be done; `post` is handed what may go out as soon as it may. True if there is more to do at once.
    ///
    /// After an error nothing may be asked of this store again: what was asked and not answered has an unknown outcome.
    pub fn turn(&mut self, post: &mut dyn FnMut(Vec<Parcel>)) -> Result<bool, StorageError> {
        let mut waves = Vec::new();
        for slot in self.slots.values_mut().filter(|slot| slot.has_work()) {
            slot.propose(&mut self.waiting);
            if let Some(mut wave) = slot.group.wave()? {
                post(slot.parcels(std::mem::take(&mut wave.now)));
                waves.push((slot, wave));
            } else {
                slot.rests();
            }
        }
        for (slot, _) in waves.iter_mut().filter(|(_, wave)| wave.must_sync()) {
            slot.group.sync()?;
        }
        let more = !waves.is_empty();
        for (slot, wave) in waves {
            let landed = slot.group.land(wave)?;
            post(slot.parcels(landed.messages));
            slot.publish();
            let positions = slot.positions();
            self.waiting.done(landed.done);
            self.waiting.confirmed(&landed.confirmed, positions);
        }
        Ok(more)
    }

    /// Nothing will be asked any more: writes down that all is on disk, so that damage is told from a torn tail when it is opened again.
    pub fn rest(&mut self) -> Result<(), StorageError> {
        self.slots.values_mut().try_for_each(|slot| slot.group.rest())
    }

    /// The store stopped: everybody who waits hears it.
    pub fn stop(&mut self, why: &str) {
        self.waiting.stop(why);
        self.slots.clear();
    }
}
