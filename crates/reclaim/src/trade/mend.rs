//! Mending: what an earlier run of a job left lowered on a node is put back before anything else, each node on its own.
//!
//! It needs nobody but the node itself: neither discovery nor another server's lock, so that one dead host keeps only itself
//! waiting. Nothing is begun here: a statement that still runs is watched to its end, and a unit whose table still lies in
//! its old file waits, with nothing lowered, for its lane.

use super::{board::TableSink, crew::Crew, fleet, lane::LaneEnd};
use crate::{
    ReclaimError,
    rebuild::{self, NodeShare, Work},
};
use api::{NodePlan, TablePlan, TableState, WorkMode};
use futures::future::join_all;
use jobs::{UnitOutcome, run_unit};
use mysql::Endpoint;
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use types::Failure;

/// Longest pause between two tries on a node.
const PAUSE_LIMIT: Duration = Duration::from_secs(8);

/// One more of something for as long as it lives.
pub(crate) struct Counted(Arc<AtomicUsize>);

impl Counted {
    /// Counts.
    pub fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(count.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Places in the plan's work and tables of a node.
pub(crate) fn tables(node: &NodePlan, first: usize) -> impl Iterator<Item = (usize, &TablePlan)> {
    let tables = node.batches.iter().flat_map(|batch| &batch.tables);
    tables.enumerate().map(move |(place, table)| (first + place, table))
}

impl Crew {
    /// One try on every node an earlier run left something on, side by side.
    pub async fn repair(&self) {
        let open = self.nodes().into_iter().filter(|(node, first)| self.has_open(node, *first));
        join_all(open.map(|(node, first)| async move {
            if let Err(error) = self.mend(node, first).await {
                self.pending(node, Some(&error)).await;
            }
        }))
        .await;
    }

    /// One try: takes the node's lock and puts back what its open units lowered. Once the job is to stop they are also
    /// brought to their end.
    pub async fn mend(&self, node: &NodePlan, first: usize) -> Result<(), ReclaimError> {
        let endpoint = self.endpoint(node)?;
        self.locks.take(&endpoint).await?;
        let hold = self.locks.hold(&endpoint.address, []).await;
        let share = Arc::new(NodeShare { endpoint, hold, sample: None, is_replica: false, heartbeat: None });
        for (index, table) in tables(node, first).filter(|(_, table)| self.is_open(table)) {
            let is_writer = !["replica", "intermediate", "group-secondary"].contains(&node.role.as_str());
            let work = Work {
                patience: Duration::ZERO,
                pauses: !self.job.cancel.is_cancelled(),
                ..self.piece(&share, index, table, is_writer)
            };
            let unit = rebuild::unit(&Arc::new(work));
            let outcome = run_unit(&self.job.journal, &unit, &self.job.cancel).await.map_err(Failure::from)?;
            if let UnitOutcome::Stuck(failure) = outcome {
                return Err(failure.into());
            }
            tracing::info!(job = %self.job.record.id, unit = unit.key, "mended");
        }
        Ok(())
    }

    /// Tries until it is done. Gives up for now once the limit has run out, unless others are still at work: as long
    /// as the job runs anyway, so does this.
    pub async fn mended(&self, node: &NodePlan, first: usize) -> Result<(), LaneEnd> {
        let (begun, mut pause) = (self.clock.instant(), self.options.beat);
        let _patient = Counted::new(&self.patient);
        loop {
            let Err(error) = self.mend(node, first).await else {
                self.pending(node, None).await;
                return Ok(());
            };
            self.pending(node, Some(&error)).await;
            if self.job.park.is_cancelled() {
                return Err(LaneEnd::Parked);
            }
            let idle = self.patient.load(Ordering::SeqCst) >= self.lanes.load(Ordering::SeqCst);
            if idle && self.clock.since(begun) >= self.options.away_limit {
                return Err(self.give_up(node, first, error).await);
            }
            tokio::select! {
                () = self.job.park.cancelled() => {}
                () = self.clock.sleep(pause) => {}
            }
            pause = (pause * 2).min(PAUSE_LIMIT);
        }
    }

    /// The end of a job that is to stop: it needs no fleet, only the nodes on which something is still lowered.
    pub async fn wind_up(&self) -> Vec<LaneEnd> {
        let open = self.nodes().into_iter().filter(|(node, first)| self.has_open(node, *first));
        let ends = join_all(open.map(|(node, first)| self.mended(node, first))).await;
        self.replay().await;
        for (node, first) in self.nodes() {
            for (index, _) in tables(node, first).filter(|(_, table)| !self.is_open(table)) {
                if !self.board.is_ended(index).await {
                    self.board.ended(index, TableState::Cancelled, "the job was cancelled").await;
                }
            }
        }
        ends.into_iter().filter_map(Result::err).collect()
    }

    /// What becomes of a node that cannot be had: it keeps the job open if something is lowered there.
    async fn give_up(&self, node: &NodePlan, first: usize, error: ReclaimError) -> LaneEnd {
        if self.has_open(node, first) {
            return LaneEnd::Stuck { node: node.node.clone(), failure: error.into() };
        }
        for (index, _) in tables(node, first) {
            if !self.board.is_ended(index).await {
                self.board.ended(index, TableState::Skipped, &error.to_string()).await;
            }
        }
        LaneEnd::GivenUp(error.into())
    }

    /// Tells what a node is waited for, or that it no longer is.
    pub async fn pending(&self, node: &NodePlan, error: Option<&ReclaimError>) {
        self.board.pending(&node.node, error.map(ToString::to_string)).await;
    }

    /// How a node is reached.
    pub fn endpoint(&self, node: &NodePlan) -> Result<Endpoint, ReclaimError> {
        let address = fleet::address(&node.node).ok_or_else(|| ReclaimError::BadDocument(node.node.clone()))?;
        Ok(self.target.at(address))
    }

    /// One table's piece of work.
    pub fn piece(&self, share: &Arc<NodeShare>, index: usize, table: &TablePlan, is_writer: bool) -> Work {
        let config = &self.plan.config;
        let logged = config.mode == WorkMode::BinlogOn;
        Work {
            job: self.job.record.id.clone(),
            node: share.clone(),
            below: Vec::new(),
            table: table.clone(),
            mode: config.mode,
            // Even where writers may be worked on, a replica must stay one while it is.
            exclude_primary: config.exclude_primary || !(logged || is_writer),
            max_lag: config.max_lag,
            timeout: config.timeout.0,
            longest: self.options.longest.unwrap_or(Duration::MAX),
            patience: self.options.away_limit,
            pauses: false,
            begun: self.clock.instant(),
            long_transaction_seconds: self.options.long_transaction_seconds,
            window: self.options.window,
            account: self.account.clone(),
            beat: self.options.beat,
            clock: self.clock,
            sink: Arc::new(TableSink { board: self.board.clone(), index }),
        }
    }
}
