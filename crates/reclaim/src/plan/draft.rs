//! From facts to a plan. Pure: the same facts and the same request always give the same plan.

use super::{
    cost, digest,
    facts::{FleetFacts, NodeFacts, name_of},
    nodes::{self, Choice},
    statement::{self, Change},
    strategy, tables, undo,
};
use crate::{
    ReclaimError,
    estimate::TableFacts,
    gates::{budget, data_loss_bug, disk, metadata_lock, named, privilege, row_log, unanswered, wait},
};
use api::{
    Algorithm, Batch, Gate, GateVerdict, GraphNode, LockClass, NodePlan, Plan, RecycleConfig, Strategy, TablePlan,
    WorkMode,
};
use std::cmp::Ordering;
use types::TableName;

/// Draws the plan. Fails only where the request as a whole makes no sense; a single node or table that is left alone is
/// shown with its reason.
pub fn draft(facts: &FleetFacts, config: &RecycleConfig) -> Result<Plan, ReclaimError> {
    let choices = nodes::choose(&facts.topology, &facts.target, config)?;
    named_exist(facts, &choices, config)?;
    let logged_top = logged_top(facts, config)?;
    let mut plan = empty(facts, config);
    for choice in &choices {
        let node = draw_node(facts, choice, config, logged_top.as_deref(), &mut plan.warnings);
        plan.nodes.extend(node);
    }
    number(&mut plan);
    plan.file_bytes = plan.work().map(|table| table.estimate.file_bytes).sum();
    plan.predicted_freed_bytes = plan.work().map(|table| table.estimate.predicted_freed_bytes).sum();
    plan.predicted_seconds = plan.work().map(|table| table.predicted_seconds).sum();
    plan.warnings.sort();
    plan.warnings.dedup();
    plan.digest = digest::digest(&plan);
    Ok(plan)
}

fn empty(facts: &FleetFacts, config: &RecycleConfig) -> Plan {
    Plan {
        created_at: facts.at,
        cluster_id: facts.topology.cluster_id.clone(),
        config: config.clone(),
        mode: config.mode,
        nodes: Vec::new(),
        file_bytes: 0,
        predicted_freed_bytes: 0,
        predicted_seconds: 0.0,
        warnings: Vec::new(),
        digest: String::new(),
    }
}

/// Every database and table that was named must be on some node that was asked; a typing error must not look like
/// "nothing to do".
fn named_exist(facts: &FleetFacts, choices: &[Choice], config: &RecycleConfig) -> Result<(), ReclaimError> {
    let asked: Vec<&NodeFacts> = choices.iter().filter_map(|choice| facts.nodes.get(&choice.id)).collect();
    if asked.is_empty() {
        return Ok(());
    }
    let database = |name: &&String| !asked.iter().any(|node| node.databases.iter().any(|have| node.means(name, have)));
    if let Some(name) = config.databases.iter().find(database) {
        return Err(ReclaimError::NoSuchDatabase(name.clone()));
    }
    let table = |name: &&String| {
        let named =
            |node: &NodeFacts, have: &TableName| node.means(name, &have.table) || node.means(name, &have.to_string());
        !asked.iter().any(|node| node.tables.iter().any(|facts| named(node, &facts.name)))
    };
    match config.tables.iter().find(table) {
        Some(name) => Err(ReclaimError::NoSuchTable(name.clone())),
        None => Ok(()),
    }
}

/// The node a logged statement starts at: the target itself.
fn logged_top(facts: &FleetFacts, config: &RecycleConfig) -> Result<Option<String>, ReclaimError> {
    if config.mode == WorkMode::BinlogOff {
        return Ok(None);
    }
    let top = facts.node(&facts.target);
    let errant =
        top.is_some_and(|node| !node.writer) && facts.nodes.get(&facts.target).is_none_or(|node| node.settings.gtids);
    match (errant, top) {
        (true, Some(node)) => Err(ReclaimError::WouldBeErrant { node: name_of(node) }),
        _ => Ok(Some(facts.target.clone())),
    }
}

