//! Asks the fleet and draws the plan. Changes nothing on any server.

use super::{
    draft::draft,
    facts::{FleetFacts, GroupDemand, NodeFacts, Settings, UndoSettings, name_of},
    nodes,
};
use crate::{
    estimate::{FileAccess, Filter, survey},
    gates::{
        backup_lock,
        budget::{self, Budget, Spending, Spent},
        disk, history_list, lag, lease, long_transaction, metadata_lock, named, privilege, row_log,
        window::{self, Window},
        writer,
    },
    ledger::Ledger,
    undo,
};
use api::{Gate, GateVerdict, GraphNode, Plan, RecycleConfig};
use futures::{StreamExt, stream};
use mysql::{Capabilities, Endpoint, Session, SqlError};
use runtime::Clock;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};
use topology::{DiscoverOptions, Heartbeat};
use types::Failure;

/// What a caller may choose about planning beside the request.
#[derive(Debug, Clone)]
pub struct PlanOptions {
    /// How far discovery goes.
    pub discover: DiscoverOptions,
    /// Whether data files may be sampled where they can be read.
    pub files: FileAccess,
    /// Daily maintenance window, if there is one.
    pub window: Option<Window>,
    /// What rebuilding may cost each node.
    pub budget: Budget,
    /// Where it is read what it has; without one every piece of work waits where there is a budget.
    pub ledger: Option<Arc<Ledger>>,
    /// The heartbeat lag is also measured by, if one is kept.
    pub heartbeat: Option<Heartbeat>,
    /// Nodes surveyed at once.
    pub parallel: usize,
    /// Seconds from which an open transaction is waited for.
    pub long_transaction_seconds: u64,
}

impl Default for PlanOptions {
    fn default() -> Self {
        Self {
            discover: DiscoverOptions::default(),
            files: FileAccess::default(),
            window: None,
            budget: Budget::default(),
            ledger: None,
            heartbeat: None,
            parallel: 10,
            long_transaction_seconds: long_transaction::LIMIT_SECONDS,
        }
    }
}

/// Least distance between two readings of the write counters.
const RATE_SPAN: Duration = Duration::from_millis(500);

/// Discovers the fleet of `target`, surveys each chosen node, asks every gate, and draws the plan.
///
/// # Errors
/// 1001 for a database or table that is not there; 1002 if the target cannot be reached; 1004 if it may take writes, is
/// not to be touched, and has no replica; and whatever discovery says.
pub async fn plan(
    target: &Endpoint,
    config: &RecycleConfig,
    options: &PlanOptions,
    clock: &Clock,
) -> Result<Plan, Failure> {
    let facts = collect(target, config, options, clock).await?;
    draft(&facts, config).map_err(Failure::from)
}

/// Everything a plan is drawn from.
async fn collect(
    target: &Endpoint,
    config: &RecycleConfig,
    options: &PlanOptions,
    clock: &Clock,
) -> Result<FleetFacts, Failure> {
    let topology = topology::discover(target, &options.discover, clock).await?;
    let seed = topology.nodes.iter().find(|node| node.depth == 0).map(|node| node.id.clone()).unwrap_or_default();
    let choices = nodes::choose(&topology, &seed, config).map_err(Failure::from)?;
    // Owned, so that the future is `Send` for every lifetime (rust-lang/rust#102211).
    let chosen: Vec<(GraphNode, Option<Heartbeat>)> = choices
        .iter()
        .filter(|choice| choice.skipped.is_none())
        .filter_map(|choice| topology.nodes.iter().find(|node| node.id == choice.id).cloned())
        .map(|node| {
            let heartbeat = options.heartbeat.as_ref().map(|beat| beat.of(&topology, &node.id));
            (node, heartbeat)
        })
        .collect();
    let spent = &spendings(options, clock).await;
    let answers: Vec<(String, Result<NodeFacts, SqlError>)> = stream::iter(chosen)
        .map(|(node, heartbeat)| async move {
            let endpoint = target.at(node.address.clone());
            // What is chosen for all, with the heartbeat as it counts for this node.
            let options = PlanOptions { heartbeat, ..options.clone() };
            (node.id.clone(), ask(&endpoint, &node, config, &options, spent, clock).await)
        })
        .buffer_unordered(options.parallel.max(1))
        .collect()
        .await;
    let (mut nodes, mut silent) = (BTreeMap::new(), BTreeMap::new());
    for (id, answer) in answers {
        match answer {
            Ok(facts) => drop(nodes.insert(id, facts)),
            // One server was asked for and does not answer: that is the error, not a remark in a plan.
            Err(error) if choices.len() == 1 => return Err(error.into()),
            Err(error) => drop(silent.insert(id, error.to_string())),
        }
    }
    Ok(FleetFacts { at: clock.now(), topology, target: seed, nodes, silent })
}

