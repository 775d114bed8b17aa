//! A plan for reading: the work in order, what stands in its way, the exact statements, and what is left alone.

use super::cells::{bytes, seconds, size, table};
use api::{Estimate, Gate, GateVerdict, LockClass, NodePlan, Plan, Strategy, TablePlan};

/// Tables left alone that are named one by one; the rest is counted.
const LEFT_SHOWN: usize = 20;

/// The whole plan as text.
pub fn plan(plan: &Plan) -> String {
    let mut parts = vec![headline(plan)];
    parts.extend(plan.warnings.iter().map(|warning| format!("warning: {}", super::clean(warning))));
    if plan.work().next().is_some() {
        parts.push(String::new());
        parts.push(work(plan));
    }
    parts.extend(plan.nodes.iter().flat_map(node));
    parts.push(String::new());
    parts.push("Nothing was changed.".to_owned());
    parts.join("\n")
}

fn headline(plan: &Plan) -> String {
    let tables = plan.work().count();
    let nodes = plan.nodes.iter().filter(|node| !node.batches.is_empty()).count();
    if tables == 0 {
        return format!("Plan for {}: nothing to rebuild.", plan.cluster_id);
    }
    let (freed, file) = (bytes(plan.predicted_freed_bytes), size(plan.file_bytes));
    let time = seconds(plan.predicted_seconds);
    format!(
        "Plan for {}: {tables} tables on {nodes} nodes, about {freed} of {file} to free in {time}.",
        plan.cluster_id
    )
}

fn work(plan: &Plan) -> String {
    let header =
        ["NODE", "TABLE", "FILE", "FREES", "95% BETWEEN", "DATA_FREE", "HOW", "STANDS STILL", "NEEDS DISK", "TIME"];
    table(&header, &[2, 3, 5, 8, 9], plan.work().map(row).collect())
}

fn row(table: &TablePlan) -> Vec<String> {
    let estimate = &table.estimate;
    vec![
        table.node.clone(),
        format!("{}.{}", table.database, table.table),
        size(estimate.file_bytes),
        bytes(estimate.predicted_freed_bytes),
        interval(estimate),
        size(estimate.data_free_bytes),
        strategy(&table.strategy),
        lock(table.lock).to_owned(),
        size(table.data_bytes_needed.saturating_add(table.tmp_bytes_needed)),
        seconds(table.predicted_seconds),
    ]
}

fn interval(estimate: &Estimate) -> String {
    format!("{} .. {}", bytes(estimate.predicted_low_bytes), bytes(estimate.predicted_high_bytes))
}

fn strategy(strategy: &Strategy) -> String {
    match strategy {
        Strategy::InPlace => "in place".to_owned(),
        Strategy::Copy { stop_applier: false } => "copy".to_owned(),
        Strategy::Copy { stop_applier: true } => "copy, applier stopped".to_owned(),
        Strategy::Partitions { names } => format!("partitions {}", names.join(",")),
        Strategy::Undo { names } => format!("undo {}", names.join(",")),
        Strategy::Skip { .. } => "skip".to_owned(),
    }
}

fn lock(lock: LockClass) -> &'static str {
    match lock {
        LockClass::None => "nothing",
        LockClass::Shared => "writes",
        LockClass::Exclusive => "all",
    }
}

/// What there is to say about a node below the table; nothing if all is well and there is no work.
fn node(node: &NodePlan) -> Vec<String> {
    let mut lines = Vec::new();
    lines.extend(node.skipped.iter().map(|reason| format!("  left alone: {reason}")));
    lines.extend(node.gates.iter().filter_map(|gate| objection(gate, "")));
    let tables: Vec<&TablePlan> = node.batches.iter().flat_map(|batch| &batch.tables).collect();
    let shared = shared(&tables);
    if shared > 0 {
        lines.push("  before each table, in its session:".to_owned());
        lines.extend(tables[0].statements[..shared].iter().map(|statement| format!("    {statement};")));
        lines.push("  then, one after the other:".to_owned());
    }
    for table in tables {
        let name = format!("{}.{}: ", table.database, table.table);
        lines.extend(table.statements[shared..].iter().map(|statement| format!("    {statement};")));
        lines.extend(table.gates.iter().filter_map(|gate| objection(gate, &name)));
    }
    lines.extend(left(&node.left));
    if lines.is_empty() {
        return lines;
    }
    let mut said = vec![String::new(), format!("{} ({})", node.node, node.role)];
    said.extend(lines.iter().map(|line| super::clean(line)));
    said
}

/// How many statements all tables begin with: said once instead of once per table.
fn shared(tables: &[&TablePlan]) -> usize {
    let Some((first, others)) = tables.split_first() else { return 0 };
    let same = |index: usize| others.iter().all(|other| other.statements.get(index) == first.statements.get(index));
    let last = tables.iter().map(|table| table.statements.len()).min().unwrap_or(0).saturating_sub(1);
    (0..last).take_while(|index| same(*index)).count()
}

fn objection(gate: &Gate, subject: &str) -> Option<String> {
    match &gate.verdict {
        GateVerdict::Pass => None,
        GateVerdict::Wait { reason } => Some(format!("  gate {}: {subject}would wait: {reason}", gate.name)),
        GateVerdict::Refuse { reason } => Some(format!("  gate {}: {subject}refuses: {reason}", gate.name)),
    }
}

fn left(tables: &[TablePlan]) -> Vec<String> {
    let reason = |table: &TablePlan| match &table.strategy {
        Strategy::Skip { reason } => reason.clone(),
        other => strategy(other),
    };
    let line = |table: &TablePlan| format!("  skip {}.{}: {}", table.database, table.table, reason(table));
    let mut lines: Vec<String> = tables.iter().take(LEFT_SHOWN).map(line).collect();
    if tables.len() > LEFT_SHOWN {
        lines.push(format!(
            "  and {} more tables left alone (all of them with --output-format json)",
            tables.len() - LEFT_SHOWN
        ));
    }
    lines
}
