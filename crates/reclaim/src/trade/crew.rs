//! A job from its beginning to its end: look at the fleet, hold it, work node by node, give it back.

use super::{
    TradeOptions,
    board::Board,
    fleet::{self, Fleet},
    lane::{Lane, LaneEnd},
};
use crate::{
    ReclaimError,
    gates::lease::ServerLease,
    rebuild::{self, NodeShare},
};
use api::{NodePlan, RecycleDocument, TablePlan, TableState};
use futures::{FutureExt, StreamExt, future::BoxFuture, stream};
use jobs::{JobOutcome, RunningJob};
use mysql::{Endpoint, Session};
use runtime::Clock;
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::sync::Mutex;
use types::{Address, Code, Failure};

/// How long a job waits for the fleet to answer before it gives up for now.
const LOOK_LIMIT: Duration = Duration::from_mins(1);

/// Everything one run of a job needs.
pub(crate) struct Crew {
    pub job: RunningJob,
    pub plan: api::Plan,
    pub target: Endpoint,
    pub options: TradeOptions,
    pub clock: Clock,
    pub board: Arc<Board>,
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
        Self { job, plan, target, options, clock, board }
    }

    /// Runs to an end, or to a halt from which it can be resumed.
    pub async fn run(self) -> JobOutcome {
        if self.plan.work().next().is_none() {
            return JobOutcome::Completed(self.board.body().await);
        }
        let fleet = match self.look().await {
            Ok(fleet) => fleet,
            Err(error) => return self.not_begun(error).await,
        };
        let mut leases = match self.hold(&fleet).await {
            Ok(leases) => leases,
            Err(error) => return self.not_begun(error).await,
        };
        let ends = self.work(&fleet, &mut leases).await;
        fleet::release(leases).await;
        self.outcome(ends).await
    }

    /// Discovers anew: roles may have changed since the plan was made.
    async fn look(&self) -> Result<Fleet, ReclaimError> {
        let begun = self.clock.instant();
        loop {
            let failure = match topology::discover(&self.target, &self.options.discover, &self.clock).await {
                Ok(topology) => return Ok(Fleet { target: self.target.clone(), topology, busy: Mutex::default() }),
                Err(failure) => failure,
            };
            // A job that has begun may find its target in the middle of a restart.
            if !self.has_begun() || self.clock.since(begun) >= LOOK_LIMIT || self.job.park.is_cancelled() {
                return Err(ReclaimError::Other(failure));
            }
            self.clock.sleep(self.options.beat).await;
        }
    }

    async fn hold(&self, fleet: &Fleet) -> Result<BTreeMap<Address, ServerLease>, ReclaimError> {
        let begun = self.clock.instant();
        loop {
            match fleet.hold(&self.plan).await {
                // After a crash the server may not have noticed yet that our own former session is gone.
                Err(error) if self.has_begun() && self.clock.since(begun) < LOOK_LIMIT => {
                    tracing::info!(%error, "waiting for the fleet");
                    if self.job.park.is_cancelled() {
                        return Err(error);
                    }
                    self.clock.sleep(self.options.beat).await;
                }
                other => return other,
            }
        }
    }

    fn has_begun(&self) -> bool {
        !self.job.journal.units().is_empty()
    }

    /// True if an earlier run began this table and it has neither been rebuilt nor been taken back.
    pub fn is_open(&self, table: &TablePlan) -> bool {
        jobs::is_open(&self.job.journal, &rebuild::key(table), rebuild::LAST)
    }

    /// A job that never touched a server fails; one that did stays, because something may still have to be put back.
    async fn not_begun(&self, error: ReclaimError) -> JobOutcome {
        if self.has_begun() {
            self.board.note(format!("waiting to go on: {error}")).await;
            return JobOutcome::Parked;
        }
        JobOutcome::Failed { body: self.board.body().await, failure: error.into() }
    }

    /// Replicas first, at most so many at once that one stays out of work; then writers, one by one.
    async fn work(&self, fleet: &Fleet, held: &mut BTreeMap<Address, ServerLease>) -> Vec<LaneEnd> {
        let mut lanes = Vec::new();
        let mut first = 0;
        for node in &self.plan.nodes {
            let count: usize = node.batches.iter().map(|batch| batch.tables.len()).sum();
            if count > 0 {
                lanes.push((node, first));
            }
            first += count;
        }
        let is_writer = |node: &NodePlan| fleet.topology.nodes.iter().any(|n| n.id == node.id && n.writer);
        let (writers, replicas): (Vec<_>, Vec<_>) = lanes.into_iter().partition(|(node, _)| is_writer(node));
        let most = fleet.replicas().count().saturating_sub(1).max(1);
        let at_once = (self.plan.config.parallel.max(1) as usize).min(most);
        let mut ends = Vec::new();
        for (group, at_once) in [(replicas, at_once), (writers, 1)] {
            let mut ready = Vec::new();
            for (node, first) in group {
                match self.share(fleet, node, held).await {
                    Ok(grip) => {
                        let (is_writer, spare) = (is_writer(node), at_once > 1);
                        ready.push(Lane { crew: self, fleet, node, share: grip, first, is_writer, spare });
                    }
                    Err(error) => ends.push(self.give_up(node, first, error).await),
                }
            }
            let running: Vec<BoxFuture<'_, LaneEnd>> =
                ready.into_iter().map(|lane: Lane<'_>| lane.run().boxed()).collect();
            ends.extend(stream::iter(running).buffer_unordered(at_once).collect::<Vec<_>>().await);
        }
        ends
    }

    async fn share(
        &self,
        fleet: &Fleet,
        node: &NodePlan,
        held: &mut BTreeMap<Address, ServerLease>,
    ) -> Result<Arc<NodeShare>, ReclaimError> {
        let address = fleet::address(&node.node).ok_or_else(|| ReclaimError::BadDocument(node.node.clone()))?;
        let lease = held
            .remove(&address)
            .ok_or_else(|| ReclaimError::LeaseLost { node: address.clone(), reason: "it was not taken".to_owned() })?;
        let endpoint = self.target.at(address.clone());
        let sample = sample(&endpoint).await;
        let is_replica = fleet.is_replica(&address);
        Ok(Arc::new(NodeShare { endpoint, lease: Mutex::new(lease), sample, is_replica }))
    }

    async fn give_up(&self, node: &NodePlan, first: usize, error: ReclaimError) -> LaneEnd {
        let count: usize = node.batches.iter().map(|batch| batch.tables.len()).sum();
        if node.batches.iter().flat_map(|batch| &batch.tables).any(|table| self.is_open(table)) {
            self.board.note(format!("waiting to go on: {error}")).await;
            return LaneEnd::Parked;
        }
        for index in first..first + count {
            self.board.ended(index, TableState::Skipped, &error.to_string()).await;
        }
        LaneEnd::GivenUp(error.into())
    }

    async fn outcome(&self, ends: Vec<LaneEnd>) -> JobOutcome {
        let mut given_up = None;
        for end in ends {
            match end {
                LaneEnd::Parked => return JobOutcome::Parked,
                LaneEnd::GivenUp(failure) => given_up = given_up.or(Some(failure)),
                LaneEnd::Worked(failure) => given_up = given_up.or(failure),
            }
        }
        let document = self.board.document().await;
        let body = self.board.body().await;
        if self.job.cancel.is_cancelled() {
            return JobOutcome::Cancelled(body);
        }
        let results = &document.job.statistics.tables_processed;
        let none_done = !results.iter().any(|result| result.state == TableState::Done);
        match given_up {
            Some(failure) if none_done || is_of_a_node(&failure) => JobOutcome::Failed { body, failure },
            _ => JobOutcome::Completed(body),
        }
    }
}

/// True for a failure that is about the node and not about one table.
pub(crate) fn is_of_a_node(failure: &Failure) -> bool {
    let of_a_table = failure.details.contains_key("mysql_error");
    !of_a_table && matches!(failure.code, Code::PrimaryCheckFailed | Code::Forbidden | Code::Busy | Code::ConnectFailed)
}

async fn sample(endpoint: &Endpoint) -> Option<topology::OwnSample> {
    let mut session = Session::connect(endpoint).await.ok()?;
    let sample = topology::sample_own_writes(&mut session).await.ok();
    session.close().await;
    sample
}
