//! One node's share of a job: its tables in order, batch by batch, letting it catch up between.

use super::{
    board::TableSink,
    crew::{Crew, is_of_a_node},
    fleet::{self, Fleet},
};
use crate::{
    ReclaimError,
    rebuild::{self, NodeShare, Report, Work},
};
use api::{NodePlan, TablePlan, TableState};
use jobs::{UnitOutcome, run_unit};
use mysql::{Capabilities, Session};
use serde_json::{Map, Value};
use std::sync::Arc;
use types::Failure;

/// One node, held.
pub(crate) struct Lane<'a> {
    pub crew: &'a Crew,
    pub fleet: &'a Fleet,
    pub node: &'a NodePlan,
    pub share: Arc<NodeShare>,
    /// Place of its first table in the plan's work.
    pub first: usize,
    /// Discovery found that it may take writes.
    pub is_writer: bool,
    /// Others work at the same time, so a fresh replica must be kept.
    pub spare: bool,
}

/// How a node's share ended.
pub(crate) enum LaneEnd {
    /// Every table was handled; the first failure, if any failed.
    Worked(Option<Failure>),
    /// The rest of the node was left alone.
    GivenUp(Failure),
    /// Not at its end.
    Parked,
}

/// What to do after one table.
enum After {
    Next,
    Failed(Failure),
    LeaveNode(Failure),
    Stop,
    Park,
}

