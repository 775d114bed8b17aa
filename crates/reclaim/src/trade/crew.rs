//! A job from its beginning to its end: mend what an earlier run left, look at the fleet, hold it, work node by node.

use super::{
    TradeOptions,
    board::Board,
    fleet::Fleet,
    lane::{Lane, LaneEnd},
    locks::Locks,
    mend::{Counted, tables},
};
use crate::{
    ReclaimError,
    ledger::{Account, Ledger},
    rebuild,
};
use api::{NodePlan, RecycleDocument, TablePlan, TableState};
use futures::{FutureExt, future::BoxFuture, future::join_all};
use jiff::Timestamp;
use jobs::{Event, JOB, JobOutcome, RunningJob, StoreError, UnitOutcome};
use mysql::Endpoint;
use runtime::Clock;
use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::AtomicUsize},
};
use tokio::sync::Semaphore;
use types::{Address, Code, Failure};

/// Everything one run of a job needs.
pub(crate) struct Crew {
    pub job: RunningJob,
    pub plan: api::Plan,
    pub target: Endpoint,
    pub options: TradeOptions,
    pub clock: Clock,
    pub board: Arc<Board>,
    /// What nodes may be made to spend, and have.
    pub account: Arc<Account>,
    /// Locks in the job's hand.
    pub locks: Locks,
    /// Nodes of the job that are not at their end.
    pub lanes: Arc<AtomicUsize>,
    /// Those of them that only wait for their server.
    pub patient: Arc<AtomicUsize>,
}

impl Crew {
    /// A crew for a stored document.
    pub fn new(
        job: RunningJob,
        document: RecycleDocument,
        target: Endpoint,
        options: TradeOptions,
        clock: Clock,
    ) -> Self {
        let plan = document.plan.clone();
        let board = Arc::new(Board::new(job.clone(), document, clock));
        let (lanes, patient) = Default::default();
        let (ledger, journal) = (Ledger::new(job.store(), clock), job.journal.clone());
        let account = Arc::new(Account { budget: options.budget, ledger, journal });
        Self { job, plan, target, options, clock, board, account, locks: Locks::default(), lanes, patient }
    }

    /// Runs to an end, or to a halt from which it can be resumed.
    pub async fn run(self) -> JobOutcome {
        if self.plan.work().next().is_none() {
            return JobOutcome::Completed(self.board.body().await);
        }
        let ends = self.ends().await;
        self.locks.release().await;
        match ends {
            Ok(ends) => self.outcome(ends).await,
            Err(error) => self.not_begun(error).await,
        }
    }

    /// How each node's share ends. What an earlier run left lowered comes first, and does not wait for the fleet.
    async fn ends(&self) -> Result<Vec<LaneEnd>, ReclaimError> {
        if self.has_begun() {
            self.replay().await;
            self.repair().await;
        }
        // A job that is to stop can be ended without the fleet.
        if self.winds_up() {
            return Ok(self.wind_up().await);
        }
        match self.gather().await {
            Err(_) if self.winds_up() => Ok(self.wind_up().await),
            Err(error) => Err(error),
            Ok(fleet) => Ok(self.work(&fleet).await),
        }
    }

    async fn gather(&self) -> Result<Fleet, ReclaimError> {
        let fleet = self.look().await?;
        self.hold(&fleet).await?;
        Ok(fleet)
    }

    /// True for a job that has begun and is to stop.
    fn winds_up(&self) -> bool {
        self.has_begun() && self.job.cancel.is_cancelled()
    }

    /// Fills in what earlier runs ended.
    pub async fn replay(&self) {
        for (node, first) in self.nodes() {
            for (index, table) in tables(node, first) {
                if let Some(outcome) = self.end(table) {
                    self.board.record(index, &outcome).await;
                }
            }
        }
    }

    /// Discovers anew: roles may have changed since the plan was made.
    async fn look(&self) -> Result<Fleet, ReclaimError> {
        let begun = self.clock.instant();
        loop {
            let failure = match self.discover().await {
                Ok(topology) => return Ok(Fleet::new(self.target.clone(), topology)),
                Err(failure) => failure,
            };
            // A job that has begun may find its target in the middle of a restart.
            if self.is_late(begun) {
                return Err(ReclaimError::Other(failure));
            }
            self.clock.sleep(self.options.beat).await;
        }
    }

