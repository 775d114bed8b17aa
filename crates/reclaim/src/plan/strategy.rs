//! How a table is rebuilt: in place, by copy, partition by partition, or not at all. Pure.

use super::{
    facts::{GroupDemand, NodeFacts},
    tables,
};
use crate::{
    estimate::{Rebuild, TableFacts},
    gates::data_loss_bug,
};
use api::{Algorithm, Estimate, GraphNode, LockClass, Reach, RecycleConfig, Strategy};
use mysql::{Capabilities, Flavor, Version};
use std::collections::BTreeMap;

/// Seconds an applier must be ready to wait for a table to be left running beside even the shortest copy.
const LEAST_PATIENCE: f64 = 30.0;

/// What was decided for one table.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// How.
    pub strategy: Strategy,
    /// What stands still.
    pub lock: LockClass,
    /// The prediction for just this way, and for just the partitions it rebuilds.
    pub estimate: Estimate,
    /// What the operator should know of the choice.
    pub remark: Option<String>,
}

/// Engines other than InnoDB and why they are left alone.
fn foreign_engine(engine: &str) -> Option<String> {
    if engine.eq_ignore_ascii_case("InnoDB") {
        return None;
    }
    Some(match engine.to_ascii_uppercase().as_str() {
        "MEMORY" => "MEMORY keeps its rows in memory and holds no disk".to_owned(),
        "CSV" => "CSV files hold no free space that a rebuild could give back".to_owned(),
        "ARCHIVE" => "ARCHIVE tables only grow by appending; OPTIMIZE TABLE recompresses one by hand".to_owned(),
        "MYISAM" | "ARIA" => {
            format!("{engine} is not crash-safe while it is rewritten; OPTIMIZE TABLE does it by hand")
        }
        _ => format!("tables of engine {engine} are not rebuilt, only InnoDB's are"),
    })
}

/// Why a logged statement must not rebuild online: the same statement runs on every server below, each with its own bugs.
/// A server whose build is not known counts as affected.
pub fn doubt_below(below: &[&GraphNode]) -> Option<String> {
    below.iter().find_map(|node| {
        let known = Flavor::parse(&node.flavor).zip(Version::parse(&node.version));
        let why = match known.filter(|_| node.reach == Reach::Reached) {
            Some((flavor, version)) => data_loss_bug::affected(flavor, version)?,
            None => "its version is not known: an online rebuild is not to be trusted",
        };
        Some(format!("copied, not rebuilt online: the statement reaches {} ({}): {why}", node.address, node.version))
    })
}

/// Decides for one table; the estimate's thresholds are not looked at here, except to choose partitions. `below` is
/// what [`doubt_below`] says of the servers the statement reaches, if it is logged.
pub fn decide(table: &TableFacts, node: &NodeFacts, below: Option<&str>, config: &RecycleConfig) -> Decision {
    let skip = |reason: String| Decision {
        strategy: Strategy::Skip { reason },
        lock: LockClass::None,
        estimate: table.estimate.clone(),
        remark: None,
    };
    if let Some(reason) = foreign_engine(&table.engine) {
        return skip(reason);
    }
    if table.shared_tablespace {
        return skip("it lies in a shared tablespace, which a rebuild does not shrink".to_owned());
    }
    let doubt = online_doubt(table, &node.capabilities).or_else(|| below.map(str::to_owned));
    let decision = match (partitions(table, config, doubt.is_some()), doubt) {
        (Some(decision), _) => decision,
        (None, Some(remark)) => copy(table, node, remark),
        (None, None) => in_place(table),
    };
    match move_objection(&decision, node).or_else(|| group_objection(&decision, node)) {
        Some(reason) => skip(reason),
        None => decision,
    }
}

/// Why a table would not come to lie where it was: both engines put a copy where new tables go.
fn move_objection(decision: &Decision, node: &NodeFacts) -> Option<String> {
    let copied = decision.strategy != Strategy::InPlace;
    (copied && node.settings.copies_are_shared).then(|| {
        "innodb_file_per_table is OFF, so a copy would move it into the system tablespace, which never shrinks; SET GLOBAL \
         innodb_file_per_table = ON first"
            .to_owned()
    })
}

/// Why a member of a replication group must not keep writes to a table waiting that long. Its applier cannot be stopped in
/// good order: a member whose applier gives up is thrown out of the group.
fn group_objection(decision: &Decision, node: &NodeFacts) -> Option<String> {
    let demand = node.settings.group.filter(|_| decision.lock != LockClass::None)?;
    if demand == GroupDemand::Applied {
        return Some(
            "its group's commits wait until every member has applied them (group_replication_consistency), so the whole \
             group would wait while it is rebuilt; set BEFORE_ON_PRIMARY_FAILOVER for that time"
                .to_owned(),
        );
    }
    let (patience, needed) = (node.settings.applier_patience, patience_for(&decision.estimate));
    (patience < needed).then(|| {
        format!(
            "its group's applier waits {patience:.0} s for a table at most and the rebuild may take {needed:.0} s, so the \
             member could be thrown out of the group; raise lock_wait_timeout"
        )
    })
}

