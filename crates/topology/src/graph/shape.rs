//! The shape of the links: what hangs together with the seed, and what goes round.

use super::{BINLOG, Drawing, Index};
use petgraph::{algo::tarjan_scc, graphmap::DiGraphMap, unionfind::UnionFind};

/// The nodes that hang together with the seed, in order; strangers met at wrong addresses fall away.
pub(super) fn component(drawing: &Drawing<'_>) -> Vec<Index> {
    let mut sets = UnionFind::<usize>::new(drawing.count().max(1));
    for (source, target, ..) in drawing.links.keys() {
        sets.union(*source, *target);
    }
    for companion in &drawing.companions {
        sets.union(companion.beside, companion.node);
    }
    (0..drawing.count()).filter(|index| sets.equiv(*index, 0)).collect()
}

/// Rings of binlog replication, each in order of its members.
pub(super) fn rings(drawing: &Drawing<'_>) -> Vec<Vec<Index>> {
    let links = drawing.links.keys().filter(|key| key.2 == BINLOG && key.0 != key.1);
    let graph: DiGraphMap<Index, ()> = links.map(|key| (key.0, key.1, ())).collect();
    let mut rings: Vec<Vec<Index>> = tarjan_scc(&graph).into_iter().filter(|ring| ring.len() > 1).collect();
    for ring in &mut rings {
        ring.sort_unstable();
    }
    rings.sort();
    rings
}
