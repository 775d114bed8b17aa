//! What rebuilds have spent on each node of late, by the journals of all jobs of the store.
//!
//! An attempt is journaled before its statement is sent, by whatever process, so no crash forgets what it may have cost.
//! Own work is read from the journal in hand; of the others, ended jobs are read once and running ones again for each piece.

use crate::{
    gates::budget::{self, Budget, REACH, Spending, Spent},
    rebuild,
    trade::KIND,
};
use api::{GateVerdict, JobStatus};
use jiff::{SignedDuration, Timestamp};
use jobs::{JobFilter, JobRow, Journal, Store, StoreError};
use runtime::{Clock, Instant};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
    time::Duration,
};
use tokio::sync::Mutex;
use types::JobId;

/// Jobs read at once.
const PAGE: u32 = 500;
/// How long others' work is taken to be as it was, while one piece waits. The node's lock keeps them off the node meanwhile.
const FRESH: Duration = Duration::from_secs(10);
/// How far the clocks of processes that make jobs may be apart.
const SKEW: SignedDuration = SignedDuration::from_hours(1);

/// Reads what was spent.
pub struct Ledger {
    store: Arc<dyn Store>,
    clock: Clock,
    memo: Mutex<Memo>,
}

/// What earlier looks found.
#[derive(Default)]
struct Memo {
    /// When the last complete look began.
    looked: Option<(Instant, Timestamp)>,
    /// Jobs that had not ended then.
    open: BTreeSet<JobId>,
    /// What ended jobs spent; that never changes.
    ended: BTreeMap<JobId, Vec<Spending>>,
    /// What running jobs had spent.
    running: Vec<Spending>,
}

impl fmt::Debug for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ledger")
    }
}

impl Ledger {
    /// Over the store in which all jobs lie.
    pub fn new(store: Arc<dyn Store>, clock: Clock) -> Self {
        Self { store, clock, memo: Mutex::default() }
    }

    /// Everything spent of late, on all nodes; `own` is the job in hand, and others are looked at again if the last look was
    /// before `since`.
    pub(crate) async fn spendings(&self, own: Option<&Journal>, since: Instant) -> Result<Vec<Spending>, StoreError> {
        let mut memo = self.memo.lock().await;
        let is_new = |(looked, _): &(Instant, _)| *looked >= since && self.clock.since(*looked) < FRESH;
        if !memo.looked.as_ref().is_some_and(is_new) {
            self.look(&mut memo, own.map(Journal::job)).await?;
        }
        let mut all: Vec<Spending> = memo.ended.values().flatten().chain(&memo.running).cloned().collect();
        if let Some(journal) = own {
            all.extend(rebuild::spent(|see| journal.visit(see)).map_err(|error| unreadable(&error))?);
        }
        Ok(all)
    }

    async fn look(&self, memo: &mut Memo, own: Option<&JobId>) -> Result<(), StoreError> {
        let (began, now) = (self.clock.instant(), self.clock.now());
        // Before the pages: what ends between the two is read once more at the next look.
        let unfinished: Vec<JobRow> = self.pages(&[JobStatus::Pending, JobStatus::Running], Timestamp::MIN).await?;
        let open: BTreeSet<JobId> = unfinished.iter().map(|job| job.id.clone()).collect();
        let from = memo.looked.map_or(Timestamp::MIN, |(_, looked)| budget::before(looked, SKEW));
        let since = budget::before(now, REACH);
        let late = |job: &JobRow| job.kind == KIND && job.status.is_final() && job.updated_at >= since;
        let ended = self.pages(&[], from).await?.into_iter().filter(late).map(|job| job.id);
        let over = memo.open.difference(&open).cloned();
        let is_unread = |id: &JobId| Some(id) != own && !open.contains(id) && !memo.ended.contains_key(id);
        for id in ended.chain(over).filter(is_unread).collect::<BTreeSet<_>>() {
            let spent = self.of_job(&id).await?;
            memo.ended.insert(id, spent);
        }
        let mut running = Vec::new();
        let works = |job: &&JobRow| job.kind == KIND && job.status == JobStatus::Running && Some(&job.id) != own;
        for job in unfinished.iter().filter(works) {
            running.extend(self.of_job(&job.id).await?);
        }
        (memo.running, memo.open, memo.looked) = (running, open, Some((began, now)));
        Ok(())
    }

    /// Jobs in these states (any, if none is said), newest first, down to those made before a moment.
    async fn pages(&self, statuses: &[JobStatus], from: Timestamp) -> Result<Vec<JobRow>, StoreError> {
        let mut found: Vec<JobRow> = Vec::new();
        loop {
            let offset = u32::try_from(found.len()).unwrap_or(u32::MAX);
            let page = self.store.list(&JobFilter { statuses: statuses.to_vec(), limit: PAGE, offset }).await?.jobs;
            let last = page.len() < PAGE as usize || page.last().is_some_and(|job| job.created_at < from);
            found.extend(page);
            if last {
                return Ok(found);
            }
        }
    }

    async fn of_job(&self, id: &JobId) -> Result<Vec<Spending>, StoreError> {
        let entries = self.store.journal(id).await?;
        let since = budget::before(self.clock.now(), REACH);
        let mut spent = rebuild::spent(|see| entries.iter().for_each(see)).map_err(|error| unreadable(&error))?;
        spent.retain(|one| one.until.is_none_or(|until| until >= since));
        Ok(spent)
    }
}

fn unreadable(error: &serde_json::Error) -> StoreError {
    StoreError::Unavailable(format!("a journal cannot be read: {error}"))
}

/// A job's side of the budget.
pub(crate) struct Account {
    /// What nodes are given.
    pub budget: Budget,
    /// What was spent.
    pub ledger: Ledger,
    /// The job's own journal.
    pub journal: Journal,
}

impl Account {
    /// What the gate says of a piece of work that costs each of these nodes the same; `since` is when it was begun in this
    /// process.
    pub async fn verdict(&self, nodes: &[String], bytes: u64, seconds: f64, since: Instant) -> GateVerdict {
        let spent = self.spendings(since).await;
        self.of_each(nodes, &spent, bytes, seconds)
    }

    /// All that was spent; nothing is looked up where nothing is limited.
    pub async fn spendings(&self, since: Instant) -> Result<Vec<Spending>, String> {
        if self.budget.is_unlimited() {
            return Ok(Vec::new());
        }
        self.ledger.spendings(Some(&self.journal), since).await.map_err(|error| error.to_string())
    }

    /// The same verdict by what was read already.
    pub fn of_each(
        &self,
        nodes: &[String],
        spent: &Result<Vec<Spending>, String>,
        bytes: u64,
        seconds: f64,
    ) -> GateVerdict {
        let now = self.journal.clock().now();
        let of = |node: &String| {
            let spent = spent.as_ref().map(|all| Spent::of(all, node, &self.budget, now)).map_err(Clone::clone);
            budget::verdict(&self.budget, &spent, bytes, seconds)
        };
        nodes.iter().map(of).fold(GateVerdict::Pass, crate::gates::graver)
    }
}

#[cfg(test)]
mod tests;
