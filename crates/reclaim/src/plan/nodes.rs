//! Which nodes a job works on, and in which order. Pure.

use super::facts::name_of;
use crate::ReclaimError;
use api::{ClusterTopology, EdgeKind, GraphNode, Reach, RecycleConfig, Scope, WorkMode};
use std::collections::{BTreeMap, BTreeSet};

/// One chosen node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// Node id.
    pub id: String,
    /// Why it is left alone; `None` if it is worked on.
    pub skipped: Option<String>,
}

/// Chooses nodes: leaves first, writers last or not at all, ties by address, so that the order is total and stable.
pub fn choose(topology: &ClusterTopology, target: &str, config: &RecycleConfig) -> Result<Vec<Choice>, ReclaimError> {
    let graph = Graph::new(topology);
    let target = graph.nodes.get(target).copied().ok_or_else(|| ReclaimError::TargetUnreachable {
        node: target.to_owned(),
        reason: "discovery did not find it".to_owned(),
    })?;
    if let Reach::Unreachable { error } = &target.reach {
        return Err(ReclaimError::TargetUnreachable { node: name_of(target), reason: error.clone() });
    }
    let mut chosen = graph.scope(target, config);
    let workable = chosen.iter().any(|id| graph.refusal(id, config).is_none());
    if config.mode == WorkMode::BinlogOn && config.exclude_primary && target.writer {
        return Err(on_writer(target, |node, reasons| ReclaimError::LoggedOnWriter { node, reasons }));
    }
    if !workable && target.writer && config.exclude_primary {
        return Err(on_writer(target, |node, reasons| ReclaimError::TargetIsWriter { node, reasons }));
    }
    chosen.sort_by_cached_key(|id| graph.rank(id));
    Ok(chosen.into_iter().map(|id| Choice { skipped: graph.refusal(&id, config), id }).collect())
}

/// The refusal of a writer: what would allow another one does not allow a Galera member.
fn on_writer(target: &GraphNode, otherwise: fn(String, String) -> ReclaimError) -> ReclaimError {
    let (node, reasons) = (name_of(target), target.writer_reasons.join("; "));
    if target.role == "galera" { ReclaimError::TargetIsGalera { node, reasons } } else { otherwise(node, reasons) }
}

/// Servers a statement logged at `top` reaches beside `top` itself.
pub fn below<'a>(topology: &'a ClusterTopology, top: &str) -> Vec<&'a GraphNode> {
    let graph = Graph::new(topology);
    let found = graph.descendants(graph.key(top));
    let servers = found.into_iter().filter(|id| *id != top && graph.is_server(id));
    servers.filter_map(|id| graph.nodes.get(id).copied()).collect()
}

struct Graph<'a> {
    nodes: BTreeMap<&'a str, &'a GraphNode>,
    below: BTreeMap<&'a str, BTreeSet<&'a str>>,
}

impl<'a> Graph<'a> {
    fn new(topology: &'a ClusterTopology) -> Self {
        let nodes = topology.nodes.iter().map(|node| (node.id.as_str(), node)).collect();
        let mut below: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for edge in &topology.edges {
            match edge.kind {
                EdgeKind::Binlog => drop(below.entry(&edge.source).or_default().insert(&edge.target)),
                // Members of a group stand under each other: whoever is named, the others belong to its fleet.
                EdgeKind::Group | EdgeKind::Galera => {
                    below.entry(&edge.source).or_default().insert(&edge.target);
                    below.entry(&edge.target).or_default().insert(&edge.source);
                }
            }
        }
        Self { nodes, below }
    }

    /// Node ids the scope covers, refused ones included.
    fn scope(&self, target: &GraphNode, config: &RecycleConfig) -> Vec<String> {
        let with_target = |mut ids: BTreeSet<&'a str>, id: &'a str| {
            ids.insert(id);
            ids
        };
        let id = self.key(&target.id);
        let flows = config.mode == WorkMode::BinlogOn;
        let ids = match config.scope {
            // A logged statement reaches everything below; the plan shows all it will touch.
            _ if flows && config.scope != Scope::Fleet => with_target(self.descendants(id), id),
            Scope::Node => BTreeSet::from([id]),
            Scope::Auto if !target.writer => BTreeSet::from([id]),
            Scope::Auto if config.exclude_primary => {
                let mut below = self.descendants(id);
                below.remove(id);
                below
            }
            Scope::Auto => with_target(self.descendants(id), id),
            Scope::Fleet => self.nodes.keys().copied().collect(),
        };
        let mut ids: Vec<String> = ids.into_iter().filter(|id| self.is_server(id)).map(str::to_owned).collect();
        if ids.is_empty() && config.scope != Scope::Node {
            ids.push(target.id.clone());
        }
        ids
    }

    fn key(&self, id: &str) -> &'a str {
        self.nodes.get_key_value(id).map_or("", |(key, _)| *key)
    }

    fn is_server(&self, id: &str) -> bool {
        self.nodes.get(id).is_some_and(|node| node.reach != Reach::NotAServer)
    }

    /// Everything that replicates from `id`, directly or not, `id` itself only if it stands in a ring.
    fn descendants(&self, id: &'a str) -> BTreeSet<&'a str> {
        let mut found = BTreeSet::new();
        let mut open = vec![id];
        while let Some(id) = open.pop() {
            for below in self.below.get(id).into_iter().flatten() {
                if found.insert(*below) {
                    open.push(below);
                }
            }
        }
        found
    }

    /// Why a node is left alone.
    fn refusal(&self, id: &str, config: &RecycleConfig) -> Option<String> {
        let node = self.nodes.get(id)?;
        match &node.reach {
            Reach::Unreachable { error } => return Some(format!("it could not be asked: {error}")),
            Reach::BeyondDepth => return Some("it lies beyond the depth limit and was not asked".to_owned()),
            Reach::NotAServer => return Some("it reads the binlog but is no server".to_owned()),
            Reach::Reached => {}
        }
        (node.writer && config.exclude_primary)
            .then(|| format!("it may take writes ({}) and writers are excluded", node.writer_reasons.join("; ")))
    }

    /// Writers after all others, leaves before those above them, then by address and id: a total order.
    fn rank(&self, id: &str) -> (bool, usize, String, String) {
        let writer = self.nodes.get(id).is_none_or(|node| node.writer);
        let address = self.nodes.get(id).map(|node| name_of(node)).unwrap_or_default();
        (writer, self.height(self.key(id), &mut BTreeSet::new()), address, id.to_owned())
    }

    /// Hops to the farthest node below; a ring is cut where it closes.
    fn height(&self, id: &'a str, seen: &mut BTreeSet<&'a str>) -> usize {
        if !seen.insert(id) {
            return 0;
        }
        let below = self.below.get(id).into_iter().flatten();
        let height = below.filter(|below| **below != id).map(|below| 1 + self.height(below, seen)).max().unwrap_or(0);
        seen.remove(id);
        height
    }
}

#[cfg(test)]
mod tests;
