//! The one place where the hall calls the rooms that work on servers.

use crate::{Control, Settings};
use api::{ClusterTopology, DiskCensus, Gate, GateVerdict, NodePlan, Plan, RecycleConfig, TableSpace};
use arc_swap::ArcSwap;
use futures::{StreamExt, stream};
use jobs::{Runner, RunnerOptions, Store};
use mysql::{Capabilities, Endpoint, Session, SqlError};
use reclaim::{
    Ledger,
    estimate::{FileAccess, Filter, TableFacts, survey},
    gates::{self, disk::Space},
    plan::PlanOptions,
    trade::{Credentials, Looks, RecycleTrade, TradeOptions},
};
use runtime::Clock;
use std::{future::Future, sync::Arc, time::Duration};
use topology::DiscoverOptions;
use types::{Code, Failure};

/// Hops looked at around a member.
pub(crate) const DEPTH: u32 = 10;

/// How far and how fast to look; configured primaries are writers whatever they say of themselves.
fn looking(max_depth: u32, name: Option<&str>, settings: &Settings) -> DiscoverOptions {
    DiscoverOptions {
        max_depth,
        parallel: settings.concurrency.max_workers.max(1),
        member_timeout: settings.database.timeout,
        cluster_name: name.map(str::to_owned),
        ignore_users: settings.discovery.ignore_users.clone(),
        guess_ports: settings.discovery.guess_ports.clone(),
        declared_primaries: settings.clusters.iter().map(|cluster| cluster.address.clone()).collect(),
        inventory: settings
            .clusters
            .iter()
            .filter(|cluster| !cluster.members.is_empty())
            .map(|cluster| cluster.addresses().cloned().collect())
            .collect(),
    }
}