fn draw_node(
    facts: &FleetFacts,
    choice: &Choice,
    config: &RecycleConfig,
    logged_top: Option<&str>,
    warnings: &mut Vec<String>,
) -> Option<NodePlan> {
    let node = facts.node(&choice.id)?;
    let mut drawn = NodePlan {
        node: name_of(node),
        id: node.id.clone(),
        role: node.role.clone(),
        skipped: choice.skipped.clone(),
        gates: Vec::new(),
        batches: Vec::new(),
        left: Vec::new(),
    };
    if drawn.skipped.is_some() {
        return Some(drawn);
    }
    let Some(asked) = facts.nodes.get(&choice.id) else {
        let why = facts.silent.get(&choice.id).cloned().unwrap_or_else(|| "it was not asked".to_owned());
        drawn.skipped = Some(format!("it could not be surveyed: {why}"));
        return Some(drawn);
    };
    drawn.gates.clone_from(&asked.gates);
    drawn.gates.push(bug_gate(asked));
    drawn.skipped = refused(&drawn.gates);
    if drawn.skipped.is_none() && logged_top.is_some_and(|top| top != choice.id) {
        drawn.skipped = Some("the logged statement reaches it by replication; what it frees is measured".to_owned());
    }
    if drawn.skipped.is_some() {
        return Some(drawn);
    }
    remarks(asked, &drawn.node, warnings);
    let below = logged_top.and_then(|top| strategy::doubt_below(&nodes::below(&facts.topology, top)));
    let (mut work, left) = split(node, asked, below.as_deref(), config, warnings);
    work.sort_by(better);
    drawn.left = left;
    drawn.batches = batches(work, config.batch_size);
    if let Some(undo) = undo::draw(node, asked, config) {
        add_undo(&mut drawn, undo, warnings);
    }
    Some(drawn)
}

/// On an affected build the gate passes because no online rebuild is planned there; it is shown so that its reason is.
fn bug_gate(asked: &NodeFacts) -> Gate {
    let capabilities = &asked.capabilities;
    named("data_loss_bug", data_loss_bug::verdict(capabilities.flavor, capabilities.version, false))
}

fn refused(gates: &[Gate]) -> Option<String> {
    gates.iter().find_map(|gate| match &gate.verdict {
        GateVerdict::Refuse { reason } => Some(format!("the {} gate refuses: {reason}", gate.name)),
        _ => None,
    })
}

fn remarks(asked: &NodeFacts, node: &str, warnings: &mut Vec<String>) {
    if asked.disks.data.is_none() {
        warnings.push(format!("{node}: how much of its disk is free cannot be seen from here"));
    }
    if let Some(why) = asked.locks.as_ref().ok().and_then(metadata_lock::Locks::unseen) {
        warnings.push(format!(
            "{node}: {why}: whoever is in a transaction is waited for; docs/privileges.md tells how to show them"
        ));
    }
    if let Err(error) = &asked.write_rates {
        warnings.push(format!(
            "{node}: how fast its tables change cannot be read ({error}): a rebuild in place waits until it can"
        ));
    }
    let capabilities = &asked.capabilities;
    if let Some(bug) = data_loss_bug::affected(capabilities.flavor, capabilities.version) {
        warnings.push(format!("{node} ({}): {bug}; its tables are copied instead", capabilities.version_text));
    }
}

/// Work and leavings, in no order yet.
fn split(
    node: &GraphNode,
    asked: &NodeFacts,
    below: Option<&str>,
    config: &RecycleConfig,
    warnings: &mut Vec<String>,
) -> (Vec<TablePlan>, Vec<TablePlan>) {
    let (mut work, mut left) = (Vec::new(), Vec::new());
    for table in &asked.tables {
        let mut plan = draw_table(node, asked, table, below, config, warnings);
        if !matches!(plan.strategy, Strategy::Skip { .. }) {
            if let Some(reason) = tables::reason_to_leave(&plan.estimate, config) {
                leave(&mut plan, reason);
                plan.gates.clear();
            } else if let Some(reason) = refused(&plan.gates) {
                warnings.push(format!("{}: {}.{} is left alone: {reason}", plan.node, plan.database, plan.table));
                leave(&mut plan, reason);
            }
        }
        if matches!(plan.strategy, Strategy::Skip { .. }) { left.push(plan) } else { work.push(plan) }
    }
    left.sort_by(better);
    (work, left)
}