    /// From the target; a job that has begun may also find the fleet from another node of its plan.
    async fn discover(&self) -> Result<api::ClusterTopology, Failure> {
        let failure = match topology::discover(&self.target, &self.options.discover.now(), &self.clock).await {
            Err(failure) if self.has_begun() && !self.job.cancel.is_cancelled() => failure,
            told => return told,
        };
        for (node, _) in self.nodes() {
            let Ok(endpoint) = self.endpoint(node) else { continue };
            if endpoint.address == self.target.address {
                continue;
            }
            if let Ok(topology) = topology::discover(&endpoint, &self.options.discover.now(), &self.clock).await {
                return Ok(topology);
            }
        }
        Err(failure)
    }

    /// True once the fleet is not waited for any longer.
    fn is_late(&self, begun: runtime::Instant) -> bool {
        let stops = self.job.park.is_cancelled() || self.job.cancel.is_cancelled();
        !self.has_begun() || stops || self.clock.since(begun) >= self.options.away_limit
    }

    async fn hold(&self, fleet: &Fleet) -> Result<(), ReclaimError> {
        let begun = self.clock.instant();
        loop {
            let Err(error) = self.take_all(fleet).await else { return Ok(()) };
            // After a crash the server may not have noticed yet that our own former session is gone.
            if self.is_late(begun) {
                return Err(error);
            }
            tracing::info!(%error, job = %self.job.record.id, "waiting for the fleet");
            self.locks.release().await;
            self.clock.sleep(self.options.beat).await;
        }
    }

    /// Takes the job lock of every server there is work on and of every writer of the fleet that answers, or of none.
    /// Once the job has begun a server with work that cannot be had keeps only its own lane waiting.
    async fn take_all(&self, fleet: &Fleet) -> Result<(), ReclaimError> {
        let mut wanted: BTreeMap<Address, bool> = BTreeMap::new();
        for (node, first) in self.nodes() {
            let address = self.endpoint(node)?.address;
            if self.has_work_left(node, first) && (!self.has_begun() || fleet.is_reached(&address)) {
                wanted.insert(address, !self.has_begun());
            }
        }
        wanted.extend(fleet.writers().map(|node| (node.address.clone(), true)));
        for (address, must) in wanted {
            match self.locks.take(&self.target.at(address)).await {
                Err(error) if must => return Err(error),
                Err(error) => tracing::info!(%error, job = %self.job.record.id, "its lane waits"),
                Ok(()) => {}
            }
        }
        Ok(())
    }

    fn has_begun(&self) -> bool {
        !self.job.journal.units().is_empty()
    }

    /// True if an earlier run began this table and it has neither been rebuilt nor been taken back.
    pub fn is_open(&self, table: &TablePlan) -> bool {
        jobs::is_open(&self.job.journal, &rebuild::key(table), rebuild::LAST)
    }

    /// How a table ended, if it has.
    pub fn end(&self, table: &TablePlan) -> Option<UnitOutcome> {
        jobs::end(&self.job.journal, &rebuild::key(table), rebuild::LAST)
    }

    /// True if a table of the node is open.
    pub fn has_open(&self, node: &NodePlan, first: usize) -> bool {
        tables(node, first).any(|(_, table)| self.is_open(table))
    }

    /// True if anything is still to be done on the node; on request to stop, only what is open.
    pub fn has_work_left(&self, node: &NodePlan, first: usize) -> bool {
        let stops = self.job.cancel.is_cancelled();
        self.has_open(node, first) || !stops && tables(node, first).any(|(_, table)| self.end(table).is_none())
    }

    /// A job that never touched a server fails; one that did stays, because something may still have to be put back.
    async fn not_begun(&self, error: ReclaimError) -> JobOutcome {
        if self.has_begun() {
            self.board.pending("fleet", Some(error.to_string())).await;
            return JobOutcome::Parked;
        }
        JobOutcome::Failed { body: self.board.body().await, failure: error.into() }
    }

    /// Nodes with work, and the place of each one's first table in the plan's work.
    pub fn nodes(&self) -> Vec<(&NodePlan, usize)> {
        let mut nodes = Vec::new();
        let mut first = 0;
        for node in &self.plan.nodes {
            let count: usize = node.batches.iter().map(|batch| batch.tables.len()).sum();
            if count > 0 {
                nodes.push((node, first));
            }
            first += count;
        }
        nodes
    }

