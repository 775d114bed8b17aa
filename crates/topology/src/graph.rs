//! From visits to one picture: members, links with their proofs, the seed's tree, warnings. Pure.

mod absent;
mod inventory;
mod links;
mod membership;
mod nodes;
mod shape;
mod shell;
mod tree;
mod warnings;

use crate::members::People;
use crate::options::DiscoverOptions;
use crate::survey::Report;
use absent::Absent;
use api::{ClusterTopology, EdgeKind};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// A node of the drawing: members first, in order, then those only others speak of.
pub(crate) type Index = usize;

/// A proof as it is collected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Proof {
    pub statement: String,
    pub told_by: Index,
}

/// A link as it is collected.
#[derive(Debug, Default)]
pub(crate) struct Link {
    pub healthy: Option<bool>,
    pub last_error: String,
    pub proofs: Vec<Proof>,
}

/// A node that is said to belong, by a list and not by a link.
#[derive(Debug)]
pub(crate) struct Companion {
    /// A node of the same cluster.
    pub beside: Index,
    /// Which one.
    pub node: Index,
    /// What names it.
    pub statement: String,
    /// Who said so; nobody if it is our own configuration.
    pub told_by: Option<Index>,
}

/// From, to, kind, channel.
pub(crate) type LinkKey = (Index, Index, u8, String);

/// The picture while it is drawn.
pub(crate) struct Drawing<'a> {
    pub people: People<'a>,
    pub absent: Vec<Absent>,
    pub links: BTreeMap<LinkKey, Link>,
    /// Nodes that belong together though no link between them is known.
    pub companions: Vec<Companion>,
    pub warnings: Vec<String>,
    pub reports: &'a [Report],
    pub options: &'a DiscoverOptions,
    pub now: Timestamp,
}

pub(crate) const KINDS: [EdgeKind; 3] = [EdgeKind::Binlog, EdgeKind::Group, EdgeKind::Galera];
pub(crate) const BINLOG: u8 = 0;
pub(crate) const GROUP: u8 = 1;
pub(crate) const GALERA: u8 = 2;

impl Drawing<'_> {
    /// Adds a proof to a link, which it makes if there is none yet.
    pub(crate) fn prove(&mut self, key: LinkKey, statement: &str, told_by: Index) -> &mut Link {
        let link = self.links.entry(key).or_default();
        let proof = Proof { statement: statement.to_owned(), told_by };
        if !link.proofs.contains(&proof) {
            link.proofs.push(proof);
        }
        link
    }

    /// All nodes, absent ones included.
    pub(crate) fn count(&self) -> usize {
        self.people.members.len() + self.absent.len()
    }
}

/// Draws the picture; the first report is the seed's.
pub(crate) fn draw(reports: &[Report], options: &DiscoverOptions, now: Timestamp) -> ClusterTopology {
    let mut drawing = Drawing {
        people: People::of(reports),
        absent: Vec::new(),
        links: BTreeMap::new(),
        companions: Vec::new(),
        warnings: Vec::new(),
        reports,
        options,
        now,
    };
    links::inbound(&mut drawing);
    links::downstream(&mut drawing);
    membership::groups(&mut drawing);
    membership::galera(&mut drawing);
    shell::shell(&mut drawing);
    inventory::inventory(&mut drawing);
    let kept = shape::component(&drawing);
    let nodes = nodes::nodes(&drawing, &kept);
    let root = tree::root(&drawing, &kept, &nodes);
    let topology = tree::tree(&drawing, &kept, &nodes, root);
    warnings::collect(&mut drawing, &kept, &nodes);
    let cluster_id = tree::cluster_id(root.or(kept.first().copied()).map(|index| nodes[&index].id.as_str()));
    let name = options.cluster_name.clone().or_else(|| shell::name(&drawing, root));
    ClusterTopology {
        cluster_name: name.unwrap_or_else(|| cluster_id.clone()),
        cluster_id,
        discover_time: now,
        tree: topology.clone(),
        topology,
        edges: nodes::edges(&drawing, &nodes),
        warnings: std::mem::take(&mut drawing.warnings),
        nodes: nodes.into_values().collect(),
    }
}