/// Undo comes last and in a batch of its own: rebuilds hardly write any.
fn add_undo(drawn: &mut NodePlan, mut undo: TablePlan, warnings: &mut Vec<String>) {
    if let Some(reason) = refused(&undo.gates) {
        warnings.push(format!("{}: its undo tablespaces are left alone: {reason}", undo.node));
        leave(&mut undo, reason);
    }
    if matches!(undo.strategy, Strategy::Skip { .. }) {
        return drawn.left.push(undo);
    }
    let number = drawn.batches.last().map_or(1, |batch| batch.number + 1);
    drawn.batches.push(Batch { number, tables: vec![undo] });
}

/// Makes a piece of work one that is only shown.
fn leave(plan: &mut TablePlan, reason: String) {
    plan.strategy = Strategy::Skip { reason };
    plan.statements.clear();
    plan.lock = LockClass::None;
    plan.predicted_seconds = 0.0;
}

fn draw_table(
    node: &GraphNode,
    asked: &NodeFacts,
    table: &TableFacts,
    below: Option<&str>,
    config: &RecycleConfig,
    warnings: &mut Vec<String>,
) -> TablePlan {
    let decision = strategy::decide(table, asked, below, config);
    let algorithm = cost::algorithm(&decision.strategy);
    let seconds = cost::seconds(algorithm, &decision.estimate);
    let skipped = matches!(decision.strategy, Strategy::Skip { .. });
    let log = if algorithm == Algorithm::Inplace { log_bytes(asked, table, seconds) } else { Ok(0) };
    let (data, tmp) = if skipped {
        (0, 0)
    } else {
        // A log nobody can foresee may fill up to its limit.
        let most = log.as_ref().copied().unwrap_or(asked.settings.row_log_limit);
        (cost::data_bytes(&decision.estimate), cost::tmp_bytes(&decision.strategy, table, most))
    };
    if let (Some(remark), true) = (&decision.remark, node.writer && !skipped) {
        warnings.push(format!("{}: {} takes writes, and {remark}", table.name, name_of(node)));
    }
    TablePlan {
        node: name_of(node),
        database: table.name.database.clone(),
        table: table.name.table.clone(),
        engine: table.engine.clone(),
        gain_per_byte: tables::gain_per_byte(&decision.estimate),
        gates: if skipped {
            Vec::new()
        } else {
            table_gates(asked, table, config, &decision, [data, tmp], seconds, &log)
        },
        statements: if skipped { Vec::new() } else { statements(asked, table, config, &decision, seconds, log.ok()) },
        estimate: decision.estimate,
        strategy: decision.strategy,
        lock: decision.lock,
        data_bytes_needed: data,
        tmp_bytes_needed: tmp,
        predicted_seconds: if skipped { 0.0 } else { seconds },
    }
}

/// Bytes the row log will need, by the rate seen while planning; the verdict on the table where none was seen: a table
/// nobody has watched is not one at rest.
fn log_bytes(asked: &NodeFacts, table: &TableFacts, seconds: f64) -> Result<u64, GateVerdict> {
    let rates = asked.write_rates.as_ref().map_err(|error| unanswered("the rate of changes", error))?;
    let rate = rates.get(&table.name).ok_or_else(|| wait("its rate of changes was not seen"))?;
    let row_bytes = table.estimate.file_bytes as f64 / (table.rows.max(1) as f64);
    Ok(row_log::needed(*rate, row_bytes, seconds))
}

