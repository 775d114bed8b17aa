//! One node's share of a job: its tables in order, batch by batch, letting it catch up between.

use super::{
    crew::{Crew, is_of_a_node},
    fleet::{self, Fleet},
    mend::Counted,
};
use crate::{
    ReclaimError, census,
    estimate::FileAccess,
    gates::{budget, lag, window},
    rebuild::{self, NodeShare, Work},
};
use api::{DiskCensus, GateVerdict, NodePlan, Strategy, TablePlan, TableState, WorkMode};
use jobs::{UnitOutcome, run_unit};
use mysql::{Capabilities, Endpoint, Session};
use std::sync::Arc;
use tokio::sync::Semaphore;
use types::Failure;

/// One node.
pub(crate) struct Lane<'a> {
    pub crew: &'a Crew,
    pub fleet: &'a Fleet,
    pub node: &'a NodePlan,
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
    /// Not at its end, because something is lowered on the node that cannot be put back.
    Stuck {
        /// As in the plan.
        node: String,
        /// Why.
        failure: Failure,
    },
}

/// What to do after one table.
enum After {
    Next,
    Failed(Failure),
    LeaveNode(Failure),
    Stop,
    Park,
    Stick(Failure),
}

impl Lane<'_> {
    /// The node's share if it can be had at the first try; `None` also if nothing is left to do there.
    pub async fn prepared(&self) -> Option<Arc<NodeShare>> {
        let endpoint = self.crew.endpoint(self.node).ok()?;
        if !self.crew.has_work_left(self.node, self.first) || !self.fleet.is_reached(&endpoint.address) {
            return None;
        }
        match self.crew.mend(self.node, self.first).await {
            Ok(()) => Some(self.share(endpoint).await),
            Err(error) => {
                self.crew.pending(self.node, Some(&error)).await;
                None
            }
        }
    }

    /// Works the node off. A node on which something cannot be put back is mended before it goes on, and meanwhile lets
    /// others work.
    pub async fn run(self, mut share: Option<Arc<NodeShare>>, permits: &Semaphore, _alive: Counted) -> LaneEnd {
        loop {
            if share.is_none() && self.crew.has_work_left(self.node, self.first) {
                match self.ready().await {
                    Ok(held) => share = Some(held),
                    Err(end) => return end,
                }
            }
            let end = match &share {
                Some(held) => {
                    let _permit = permits.acquire().await;
                    self.crew.pending(self.node, None).await;
                    let end = self.tables(Some(held)).await;
                    self.fleet.busy.lock().await.remove(&held.endpoint.address);
                    self.report_disk(&held.endpoint).await;
                    end
                }
                None => self.tables(None).await,
            };
            if !matches!(end, LaneEnd::Stuck { .. }) {
                return end;
            }
            share = None;
        }
    }

    /// Waits for a node that could not be had at once. One that discovery did not see is only mended: what it is now must
    /// be found out first, by the next run.
    async fn ready(&self) -> Result<Arc<NodeShare>, LaneEnd> {
        self.crew.mended(self.node, self.first).await?;
        match self.crew.endpoint(self.node) {
            Ok(endpoint) if self.fleet.is_reached(&endpoint.address) => Ok(self.share(endpoint).await),
            _ => Err(LaneEnd::Parked),
        }
    }

    async fn share(&self, endpoint: Endpoint) -> Arc<NodeShare> {
        let writers = self.fleet.writers().map(|node| &node.address);
        let hold = self.crew.locks.hold(&endpoint.address, writers).await;
        let sample = sample(&endpoint).await;
        let is_replica = self.fleet.is_replica(&endpoint.address);
        let heartbeat = self.fleet.heartbeat_of(self.crew.options.heartbeat.as_ref(), &endpoint.address);
        Arc::new(NodeShare { endpoint, hold, sample, is_replica, heartbeat })
    }

    /// Table by table. Once the node is to be left alone, what earlier runs ended there is still looked at.
    async fn tables(&self, share: Option<&Arc<NodeShare>>) -> LaneEnd {
        let mut tables: Vec<(usize, bool, &TablePlan)> = self.in_order();
        let (mut failure, mut left) = (None, None);
        for place in 0..tables.len() {
            if left.is_none() && share.is_some() {
                self.choose(&mut tables[place..]).await;
            }
            let (index, opens_batch, table) = &tables[place];
            let after = match (self.crew.end(table), &left, share) {
                (Some(outcome), _, _) => self.ended(*index, outcome).await,
                // What was armed before a crash must not be passed over: its settings are still lowered.
                (None, Some(_), _) if self.crew.is_open(table) => return LaneEnd::Parked,
                (None, Some(why), _) => {
                    self.leave(&tables[place..=place], TableState::Skipped, Failure::detail(why, "error")).await;
                    After::Next
                }
                (None, None, None) if self.crew.job.cancel.is_cancelled() => After::Stop,
                (None, None, None) => After::Park,
                (None, None, Some(share)) => match self.between(share, *opens_batch, table).await {
                    Ok(()) => self.table(share, *index, table).await,
                    Err(after) => after,
                },
            };
            match after {
                After::Next => {}
                After::Failed(why) => failure = failure.or(Some(why)),
                After::Park => return LaneEnd::Parked,
                After::Stick(failure) => return LaneEnd::Stuck { node: self.node.node.clone(), failure },
                After::Stop => {
                    self.leave(&tables[place..], TableState::Cancelled, "the job was cancelled").await;
                    return LaneEnd::Worked(failure);
                }
                After::LeaveNode(why) => {
                    if self.crew.end(table).is_none() {
                        self.leave(&tables[place..=place], TableState::Skipped, why.detail("error")).await;
                    }
                    left = left.or(Some(why));
                }
            }
        }
        left.map_or(LaneEnd::Worked(failure), LaneEnd::GivenUp)
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

    /// Where the next table would have to wait for the window or the budget, one that may begin now comes first.
    async fn choose(&self, tables: &mut [(usize, bool, &TablePlan)]) {
        let (account, window) = (&self.crew.account, self.crew.options.window);
        if window.is_none() && account.budget.is_unlimited() {
            return;
        }
        let (now, spent) = (self.crew.clock.now(), account.spendings(self.crew.clock.instant()).await);
        let may_begin = |table: &TablePlan| {
            let (bytes, seconds) = (budget::predicted_bytes(&table.estimate), table.predicted_seconds);
            let nodes = rebuild::pays(table, &self.below());
            window::verdict(window.as_ref(), now, seconds) == GateVerdict::Pass
                && account.of_each(&nodes, &spent, bytes, seconds) == GateVerdict::Pass
        };
        let is_over = |table: &TablePlan| self.crew.end(table).is_some();
        if tables.first().is_some_and(|(_, _, table)| is_over(table) || self.begun_before(table)) {
            return;
        }
        let ready = |table: &TablePlan| !is_over(table) && (self.begun_before(table) || may_begin(table));
        let is_undo = |table: &TablePlan| matches!(table.strategy, Strategy::Undo { .. });
        let found = tables.iter().position(|(_, _, table)| !is_undo(table) && ready(table));
        bring_forward(tables, found.unwrap_or(0));
    }

    /// Nodes that a logged statement flows to.
    fn below(&self) -> Vec<Endpoint> {
        let logged = self.crew.plan.config.mode == WorkMode::BinlogOn;
        let address = fleet::address(&self.node.node).filter(|_| logged);
        address.map_or_else(Vec::new, |address| self.fleet.below(&address))
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
    async fn between(&self, share: &NodeShare, opens_batch: bool, table: &TablePlan) -> Result<(), After> {
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
            let Some(reason) = self.not_ready(share).await else { return Ok(()) };
            let limit = self.crew.plan.config.timeout.0;
            if self.crew.clock.since(begun) >= limit {
                let node = share.endpoint.address.clone();
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
    async fn not_ready(&self, share: &NodeShare) -> Option<String> {
        let max_lag = self.crew.plan.config.max_lag;
        if share.is_replica && self.crew.plan.config.exclude_primary {
            let lag = fleet::lag_of(&share.endpoint, share.heartbeat.as_ref()).await;
            if let GateVerdict::Wait { reason } | GateVerdict::Refuse { reason } = lag::verdict(&lag, max_lag, true) {
                return Some(reason);
            }
        }
        let address = &share.endpoint.address;
        self.fleet.busy.lock().await.insert(address.clone());
        if self.spare && !self.fleet.keeps_one_fresh(max_lag, self.crew.options.heartbeat.as_ref()).await {
            self.fleet.busy.lock().await.remove(address);
            return Some("no other replica is fresh".to_owned());
        }
        None
    }

    async fn table(&self, share: &Arc<NodeShare>, index: usize, table: &TablePlan) -> After {
        self.crew.board.begin(index).await;
        let work = Arc::new(self.work(share, index, table));
        match run_unit(&self.crew.job.journal, &rebuild::unit(&work), &self.crew.job.cancel).await {
            Err(error) => {
                tracing::warn!(%error, "the journal cannot be written");
                After::Park
            }
            Ok(outcome) => match self.ended(index, outcome).await {
                After::Failed(failure) if !answers(&share.endpoint).await => After::LeaveNode(failure),
                after => after,
            },
        }
    }

    async fn ended(&self, index: usize, outcome: UnitOutcome) -> After {
        self.crew.board.record(index, &outcome).await;
        match outcome {
            UnitOutcome::Done(outputs) => match rebuild::report(&outputs) {
                Ok(_) => After::Next,
                Err(error) => After::Failed(error.into()),
            },
            UnitOutcome::Cancelled => After::Next,
            UnitOutcome::Paused => After::Park,
            UnitOutcome::Stuck(failure) => {
                self.crew.pending(self.node, Some(&failure.clone().into())).await;
                After::Stick(failure)
            }
            UnitOutcome::Failed(failure) if is_of_a_node(&failure) => After::LeaveNode(failure),
            UnitOutcome::Failed(failure) => After::Failed(failure),
        }
    }

    fn work(&self, share: &Arc<NodeShare>, index: usize, table: &TablePlan) -> Work {
        Work { below: self.below(), ..self.crew.piece(share, index, table, self.is_writer) }
    }

    /// Where the node's disk went, and temporary tablespaces left there, once nothing rebuilds there.
    async fn report_disk(&self, endpoint: &Endpoint) {
        let Ok(mut session) = Session::connect(endpoint).await else { return };
        let Ok(capabilities) = Capabilities::probe(&mut session).await else { return };
        if !rebuild::running_any(&mut session).await.unwrap_or(true) {
            for (name, bytes) in rebuild::orphans(&mut session, &capabilities).await.unwrap_or_default() {
                let text = format!("{}: orphan of a broken rebuild: {name}, {bytes} bytes", self.node.node);
                self.crew.board.note(text).await;
            }
        }
        // What the account may not see, or a server that went away, is no reason to fail a job that is done.
        match census::take(&mut session, &capabilities, &FileAccess::default()).await {
            Ok(census) => self.crew.board.census(DiskCensus { node: self.node.node.clone(), ..census }).await,
            Err(error) => tracing::info!(%error, node = self.node.node, "no census of its disk"),
        }
        session.close().await;
    }
}

/// Puts the table at `place` first; where batches begin stays where it is, so that none grows.
fn bring_forward(tables: &mut [(usize, bool, &TablePlan)], place: usize) {
    let opens: Vec<bool> = tables.iter().map(|(_, opens, _)| *opens).collect();
    if let Some(ahead) = tables.get_mut(..=place) {
        ahead.rotate_right(1);
    }
    for (table, opens) in tables.iter_mut().zip(opens) {
        table.1 = opens;
    }
}

async fn answers(endpoint: &Endpoint) -> bool {
    let Ok(session) = Session::connect(endpoint).await else { return false };
    session.close().await;
    true
}

async fn sample(endpoint: &Endpoint) -> Option<topology::OwnSample> {
    let mut session = Session::connect(endpoint).await.ok()?;
    let sample = topology::sample_own_writes(&mut session).await.ok();
    session.close().await;
    sample
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{draft, fixtures as f};

    #[test]
    fn what_is_brought_forward_moves_no_batch() {
        let tables: Vec<_> = (0..4).map(|n| f::table(&format!("t{n}"), 1000, 900 - n)).collect();
        let facts = f::fleet(f::topology(vec![f::node("r", 1, false)], vec![]), "r", &tables);
        let plan = draft(&facts, &api::RecycleConfig { batch_size: 2, ..f::config() }).expect("a plan");
        let work: Vec<&TablePlan> = plan.work().collect();
        let mut order: Vec<_> = (0..4).map(|place| (place, place % 2 == 0, work[place])).collect();
        bring_forward(&mut order[1..], 2);
        let shown: Vec<_> = order.iter().map(|(index, opens, table)| (*index, *opens, table.table.as_str())).collect();
        assert_eq!(shown, [(0, true, "t0"), (3, false, "t3"), (1, true, "t1"), (2, false, "t2")]);
        bring_forward(&mut order, 0);
        assert_eq!(order[0].0, 0);
        bring_forward(&mut [], 0);
    }
}
