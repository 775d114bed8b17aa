//! The one place where the hall calls the rooms that work on servers.

use crate::{Control, Settings};
use api::{ClusterTopology, DiskCensus, GateVerdict, Plan, RecycleConfig, TableSpace};
use jobs::{Runner, RunnerOptions};
use mysql::{Endpoint, Session};
use runtime::Clock;
use std::sync::Arc;
use topology::DiscoverOptions;
use types::{Code, Failure};

/// The kind under which recycle jobs are stored.
pub(crate) const KIND: &str = "recycle";

fn unwired() -> Failure {
    Failure::new(Code::JobCreateFailed, "this part is not wired yet", "wait for the next landing")
}

/// How far and how fast to look; configured primaries are writers whatever they say of themselves.
fn looking(max_depth: u32, name: Option<&str>, settings: &Settings) -> DiscoverOptions {
    DiscoverOptions {
        max_depth,
        parallel: settings.concurrency.max_workers.max(1),
        member_timeout: settings.database.timeout,
        cluster_name: name.map(str::to_owned),
        declared_primaries: settings.clusters.iter().map(|cluster| cluster.address.clone()).collect(),
        ..DiscoverOptions::default()
    }
}

/// The topology around one member; `name` is the cluster's if it has one.
pub(crate) async fn discover(
    endpoint: &Endpoint,
    max_depth: u32,
    name: Option<&str>,
    settings: &Settings,
    clock: Clock,
) -> Result<ClusterTopology, Failure> {
    topology::discover(endpoint, &looking(max_depth, name, settings), &clock).await
}

#[allow(clippy::unused_async, reason = "wired next")]
pub(crate) async fn plan(
    endpoint: &Endpoint,
    config: &RecycleConfig,
    settings: &Settings,
    clock: Clock,
) -> Result<Plan, Failure> {
    let _ = (endpoint, config, settings, clock);
    Err(unwired())
}

#[allow(clippy::unused_async, reason = "wired next")]
pub(crate) async fn space(members: &[Endpoint], settings: &Settings, clock: Clock) -> Result<Vec<TableSpace>, Failure> {
    let _ = (members, settings, clock);
    Err(unwired())
}

#[allow(clippy::unused_async, reason = "wired next")]
pub(crate) async fn census(members: &[Endpoint], settings: &Settings) -> Result<Vec<DiskCensus>, Failure> {
    let _ = (members, settings);
    Err(unwired())
}

/// The evidence graph as Graphviz text.
pub fn dot(topology: &ClusterTopology) -> String {
    topology::dot(topology)
}

/// Whether the credentials open the door.
pub(crate) async fn try_login(endpoint: &Endpoint) -> Result<(), Failure> {
    Session::connect(endpoint).await?.close().await;
    Ok(())
}

/// What a gate that says never is outside: the code of its kind.
fn code_of(gate: &str) -> Code {
    match gate {
        "writer" => Code::PrimaryCheckFailed,
        "privilege" => Code::Forbidden,
        "lease" => Code::Busy,
        _ => Code::JobCreateFailed,
    }
}

/// Refuses a plan that holds no work because a guard said never on a node: no job is made of it. A plan without work
/// because nothing wastes enough is fine: its job is done at once.
pub(crate) fn refused(plan: &Plan) -> Result<(), Failure> {
    if plan.work().next().is_some() {
        return Ok(());
    }
    let refusals = plan.nodes.iter().flat_map(|node| node.gates.iter().map(move |gate| (node, gate)));
    let mut refusals = refusals.filter_map(|(node, gate)| match &gate.verdict {
        GateVerdict::Refuse { reason } => Some((node, gate, reason)),
        _ => None,
    });
    let Some((node, gate, reason)) = refusals.next() else { return Ok(()) };
    let next = "see the plan (POST /api/v1/recycle/plan, or `recycle --dry-run`) for every gate's verdict";
    let failure = Failure::new(code_of(&gate.name), reason, next);
    Err(failure.with("node", node.node.clone()).with("gate", gate.name.clone()))
}

impl Control {
    /// Workers for every trade there is.
    pub(crate) fn new_runner(&self) -> Runner {
        let settings = self.settings();
        let options = RunnerOptions {
            max_workers: settings.concurrency.max_workers.max(1),
            queue_size: settings.concurrency.queue_size,
            ..RunnerOptions::default()
        };
        Runner::start(Arc::clone(&self.hall.store), Vec::new(), options, self.hall.clock, &self.hall.random)
    }
}