/// Seconds an applier must be ready to wait for a table that is copied.
fn patience_for(estimate: &Estimate) -> f64 {
    (3.0 * super::cost::seconds(Algorithm::Copy, estimate)).max(LEAST_PATIENCE)
}

fn in_place(table: &TableFacts) -> Decision {
    let lock = if table.has_spatial { LockClass::Shared } else { LockClass::None };
    Decision { strategy: Strategy::InPlace, lock, estimate: table.estimate.clone(), remark: None }
}

fn copy(table: &TableFacts, node: &NodeFacts, remark: String) -> Decision {
    let estimate = table.estimate_for(&Rebuild::ours(&node.capabilities).by(Algorithm::Copy));
    // A write to the table waits in the applier; if it would lose patience it stops with an error, so it is stopped
    // in good order before.
    let stop_applier = node.settings.applier_patience < patience_for(&estimate);
    Decision { strategy: Strategy::Copy { stop_applier }, lock: LockClass::Shared, estimate, remark: Some(remark) }
}

/// Why an online rebuild is impossible or not to be trusted; `None` if it is fine.
fn online_doubt(table: &TableFacts, capabilities: &Capabilities) -> Option<String> {
    if let Some(bug) = data_loss_bug::affected(capabilities.flavor, capabilities.version) {
        return Some(format!("copied, not rebuilt online: {bug}"));
    }
    if table.has_fulltext {
        return Some("copied: a FULLTEXT index cannot be rebuilt online".to_owned());
    }
    if table.has_indexed_virtual && capabilities.is_mariadb() {
        return Some("copied: MariaDB does not rebuild a table with an index on a virtual column online".to_owned());
    }
    None
}

/// Only the partitions that pay, if that is clearly less work than the whole table, or if the online loader is not to be
/// trusted: `REBUILD PARTITION` copies rows and is safe.
fn partitions(table: &TableFacts, config: &RecycleConfig, doubtful: bool) -> Option<Decision> {
    if !table.is_partitioned() || table.has_fulltext {
        return None;
    }
    let paying = paying(table, config);
    let written = |estimate: &Estimate| estimate.file_bytes as f64 - estimate.predicted_freed_bytes as f64;
    let estimate = paying.values().fold(nothing(table), |sum, part| add(&sum, part));
    let all = paying.len() == names(table);
    let little = written(&estimate) < 0.5 * written(&table.estimate);
    if paying.is_empty() || !(doubtful || (little && !all)) {
        return None;
    }
    Some(Decision {
        strategy: Strategy::Partitions { names: paying.keys().map(|name| (*name).to_owned()).collect() },
        lock: LockClass::Shared,
        estimate,
        remark: Some("writes to the table wait while a partition is rebuilt".to_owned()),
    })
}

fn names(table: &TableFacts) -> usize {
    by_name(table).len()
}

/// Estimates by partition name; subpartitions of one partition are rebuilt together, so they add up.
fn by_name(table: &TableFacts) -> BTreeMap<&str, Estimate> {
    let mut sums: BTreeMap<&str, Estimate> = BTreeMap::new();
    for part in &table.partitions {
        let sum = sums.get(part.name.as_str()).map_or_else(|| part.estimate.clone(), |sum| add(sum, &part.estimate));
        sums.insert(&part.name, sum);
    }
    sums
}

/// Partitions whose own gain is clear of its error and worth their share of the threshold in percent.
fn paying<'a>(table: &'a TableFacts, config: &RecycleConfig) -> BTreeMap<&'a str, Estimate> {
    let alone = RecycleConfig { threshold_mb: 0, ..config.clone() };
    by_name(table).into_iter().filter(|(_, estimate)| tables::reason_to_leave(estimate, &alone).is_none()).collect()
}

fn nothing(table: &TableFacts) -> Estimate {
    Estimate {
        file_bytes: 0,
        predicted_freed_bytes: 0,
        predicted_low_bytes: 0,
        predicted_high_bytes: 0,
        data_free_bytes: 0,
        method: table.estimate.method,
    }
}

fn add(a: &Estimate, b: &Estimate) -> Estimate {
    Estimate {
        file_bytes: a.file_bytes + b.file_bytes,
        predicted_freed_bytes: a.predicted_freed_bytes + b.predicted_freed_bytes,
        predicted_low_bytes: a.predicted_low_bytes + b.predicted_low_bytes,
        predicted_high_bytes: a.predicted_high_bytes + b.predicted_high_bytes,
        data_free_bytes: a.data_free_bytes + b.data_free_bytes,
        method: a.method,
    }
}

#[cfg(test)]
mod tests;