fn table_gates(
    asked: &NodeFacts,
    table: &TableFacts,
    config: &RecycleConfig,
    decision: &strategy::Decision,
    [data, tmp]: [u64; 2],
    seconds: f64,
    log: &Result<u64, GateVerdict>,
) -> Vec<Gate> {
    let locks = asked.locks.as_ref().map(|locks| locks.on(&table.name)).map_err(Clone::clone);
    let stops = matches!(decision.strategy, Strategy::Copy { stop_applier: true });
    let limit = log.as_ref().ok().and_then(|log| row_log::raised(*log, asked.settings.row_log_limit));
    let raises = decision.strategy == Strategy::InPlace && limit.is_some();
    let needs = privilege::Needs::of_table(config.mode, stops, raises);
    let (budget, spent) = &asked.budget;
    let bytes = budget::predicted_bytes(&decision.estimate);
    let budget = (!budget.is_unlimited()).then(|| named("budget", budget::verdict(budget, spent, bytes, seconds)));
    let others = vec![
        named("privilege", privilege::table_verdict(&asked.rights, &asked.capabilities, &table.name, needs)),
        named("metadata_lock", metadata_lock::verdict(&locks)),
        named("disk", disk::verdict(&asked.disks, data, tmp)),
        named("row_log", log.clone().map_or_else(|unknown| unknown, |log| row_log::verdict(log, row_log::CEILING))),
    ];
    others.into_iter().chain(budget).collect()
}

/// Everything that will be sent, in order: settings lowered, the session's own, the rebuild, settings put back.
fn statements(
    asked: &NodeFacts,
    table: &TableFacts,
    config: &RecycleConfig,
    decision: &strategy::Decision,
    seconds: f64,
    log: Option<u64>,
) -> Vec<String> {
    let raised = log.and_then(|log| row_log::raised(log, asked.settings.row_log_limit));
    let changes = statement::changes(&asked.settings, &decision.strategy, raised);
    let (stop, start) = statement::applier(&asked.capabilities, None);
    let stops = matches!(decision.strategy, Strategy::Copy { stop_applier: true });
    let mut all: Vec<String> = changes.iter().map(Change::arm).collect();
    all.extend(stops.then_some(stop));
    all.extend(statement::session(&asked.capabilities, config.mode, seconds));
    let marker = statement::marker(statement::PLACEHOLDER, 0);
    all.extend(statement::alter(&asked.capabilities, &marker, &table.name, &decision.strategy, decision.lock));
    all.extend(stops.then_some(start));
    all.extend(changes.iter().rev().map(Change::restore));
    all
}

/// Best gain per byte written first; then the larger gain; then by name: a total order.
fn better(a: &TablePlan, b: &TablePlan) -> Ordering {
    b.gain_per_byte
        .total_cmp(&a.gain_per_byte)
        .then(b.estimate.predicted_freed_bytes.cmp(&a.estimate.predicted_freed_bytes))
        .then_with(|| (&a.database, &a.table).cmp(&(&b.database, &b.table)))
}

fn batches(work: Vec<TablePlan>, size: u32) -> Vec<Batch> {
    let mut batches: Vec<Batch> = Vec::new();
    for table in work {
        match batches.last_mut() {
            Some(batch) if batch.tables.len() < size.max(1) as usize => batch.tables.push(table),
            last => {
                let number = last.map_or(1, |batch| batch.number + 1);
                batches.push(Batch { number, tables: vec![table] });
            }
        }
    }
    batches
}

/// Numbers the markers in the order of work, so that each statement of a job is told from all others.
fn number(plan: &mut Plan) {
    let zero = statement::marker(statement::PLACEHOLDER, 0);
    let tables = plan.nodes.iter_mut().flat_map(|node| &mut node.batches).flat_map(|batch| &mut batch.tables);
    for (index, table) in tables.enumerate() {
        let marker = statement::marker(statement::PLACEHOLDER, index + 1);
        for statement in &mut table.statements {
            *statement = statement.replacen(&zero, &marker, 1);
        }
    }
}

#[cfg(test)]
mod tests;
