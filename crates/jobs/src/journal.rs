//! One job's journal in the hand of the worker that holds its lease.

use crate::{Event, JournalEntry, Lease, NewEntry, Store, StoreError};
use runtime::Clock;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use types::JobId;

/// The name under which the journal holds what is about the job itself and none of its units.
pub const JOB: &str = "(job)";

/// Reads what happened and appends what happens, fenced by the lease. Clones share one journal; units may append at once.
#[derive(Clone)]
pub struct Journal(Arc<Inner>);

struct Inner {
    store: Arc<dyn Store>,
    job: JobId,
    lease: Lease,
    clock: Clock,
    /// Held across each append, so that memory and store agree on the order.
    writing: tokio::sync::Mutex<()>,
    pages: Mutex<Pages>,
}

#[derive(Default)]
struct Pages {
    units: HashMap<String, Vec<JournalEntry>>,
    /// An append was begun and its future dropped: what is stored is unknown until read again.
    torn: bool,
}

impl Journal {
    /// Reads the job's journal; `lease` must be the lease on this job.
    pub async fn load(store: Arc<dyn Store>, job: JobId, lease: Lease, clock: Clock) -> Result<Journal, StoreError> {
        let pages = Mutex::new(Pages { torn: true, ..Pages::default() });
        let journal =
            Journal(Arc::new(Inner { store, job, lease, clock, writing: tokio::sync::Mutex::new(()), pages }));
        journal.mend().await?;
        Ok(journal)
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.0.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads the stored journal again if an append was interrupted in this process.
    pub(crate) async fn mend(&self) -> Result<(), StoreError> {
        let _writing = self.0.writing.lock().await;
        if !self.pages().torn {
            return Ok(());
        }
        let mut units: HashMap<String, Vec<JournalEntry>> = HashMap::new();
        for entry in self.0.store.journal(&self.0.job).await? {
            units.entry(entry.unit.clone()).or_default().push(entry);
        }
        *self.pages() = Pages { units, torn: false };
        Ok(())
    }

    /// Appends durably, or fails with [`StoreError::Fenced`] once the lease is lost.
    pub async fn append(&self, unit: &str, step: &str, event: Event) -> Result<(), StoreError> {
        let at = self.0.clock.now();
        let entry = NewEntry { unit: unit.to_owned(), step: step.to_owned(), event, at };
        let _writing = self.0.writing.lock().await;
        self.pages().torn = true;
        let stored = self.0.store.append(&self.0.job, entry, &self.0.lease).await?;
        let mut pages = self.pages();
        pages.units.entry(stored.unit.clone()).or_default().push(stored);
        pages.torn = false;
        Ok(())
    }

    /// Everything about one unit, in order.
    pub fn entries(&self, unit: &str) -> Vec<JournalEntry> {
        self.pages().units.get(unit).cloned().unwrap_or_default()
    }

    /// Shows everything about the job and all its units without copying it; what is about one unit comes in order.
    pub fn visit(&self, see: &mut dyn FnMut(&JournalEntry)) {
        self.pages().units.values().flatten().for_each(see);
    }

    /// Everything about the job and all its units, in order.
    pub(crate) fn all(&self) -> Vec<JournalEntry> {
        let mut all: Vec<JournalEntry> = self.pages().units.values().flatten().cloned().collect();
        all.sort_by_key(|entry| entry.sequence);
        all
    }

    /// Units that appear in the journal, in no order; [`JOB`] is none.
    pub fn units(&self) -> Vec<String> {
        self.pages().units.keys().filter(|unit| *unit != JOB).cloned().collect()
    }

    /// Which job.
    pub fn job(&self) -> &JobId {
        &self.0.job
    }

    /// Under which lease.
    pub fn lease(&self) -> &Lease {
        &self.0.lease
    }

    /// Where its moments come from.
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }
}