    /// Replicas first, at most so many at once that one stays out of work; then writers, one by one.
    async fn work(&self, fleet: &Fleet) -> Vec<LaneEnd> {
        self.board.pending("fleet", None).await;
        let (writers, replicas): (Vec<_>, Vec<_>) =
            self.nodes().into_iter().partition(|(node, _)| fleet.is_writer(&node.id));
        let most = fleet.replicas().count().saturating_sub(1).max(1);
        let at_once = (self.plan.config.parallel.max(1) as usize).min(most);
        let mut ends = Vec::new();
        for (group, at_once, is_writer) in [(replicas, at_once, false), (writers, 1, true)] {
            let permits = Semaphore::new(at_once);
            let mut running: Vec<BoxFuture<'_, LaneEnd>> = Vec::new();
            for (node, first) in group {
                let counted = Counted::new(&self.lanes);
                let lane = Lane { crew: self, fleet, node, first, is_writer, spare: at_once > 1 };
                // In the plan's order; one that is not ready comes when it is.
                let share = lane.prepared().await;
                running.push(lane.run(share, &permits, counted).boxed());
            }
            ends.extend(join_all(running).await);
        }
        ends
    }

    async fn outcome(&self, ends: Vec<LaneEnd>) -> JobOutcome {
        let (mut given_up, mut failed, mut stuck) = (None, None, Vec::new());
        for end in ends {
            match end {
                LaneEnd::Parked => return JobOutcome::Parked,
                LaneEnd::Stuck { node, failure } => stuck.push((node, failure)),
                LaneEnd::GivenUp(failure) => given_up = given_up.or(Some(failure)),
                LaneEnd::Worked(failure) => failed = failed.or(failure),
            }
        }
        if !stuck.is_empty() && !self.lets_go().await {
            return JobOutcome::Parked;
        }
        for (node, failure) in stuck {
            self.tell_left(&node, &failure).await;
        }
        let document = self.board.document().await;
        let body = self.board.body().await;
        if self.job.cancel.is_cancelled() {
            return JobOutcome::Cancelled(body);
        }
        let results = &document.job.statistics.tables_processed;
        let none_done = !results.iter().any(|result| result.state == TableState::Done);
        match (given_up, failed) {
            (Some(failure), _) => JobOutcome::Failed { body, failure },
            (None, Some(failure)) if none_done => JobOutcome::Failed { body, failure },
            _ => JobOutcome::Completed(body),
        }
    }

    /// True if the job was asked to stop so long ago that it ends although something is still lowered.
    async fn lets_go(&self) -> bool {
        if !self.job.cancel.is_cancelled() {
            return false;
        }
        match self.stopping_since().await {
            Ok(since) => {
                let waited = self.clock.now().duration_since(since).unsigned_abs();
                waited >= self.options.cancel_limit
            }
            Err(error) => {
                tracing::warn!(%error, job = %self.job.record.id, "the journal cannot be written");
                false
            }
        }
    }

    /// When a run of this job first found itself stopped with something still lowered.
    async fn stopping_since(&self) -> Result<Timestamp, StoreError> {
        const STEP: &str = "stopping";
        if let Some(entry) = self.job.journal.entries(JOB).iter().find(|entry| entry.step == STEP) {
            return Ok(entry.at);
        }
        self.job.journal.append(JOB, STEP, Event::Noted(serde_json::Value::Null)).await?;
        Ok(self.clock.now())
    }

    /// Says what is still lowered on a node and how to put it back by hand.
    async fn tell_left(&self, name: &str, failure: &Failure) {
        self.board.pending(name, None).await;
        for (node, first) in self.nodes().into_iter().filter(|(node, _)| node.node == name) {
            for (index, table) in tables(node, first).filter(|(_, table)| self.is_open(table)) {
                let by_hand = rebuild::by_hand(&self.job.journal, table).join("; ");
                let reason = failure.detail("error");
                let text = format!("{name} was not put back, because {reason}; do it by hand: {by_hand}");
                self.board.ended(index, TableState::Cancelled, &text).await;
                self.board.note(text).await;
            }
        }
    }
}

/// True for a failure that is about the node and not about one table.
pub(crate) fn is_of_a_node(failure: &Failure) -> bool {
    let of_a_table = failure.details.contains_key("mysql_error");
    !of_a_table && matches!(failure.code, Code::PrimaryCheckFailed | Code::Forbidden | Code::Busy | Code::ConnectFailed)
}