/// What rebuilds have cost all nodes of late.
async fn spendings(options: &PlanOptions, clock: &Clock) -> Result<Vec<Spending>, String> {
    match &options.ledger {
        _ if options.budget.is_unlimited() => Ok(Vec::new()),
        Some(ledger) => ledger.spendings(None, clock.instant()).await.map_err(|error| error.to_string()),
        None => Err("there is no store to read it from".to_owned()),
    }
}

async fn ask(
    endpoint: &Endpoint,
    node: &GraphNode,
    config: &RecycleConfig,
    options: &PlanOptions,
    spent: &Result<Vec<Spending>, String>,
    clock: &Clock,
) -> Result<NodeFacts, SqlError> {
    let mut session = Session::connect(endpoint).await?;
    let capabilities = Capabilities::probe(&mut session).await?;
    let begun = clock.instant();
    let counts = row_log::counts(&mut session, &capabilities, clock).await;
    let settings = settings(&mut session, &capabilities).await?;
    let databases = databases(&mut session).await?;
    let asked = Filter { databases: config.databases.clone(), tables: config.tables.clone() };
    let filter = if settings.folds_names { asked.folded() } else { asked };
    let tables = survey(&mut session, &capabilities, &filter, &options.files, clock).await?;
    let undo = if config.shrink_undo { undo::spaces(&mut session, &capabilities).await? } else { Vec::new() };
    let rights = privilege::probe(&mut session, &capabilities).await;
    let mut gates = gates(&mut session, node, config, options, clock).await;
    let spent = spent.as_ref().map_err(Clone::clone);
    let spent = spent.map(|all| Spent::of(all, &name_of(node), &options.budget, clock.now()));
    gates.push(named("budget", budget::verdict(&options.budget, &spent, 0, 0.0)));
    let needs = privilege::Needs::of_node(config.mode, node.read_only, &settings);
    gates.push(named("privilege", privilege::verdict(&rights, &capabilities, needs)));
    let disks = disk::probe(&mut session).await?;
    let locks = metadata_lock::probe_all(&mut session).await;
    clock.sleep(RATE_SPAN.saturating_sub(clock.since(begun))).await;
    let later = row_log::counts(&mut session, &capabilities, clock).await;
    let write_rates = match (counts, later) {
        (Ok(before), Ok(after)) => {
            Ok(tables.iter().map(|t| (t.name.clone(), row_log::rate(&before, &after, &t.name, clock))).collect())
        }
        (Err(error), _) | (_, Err(error)) => Err(error),
    };
    session.close().await;
    let budget = (options.budget, spent);
    Ok(NodeFacts { capabilities, databases, tables, gates, budget, rights, undo, settings, disks, locks, write_rates })
}

/// Gates about the node as a whole, each asked once.
async fn gates(
    session: &mut Session,
    node: &GraphNode,
    config: &RecycleConfig,
    options: &PlanOptions,
    clock: &Clock,
) -> Vec<Gate> {
    let test = writer::probe(session, None).await;
    let is_replica = !node.writer;
    vec![
        named("writer", writer::verdict(&test, config.exclude_primary)),
        named(
            "lag",
            lag::verdict(&topology::lag(session, options.heartbeat.as_ref()).await, config.max_lag, is_replica),
        ),
        named(
            "long_transaction",
            long_transaction::verdict(&long_transaction::probe(session).await, options.long_transaction_seconds),
        ),
        named("history_list", history_list::verdict(&history_list::probe(session).await, history_list::LIMIT)),
        named("backup_lock", backup_lock::verdict(&backup_lock::probe(session).await)),
        named("window", window::verdict(options.window.as_ref(), clock.now(), 0.0)),
        named("lease", lease_verdict(session).await),
    ]
}