impl Lane<'_> {
    /// Works the node off.
    pub async fn run(self) -> LaneEnd {
        let end = self.tables().await;
        self.fleet.busy.lock().await.remove(&self.share.endpoint.address);
        self.report_orphans().await;
        end
    }

    async fn tables(&self) -> LaneEnd {
        let tables: Vec<(usize, bool, &TablePlan)> = self.in_order();
        let mut failure = None;
        for (place, (index, opens_batch, table)) in tables.iter().enumerate() {
            let after = match self.between(*opens_batch, table).await {
                Ok(()) => self.table(*index, table).await,
                Err(after) => after,
            };
            match after {
                After::Next => {}
                After::Failed(why) => failure = failure.or(Some(why)),
                After::Park => return LaneEnd::Parked,
                After::Stop => {
                    self.leave(&tables[place..], TableState::Cancelled, "the job was cancelled").await;
                    return LaneEnd::Worked(failure);
                }
                // What was armed before a crash must not be passed over: its settings are still lowered.
                After::LeaveNode(_) if tables[place..].iter().any(|(_, _, table)| self.crew.is_open(table)) => {
                    return LaneEnd::Parked;
                }
                After::LeaveNode(why) => {
                    self.leave(&tables[place..], TableState::Skipped, why.detail("error")).await;
                    return LaneEnd::GivenUp(why);
                }
            }
        }
        LaneEnd::Worked(failure)
    }

    /// Place in the plan's work, whether a batch begins, and the table.
    fn in_order(&self) -> Vec<(usize, bool, &TablePlan)> {
        let of_batch = self
            .node
            .batches
            .iter()
            .flat_map(|batch| batch.tables.iter().enumerate().map(|(place, table)| (place == 0, table)));
        of_batch.enumerate().map(|(index, (opens, table))| (self.first + index, opens, table)).collect()
    }

    /// Marks tables that were not begun; one that was keeps its own end.
    async fn leave(&self, tables: &[(usize, bool, &TablePlan)], state: TableState, reason: &str) {
        for (index, _, _) in tables {
            if !self.crew.board.is_ended(*index).await {
                self.crew.board.ended(*index, state, reason).await;
            }
        }
    }

    /// Before each table: stop or park if asked to; before each batch let the node catch up.
    async fn between(&self, opens_batch: bool, table: &TablePlan) -> Result<(), After> {
        let job = &self.crew.job;
        let begun = self.crew.clock.instant();
        loop {
            // What an earlier run began goes on, or is taken back, at once: its applier may be stopped, so there is
            // nothing to wait for.
            if self.begun_before(table) && !job.park.is_cancelled() {
                return Ok(());
            }
            if job.cancel.is_cancelled() {
                return Err(After::Stop);
            }
            if job.park.is_cancelled() {
                return Err(After::Park);
            }
            if !opens_batch {
                return Ok(());
            }
            let Some(reason) = self.not_ready().await else { return Ok(()) };
            let limit = self.crew.plan.config.timeout.0;
            if self.crew.clock.since(begun) >= limit {
                let node = self.share.endpoint.address.clone();
                return Err(After::LeaveNode(ReclaimError::NotCaughtUp { node, reason, limit }.into()));
            }
            self.crew.board.waiting(&format!("waiting: {reason}")).await;
            tokio::select! {
                () = job.cancel.cancelled() => {}
                () = job.park.cancelled() => {}
                () = self.crew.clock.sleep(self.crew.options.beat) => {}
            }
        }
    }

    fn begun_before(&self, table: &TablePlan) -> bool {
        !self.crew.job.journal.entries(&rebuild::key(table)).is_empty()
    }

    /// Why the next batch has to wait. Marks the node as under work if it has not.
    async fn not_ready(&self) -> Option<String> {
        let max_lag = self.crew.plan.config.max_lag;
        if self.share.is_replica && self.crew.plan.config.exclude_primary {
            match fleet::lag_of(&self.share.endpoint).await {
                Some(lag) if lag <= max_lag => {}
                Some(lag) => return Some(format!("lag {lag:.1} s > {max_lag} s")),
                None => return Some("replication is stopped or its lag is unknown".to_owned()),
            }
        }
        let address = &self.share.endpoint.address;
        self.fleet.busy.lock().await.insert(address.clone());
        if self.spare && !self.fleet.keeps_one_fresh(max_lag).await {
            self.fleet.busy.lock().await.remove(address);
            return Some("no other replica is fresh".to_owned());
        }
        None
    }

    async fn table(&self, index: usize, table: &TablePlan) -> After {
        self.crew.board.begin(index).await;
        let work = Arc::new(self.work(index, table));
        let outcome = run_unit(&self.crew.job.journal, &rebuild::unit(&work), &self.crew.job.cancel).await;
        match outcome {
            Err(error) => {
                tracing::warn!(%error, "the journal cannot be written");
                After::Park
            }
            Ok(UnitOutcome::Done(outputs)) => self.done(index, outputs).await,
            Ok(UnitOutcome::Cancelled) => {
                self.crew.board.ended(index, TableState::Cancelled, "the job was cancelled; the table is whole").await;
                After::Next
            }
            Ok(UnitOutcome::Stuck(failure)) => {
                self.crew.board.note(format!("{}: {}", self.node.node, failure.detail("error"))).await;
                After::Park
            }
            Ok(UnitOutcome::Failed(failure)) => {
                self.crew.board.ended(index, TableState::Failed, failure.detail("error")).await;
                if is_of_a_node(&failure) || !self.answers().await {
                    After::LeaveNode(failure)
                } else {
                    After::Failed(failure)
                }
            }
        }
    }

    async fn done(&self, index: usize, outputs: Map<String, Value>) -> After {
        let report = outputs.get("verify").cloned().map(serde_json::from_value::<Report>);
        let Some(Ok(report)) = report else {
            let error = ReclaimError::BadDocument("a unit ended without a report".to_owned());
            self.crew.board.ended(index, TableState::Failed, &error.to_string()).await;
            return After::Failed(error.into());
        };
        self.crew.board.done(index, &report).await;
        After::Next
    }

    fn work(&self, index: usize, table: &TablePlan) -> Work {
        let config = &self.crew.plan.config;
        let logged = config.mode == api::WorkMode::BinlogOn;
        Work {
            job: self.crew.job.record.id.clone(),
            node: self.share.clone(),
            below: if logged { self.fleet.below(&self.share.endpoint.address) } else { Vec::new() },
            table: table.clone(),
            mode: config.mode,
            // Even where writers may be worked on, a replica must stay one while it is.
            exclude_primary: config.exclude_primary || !(logged || self.is_writer),
            max_lag: config.max_lag,
            timeout: config.timeout.0,
            longest: self.crew.options.longest.unwrap_or(Duration::MAX),
            begun: self.crew.clock.instant(),
            long_transaction_seconds: self.crew.options.long_transaction_seconds,
            window: self.crew.options.window,
            beat: self.crew.options.beat,
            clock: self.crew.clock,
            sink: Arc::new(TableSink { board: self.crew.board.clone(), index }),
        }
    }

    async fn answers(&self) -> bool {
        let Ok(session) = Session::connect(&self.share.endpoint).await else { return false };
        session.close().await;
        true
    }

    /// Temporary tablespaces left on the node once nothing rebuilds there.
    async fn report_orphans(&self) {
        let Ok(mut session) = Session::connect(&self.share.endpoint).await else { return };
        let Ok(capabilities) = Capabilities::probe(&mut session).await else { return };
        if !rebuild::running_any(&mut session).await.unwrap_or(true) {
            for (name, bytes) in rebuild::orphans(&mut session, &capabilities).await.unwrap_or_default() {
                let text = format!("{}: orphan of a broken rebuild: {name}, {bytes} bytes", self.node.node);
                self.crew.board.note(text).await;
            }
        }
        session.close().await;
    }
}
