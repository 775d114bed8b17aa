//! Nodes and edges as they cross the door.

use super::{BINLOG, Companion, Drawing, Index, KINDS, shape};
use crate::facts::{Group, OwnWrites};
use crate::lag::worst;
use crate::members::Member;
use crate::writer::judge;
use api::{Edge, Evidence, GraphNode, Reach};
use std::collections::{BTreeMap, BTreeSet};

/// Every node that belongs, by its place.
pub(super) fn nodes(drawing: &Drawing<'_>, kept: &[Index]) -> BTreeMap<Index, GraphNode> {
    let ringed: BTreeSet<Index> = shape::rings(drawing).into_iter().flatten().collect();
    let mut nodes: BTreeMap<Index, GraphNode> =
        kept.iter().map(|index| (*index, node(drawing, *index, ringed.contains(index)))).collect();
    let named: Vec<(Index, Evidence)> = drawing
        .companions
        .iter()
        .filter_map(|companion| Some((companion.node, named(drawing, &nodes, companion)?)))
        .collect();
    for (index, proof) in named {
        if let Some(node) = nodes.get_mut(&index)
            && !node.evidence.contains(&proof)
        {
            node.evidence.push(proof);
        }
    }
    nodes
}

fn node(drawing: &Drawing<'_>, index: Index, ringed: bool) -> GraphNode {
    match drawing.people.members.get(index) {
        Some(member) => reached(drawing, index, member, ringed),
        None => absent(drawing, index),
    }
}

fn reached(drawing: &Drawing<'_>, index: Index, member: &Member<'_>, ringed: bool) -> GraphNode {
    let mut facts = member.observation.facts.clone();
    facts.declared_primary = member.aliases.iter().any(|alias| drawing.options.declared_primaries.contains(alias));
    let verdict = judge(&facts);
    GraphNode {
        id: id(drawing, member),
        address: member.address.clone(),
        server_id: facts.identity.server_id,
        role: role(drawing, index, member, ringed).to_owned(),
        writer: verdict.writer,
        writer_reasons: verdict.reasons,
        // What is unknown is shown as the dangerous case.
        read_only: facts.read_only.unwrap_or(false),
        super_read_only: facts.super_read_only,
        flavor: facts.identity.flavor.as_str().to_owned(),
        version: facts.identity.version.clone(),
        lag_seconds: worst(member.channels()),
        reach: Reach::Reached,
        depth: member.depth,
        evidence: Vec::new(),
    }
}

/// The uuid while it is one server's only; with a copied data directory the address must tell two apart.
fn id(drawing: &Drawing<'_>, member: &Member<'_>) -> String {
    let place = format!("{}@{}", member.identity().server_id, member.address);
    match member.uuid() {
        None => place,
        Some(uuid) if drawing.people.members.iter().filter(|other| other.uuid() == Some(uuid)).count() == 1 => {
            uuid.to_owned()
        }
        Some(uuid) => format!("{uuid}:{place}"),
    }
}

fn group_of<'a>(member: &'a Member<'_>) -> Option<&'a Group> {
    member.observation.facts.group.as_ref().ok()?.value.as_ref()
}

fn role(drawing: &Drawing<'_>, index: Index, member: &Member<'_>, ringed: bool) -> &'static str {
    if member.observation.facts.galera.as_ref().is_ok_and(|told| told.value.is_some()) {
        return "galera";
    }
    if let Some(own) = group_of(member).and_then(|group| group.members.iter().find(|m| member.uuid() == Some(&m.uuid)))
    {
        return if own.role == "PRIMARY" { "group-primary" } else { "group-secondary" };
    }
    let (has_source, feeds) = ends(drawing, index);
    match (has_source, feeds) {
        _ if member.observation.facts.inbound.is_err() => "unknown",
        (false, _) => "primary",
        (true, true) if ringed && member.observation.facts.read_only != Some(true) => "primary",
        (true, true) => "intermediate",
        (true, false) => "replica",
    }
}

/// Whether a node has a source, and whether servers follow it.
fn ends(drawing: &Drawing<'_>, index: Index) -> (bool, bool) {
    let links = || drawing.links.keys().filter(|key| key.2 == BINLOG);
    let is_server = |index: Index| {
        let absent = index.checked_sub(drawing.people.members.len()).map(|place| &drawing.absent[place]);
        absent.is_none_or(|absent| absent.reach != Reach::NotAServer)
    };
    (links().any(|key| key.1 == index), links().any(|key| key.0 == index && is_server(key.1)))
}

fn absent(drawing: &Drawing<'_>, index: Index) -> GraphNode {
    let absent = &drawing.absent[index - drawing.people.members.len()];
    let is_client = absent.reach == Reach::NotAServer;
    let has_source = ends(drawing, index).0;
    let id =
        if absent.uuid.is_empty() { format!("{}@{}", absent.server_id, absent.address) } else { absent.uuid.clone() };
    let role = if is_client {
        "binlog-client"
    } else if has_source {
        "replica"
    } else {
        "unknown"
    };
    GraphNode {
        id,
        address: absent.address.clone(),
        server_id: absent.server_id,
        role: role.to_owned(),
        writer: !is_client,
        writer_reasons: vec![if is_client { "it reads the binlog only" } else { "it was not asked" }.to_owned()],
        read_only: false,
        super_read_only: None,
        flavor: String::new(),
        version: String::new(),
        lag_seconds: None,
        reach: absent.reach.clone(),
        depth: absent.depth,
        evidence: Vec::new(),
    }
}

/// Every link between nodes that belong.
pub(super) fn edges(drawing: &Drawing<'_>, nodes: &BTreeMap<Index, GraphNode>) -> Vec<Edge> {
    let mut edges = Vec::new();
    for ((source, target, kind, channel), link) in &drawing.links {
        let (Some(source), Some(target)) = (nodes.get(source), nodes.get(target)) else { continue };
        edges.push(Edge {
            source: source.id.clone(),
            target: target.id.clone(),
            kind: KINDS[usize::from(*kind)],
            channel: channel.clone(),
            healthy: link.healthy,
            last_error: link.last_error.clone(),
            evidence: link.proofs.iter().filter_map(|proof| evidence(drawing, nodes, proof)).collect(),
        });
    }
    edges
}

fn evidence(drawing: &Drawing<'_>, nodes: &BTreeMap<Index, GraphNode>, proof: &super::Proof) -> Option<Evidence> {
    let seen_at = drawing.people.members.get(proof.told_by)?.seen_at;
    Some(Evidence {
        statement: proof.statement.clone(),
        told_by: nodes.get(&proof.told_by)?.id.clone(),
        seen_at,
        age_seconds: drawing.now.duration_since(seen_at).as_secs_f64().max(0.0),
    })
}

/// The proof of a node that a list names; the configuration was read before anybody was asked.
fn named(drawing: &Drawing<'_>, nodes: &BTreeMap<Index, GraphNode>, companion: &Companion) -> Option<Evidence> {
    let statement = companion.statement.clone();
    if let Some(told_by) = companion.told_by {
        return evidence(drawing, nodes, &super::Proof { statement, told_by });
    }
    let seen_at = drawing.reports.first().map_or(drawing.now, |report| report.seen_at);
    let age_seconds = drawing.now.duration_since(seen_at).as_secs_f64().max(0.0);
    Some(Evidence { statement, told_by: "configuration".to_owned(), seen_at, age_seconds })
}

/// Whether a member wrote by itself while it was asked; used for warnings.
pub(super) fn wrote(member: &Member<'_>) -> bool {
    matches!(member.observation.facts.own_writes, OwnWrites::Advanced(_))
}