/// Only looks; the lease is taken when the job begins.
async fn lease_verdict(session: &mut Session) -> GateVerdict {
    for lock in [lease::JOB_LOCK, lease::WORK_LOCK] {
        match lease::holder(session, lock).await {
            Ok(None) => {}
            Ok(Some((connection, host))) => {
                return crate::gates::wait(format!("another Drydock holds it: connection {connection} from {host}"));
            }
            Err(error) => return crate::gates::unanswered("the lease", &error),
        }
    }
    GateVerdict::Pass
}

async fn databases(session: &mut Session) -> Result<BTreeSet<String>, SqlError> {
    let rows = session.rows("SELECT SCHEMA_NAME AS d FROM information_schema.SCHEMATA").await?;
    Ok(rows.iter().filter_map(|row| row.text("d")).collect())
}

/// Reads the settings a rebuild has to know; a variable the server lacks is one it does not need.
pub(crate) async fn settings(session: &mut Session, capabilities: &Capabilities) -> Result<Settings, SqlError> {
    let sql = "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('innodb_online_alter_log_max_size', 'super_read_only', \
               'innodb_segment_reserve_factor', 'lock_wait_timeout', 'slave_transaction_retries', \
               'replica_transaction_retries', 'gtid_mode', 'group_replication_group_name', 'group_replication_consistency', \
               'lower_case_table_names', 'innodb_file_per_table', 'innodb_undo_log_truncate', 'innodb_max_undo_log_size')";
    let rows = session.rows(sql).await?;
    let text = |name: &str| {
        let row = rows.iter().find(|row| row.text("Variable_name").is_some_and(|n| n.eq_ignore_ascii_case(name)));
        row.and_then(|row| row.text("Value"))
    };
    let number = |name: &str| text(name).and_then(|text| text.parse::<f64>().ok());
    let retries = number("replica_transaction_retries").or_else(|| number("slave_transaction_retries")).unwrap_or(0.0);
    Ok(Settings {
        row_log_limit: text("innodb_online_alter_log_max_size").and_then(|text| text.parse().ok()).unwrap_or(128 << 20),
        super_read_only: text("super_read_only").is_some_and(|text| text.eq_ignore_ascii_case("ON")),
        reserve_percent: number("innodb_segment_reserve_factor"),
        applier_patience: number("lock_wait_timeout").unwrap_or(0.0) * (retries + 1.0),
        group: text("group_replication_group_name")
            .filter(|name| !name.is_empty())
            .map(|_| demand(text("group_replication_consistency").as_deref())),
        copies_are_shared: text("innodb_file_per_table").is_some_and(|text| text.eq_ignore_ascii_case("OFF")),
        undo: undo_settings(capabilities, &text),
        folds_names: number("lower_case_table_names").is_some_and(|how| how != 0.0),
        gtids: capabilities.is_mariadb() || text("gtid_mode").is_none_or(|mode| !mode.eq_ignore_ascii_case("OFF")),
    })
}

/// MySQL has the same variables, and statements that need neither.
fn undo_settings(capabilities: &Capabilities, text: &impl Fn(&str) -> Option<String>) -> Option<UndoSettings> {
    let limit = text("innodb_max_undo_log_size")?.parse().ok()?;
    let truncates = text("innodb_undo_log_truncate")?.eq_ignore_ascii_case("ON");
    capabilities.is_mariadb().then_some(UndoSettings { truncates, limit })
}

/// 5.7 has no such setting and orders only; a word that is not known may ask for anything.
fn demand(consistency: Option<&str>) -> GroupDemand {
    match consistency {
        None | Some("EVENTUAL" | "BEFORE" | "BEFORE_ON_PRIMARY_FAILOVER") => GroupDemand::Order,
        Some(_) => GroupDemand::Applied,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_consistency_is_the_strictest() {
        assert_eq!(demand(Some("BEFORE_ON_PRIMARY_FAILOVER")), GroupDemand::Order);
        for word in ["AFTER", "BEFORE_AND_AFTER", "something new"] {
            assert_eq!(demand(Some(word)), GroupDemand::Applied);
        }
    }
}