/// How jobs look around, by the settings of the moment: a primary that is configured later is a writer at once.
fn looks(settings: Arc<ArcSwap<Settings>>) -> Looks {
    Looks::new(move || looking(DEPTH, None, &settings.load()))
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

/// What a job would do.
pub(crate) async fn plan(
    endpoint: &Endpoint,
    config: &RecycleConfig,
    settings: &Settings,
    store: Arc<dyn Store>,
    clock: Clock,
) -> Result<Plan, Failure> {
    let options = PlanOptions {
        discover: looking(DEPTH, None, settings),
        parallel: settings.concurrency.max_workers.max(1),
        window: settings.window,
        budget: settings.budget,
        ledger: Some(Arc::new(Ledger::new(store, clock))),
        heartbeat: settings.heartbeat.clone(),
        ..PlanOptions::default()
    };
    let mut plan = reclaim::plan::plan(endpoint, config, &options, &clock).await?;
    let limit = settings.concurrency.statement_limit.unwrap_or(Duration::MAX);
    let long = plan.work().filter(|table| table.predicted_seconds > limit.as_secs_f64()).count();
    if long > 0 {
        let limit = limit.as_secs();
        plan.warnings.push(format!(
            "{long} of the tables may take longer to rebuild than recycling.concurrency.worker_timeout ({limit} s) lets \
             them: they would be stopped, whole; raise it first"
        ));
    }
    Ok(plan)
}

/// Asks every member the same, some at once. What the others say stands if one does not answer; none answering is the
/// first one's error.
async fn of_each<T, F>(
    members: &[Endpoint],
    settings: &Settings,
    ask: impl Fn(Endpoint) -> F,
) -> Result<Vec<T>, Failure>
where
    F: Future<Output = Result<T, SqlError>>,
{
    let asked = stream::iter(members.iter().cloned()).map(ask);
    let answers: Vec<_> = asked.buffered(settings.concurrency.max_workers.max(1)).collect().await;
    let (mut good, mut first) = (Vec::new(), None);
    for answer in answers {
        match answer {
            Ok(answer) => good.push(answer),
            Err(error) => {
                tracing::warn!(%error, "a member was left out");
                first.get_or_insert(error);
            }
        }
    }
    match first {
        Some(error) if good.is_empty() => Err(error.into()),
        _ => Ok(good),
    }
}

async fn space_of(endpoint: Endpoint, clock: Clock) -> Result<Vec<TableSpace>, SqlError> {
    let mut session = Session::connect(&endpoint).await?;
    let capabilities = Capabilities::probe(&mut session).await?;
    let (filter, files) = (Filter::default(), FileAccess::default());
    let tables = survey(&mut session, &capabilities, &filter, &files, &clock).await;
    session.close().await;
    let node = endpoint.address.to_string();
    let space = |table: TableFacts| TableSpace {
        node: node.clone(),
        database: table.name.database,
        table: table.name.table,
        engine: table.engine,
        estimate: table.estimate,
    };
    Ok(tables?.into_iter().map(space).collect())
}

/// Tables by space, largest waste first.
pub(crate) async fn space(members: &[Endpoint], settings: &Settings, clock: Clock) -> Result<Vec<TableSpace>, Failure> {
    let found = of_each(members, settings, |member| space_of(member, clock)).await?;
    let mut tables: Vec<TableSpace> = found.into_iter().flatten().collect();
    tables.sort_by_key(|table| std::cmp::Reverse(table.estimate.predicted_freed_bytes));
    Ok(tables)
}

async fn census_of(endpoint: Endpoint) -> Result<DiskCensus, SqlError> {
    let mut session = Session::connect(&endpoint).await?;
    let capabilities = Capabilities::probe(&mut session).await?;
    let census = reclaim::census::take(&mut session, &capabilities, &FileAccess::default()).await;
    session.close().await;
    census
}

/// Where the disk went, member by member.
pub(crate) async fn census(members: &[Endpoint], settings: &Settings) -> Result<Vec<DiskCensus>, Failure> {
    of_each(members, settings, census_of).await
}

/// The file system a member's data lies on; `None` where that cannot be known, also when the member does not answer in
/// time: a sample waits for nobody.
pub(crate) async fn disk(endpoint: Endpoint, limit: Duration) -> Option<Space> {
    let asked = async {
        let mut session = Session::connect(&endpoint).await?;
        let disks = reclaim::gates::disk::probe(&mut session).await;
        session.close().await;
        disks
    };
    match tokio::time::timeout(limit, asked).await {
        Ok(Ok(disks)) => disks.data,
        Ok(Err(error)) => {
            tracing::debug!(node = %endpoint.address, %error, "the disk is not known");
            None
        }
        Err(_) => None,
    }
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

/// Gates of a node, then those of the tables that were left alone on it.
fn gates_of(node: &NodePlan) -> impl Iterator<Item = &Gate> {
    node.gates.iter().chain(node.left.iter().flat_map(|table| &table.gates))
}

/// Refuses a plan that holds no work because a guard said never on a node or a table: no job is made of it. A plan without work
/// because nothing wastes enough is fine: its job is done at once.
pub(crate) fn refused(plan: &Plan) -> Result<(), Failure> {
    if plan.work().next().is_some() {
        return Ok(());
    }
    let refusals = plan.nodes.iter().flat_map(|node| gates_of(node).map(move |gate| (node, gate)));
    let mut refusals = refusals.filter_map(|(node, gate)| match &gate.verdict {
        GateVerdict::Refuse { reason } => Some((node, gate, reason)),
        _ => None,
    });
    let Some((node, gate, reason)) = refusals.next() else { return Ok(()) };
    let next = "see the plan (POST /api/v1/recycle/plan, or `recycle --dry-run`) for every gate's verdict";
    let code = gates::code_of(&gate.name, reason).unwrap_or(Code::JobCreateFailed);
    let failure = Failure::new(code, reason, next);
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
        let keyring: Arc<dyn Credentials> = self.hall.keyring.clone();
        let work = TradeOptions {
            discover: looks(Arc::clone(&self.hall.settings)),
            window: settings.window,
            budget: settings.budget,
            heartbeat: settings.heartbeat.clone(),
            longest: settings.concurrency.statement_limit,
            ..TradeOptions::default()
        };
        let trade = RecycleTrade::new(keyring, work, self.hall.clock);
        Runner::start(Arc::clone(&self.hall.store), vec![Arc::new(trade)], options, self.hall.clock, &self.hall.random)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ClusterSettings, DiscoverySettings};
    use types::{Address, Secret};

    fn cluster(host: &str, members: Vec<Address>) -> ClusterSettings {
        ClusterSettings {
            name: host.to_owned(),
            address: Address::new(host, 1),
            username: "u".to_owned(),
            password: Secret::default(),
            members,
            group: None,
        }
    }

    #[test]
    fn jobs_look_around_by_the_settings_of_the_moment() {
        let settings = Arc::new(ArcSwap::from_pointee(Settings::default()));
        let looks = looks(Arc::clone(&settings));
        assert_eq!(looks.now().declared_primaries, []);
        settings.store(Arc::new(Settings { clusters: vec![cluster("a", Vec::new())], ..Settings::default() }));
        assert_eq!(looks.now().declared_primaries, [Address::new("a", 1)]);
    }

    #[test]
    fn discovery_is_told_what_the_configuration_knows() {
        let settings = Settings {
            clusters: vec![cluster("a", vec![Address::new("b", 2)]), cluster("c", Vec::new())],
            discovery: DiscoverySettings { ignore_users: vec!["cdc".to_owned()], guess_ports: vec![3307] },
            ..Settings::default()
        };
        let told = looking(3, None, &settings);
        assert_eq!((told.ignore_users, told.guess_ports), (vec!["cdc".to_owned()], vec![3307]));
        assert_eq!(told.inventory, [[Address::new("a", 1), Address::new("b", 2)]]);
        assert_eq!(
            told.declared_primaries,
            [Address::new("a", 1), Address::new("c", 1)],
            "a member is no primary by that"
        );
    }
}
