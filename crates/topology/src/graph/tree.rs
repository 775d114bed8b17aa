//! The seed's tree: one master, its replicas below it, rings cut at the first repeat.

use super::{Drawing, Index};
use api::{DatabaseNode, GraphNode, Reach, TopologyTree};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

type Nodes = BTreeMap<Index, GraphNode>;

fn is_primary(node: &GraphNode) -> bool {
    matches!(node.role.as_str(), "primary" | "group-primary" | "galera")
}

/// Where the tree begins: the primary that was reached, takes writes and has most below it; failing that, a source
/// that was not reached.
pub(super) fn root(drawing: &Drawing<'_>, kept: &[Index], nodes: &Nodes) -> Option<Index> {
    let fed: BTreeSet<Index> = drawing.links.keys().map(|key| key.1).collect();
    let may_lead = |index: &&Index| {
        let node = &nodes[*index];
        is_primary(node) || (node.role == "unknown" && !fed.contains(*index) && kept.len() > 1)
    };
    let weight = |index: &Index| {
        let node = &nodes[index];
        let reached = node.reach == Reach::Reached;
        (is_primary(node), reached, reached && !node.read_only, below(drawing, *index).len(), std::cmp::Reverse(*index))
    };
    let leader = kept.iter().filter(may_lead).max_by_key(|index| weight(index)).copied();
    // A ring of read-only members has no primary; its largest tree is still worth drawing.
    let fallback = || {
        let sources = kept.iter().filter(|index| nodes[*index].role == "intermediate");
        sources.max_by_key(|index| weight(index)).copied()
    };
    leader.or_else(fallback)
}

fn targets(drawing: &Drawing<'_>, source: Index) -> impl Iterator<Item = Index> {
    drawing.links.keys().filter(move |key| key.0 == source).map(|key| key.1)
}

fn below(drawing: &Drawing<'_>, top: Index) -> BTreeSet<Index> {
    let (mut seen, mut open) = (BTreeSet::new(), vec![top]);
    while let Some(index) = open.pop() {
        if seen.insert(index) {
            open.extend(targets(drawing, index));
        }
    }
    seen
}

/// The tree from `root`, and beside it what it does not hold.
pub(super) fn tree(drawing: &Drawing<'_>, kept: &[Index], nodes: &Nodes, root: Option<Index>) -> TopologyTree {
    let mut drawn = BTreeSet::new();
    let master = root.map(|root| branch(drawing, nodes, root, true, &mut drawn));
    let fed: BTreeSet<Index> = drawing.links.keys().map(|key| key.1).collect();
    let mut slaves = Vec::new();
    // Roots first, so that what hangs below them is drawn there and not beside them.
    for roots in [true, false] {
        for index in kept.iter().filter(|index| fed.contains(*index) != roots) {
            if !drawn.contains(index) && nodes[index].reach != Reach::NotAServer {
                slaves.push(branch(drawing, nodes, *index, is_primary(&nodes[index]), &mut drawn));
            }
        }
    }
    TopologyTree { master, slaves }
}

/// Breadth first, so that a member stands as near to the root as it is.
fn branch(drawing: &Drawing<'_>, nodes: &Nodes, top: Index, leads: bool, drawn: &mut BTreeSet<Index>) -> DatabaseNode {
    let mut children: BTreeMap<Index, Vec<Index>> = BTreeMap::new();
    drawn.insert(top);
    let mut level = vec![top];
    while !level.is_empty() {
        let mut next = Vec::new();
        for source in level {
            for target in targets(drawing, source) {
                let drawable = nodes.get(&target).is_some_and(|node| node.reach != Reach::NotAServer);
                if drawable && drawn.insert(target) {
                    children.entry(source).or_default().push(target);
                    next.push(target);
                }
            }
        }
        level = next;
    }
    shape(nodes, &children, top, leads)
}

fn shape(nodes: &Nodes, children: &BTreeMap<Index, Vec<Index>>, index: Index, leads: bool) -> DatabaseNode {
    let node = &nodes[&index];
    let below = children.get(&index).map(Vec::as_slice).unwrap_or_default();
    let mut slaves: Vec<DatabaseNode> = below.iter().map(|child| shape(nodes, children, *child, false)).collect();
    slaves.sort_by(|a, b| (&a.host, a.port).cmp(&(&b.host, b.port)));
    let lag = if leads { node.lag_seconds.unwrap_or(0) } else { node.lag_seconds.unwrap_or(-1) };
    DatabaseNode {
        host: node.address.host.clone(),
        port: node.address.port,
        server_id: node.server_id,
        read_only: node.read_only,
        role: if leads { "master" } else { "slave" }.to_owned(),
        lag_seconds: lag,
        slaves,
    }
}

/// A name that stays while the same server leads.
pub(super) fn cluster_id(root: Option<&str>) -> String {
    let digest = Sha256::digest(root.unwrap_or_default());
    digest.iter().take(4).fold("cluster-".to_owned(), |mut id, byte| {
        let _ = write!(id, "{byte:02x}");
        id
    })
}
