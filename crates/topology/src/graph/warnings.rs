//! What an operator should know, in words.

use super::{Drawing, Index, nodes, shape};
use crate::facts::Untold;
use api::{GraphNode, Reach};
use std::collections::{BTreeMap, BTreeSet};

type Nodes = BTreeMap<Index, GraphNode>;

/// Adds every warning to those the links gave; same texts once.
pub(super) fn collect(drawing: &mut Drawing<'_>, kept: &[Index], nodes: &Nodes) {
    let mut found = std::mem::take(&mut drawing.warnings);
    found.extend(unreached(nodes));
    found.extend(duplicates(drawing, kept));
    found.extend(rings(drawing, kept, nodes));
    found.extend(writers(nodes));
    found.extend(broken(drawing, nodes));
    found.extend(refusals(drawing, kept));
    found.extend(mixed(nodes));
    found.extend(nameless(drawing, kept));
    let mut seen = BTreeSet::new();
    found.retain(|text| seen.insert(text.clone()));
    drawing.warnings = found;
}

fn unreached(nodes: &Nodes) -> Vec<String> {
    let mut warnings = Vec::new();
    for node in nodes.values() {
        if let Reach::Unreachable { error } = &node.reach {
            warnings.push(format!("{} (server id {}) could not be asked: {error}", node.address, node.server_id));
        }
    }
    let beyond = nodes.values().filter(|node| node.reach == Reach::BeyondDepth).count();
    if beyond > 0 {
        warnings.push(format!("{beyond} members lie beyond the depth limit and were not asked"));
    }
    warnings
}

fn duplicates(drawing: &Drawing<'_>, kept: &[Index]) -> Vec<String> {
    let mut ids: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for member in kept.iter().filter_map(|index| drawing.people.members.get(*index)) {
        let address = member.address.to_string();
        ids.entry(format!("server id {}", member.identity().server_id)).or_default().push(address.clone());
        if let Some(uuid) = member.uuid() {
            ids.entry(format!("server uuid {uuid}")).or_default().push(address);
        }
    }
    let shared = ids.into_iter().filter(|(_, who)| who.len() > 1);
    shared.map(|(id, who)| format!("{} share {id}: replication between them is not safe", who.join(" and "))).collect()
}

fn rings(drawing: &Drawing<'_>, kept: &[Index], nodes: &Nodes) -> Vec<String> {
    let ours = |ring: &Vec<Index>| ring.iter().all(|index| kept.contains(index));
    let name = |index: &Index| nodes[index].address.to_string();
    let text = |ring: Vec<Index>| {
        let names: Vec<String> = ring.iter().map(name).collect();
        format!("replication goes round in a ring: {}", names.join(", "))
    };
    shape::rings(drawing).into_iter().filter(ours).map(text).collect()
}

fn writers(nodes: &Nodes) -> Vec<String> {
    let open = |node: &&GraphNode| node.reach == Reach::Reached && !node.read_only;
    let (mut leads, mut others) = (Vec::new(), Vec::new());
    for node in nodes.values().filter(open) {
        let leader = matches!(node.role.as_str(), "primary" | "group-primary" | "galera");
        if leader { &mut leads } else { &mut others }.push(node.address.to_string());
    }
    let mut warnings = Vec::new();
    if leads.len() > 1 {
        warnings.push(format!("several members take writes: {}", leads.join(", ")));
    }
    warnings
        .extend(others.iter().map(|address| format!("{address} follows a source and is writable: read_only is OFF")));
    warnings
}

fn broken(drawing: &Drawing<'_>, nodes: &Nodes) -> Vec<String> {
    let mut warnings = Vec::new();
    for ((source, target, _, channel), link) in &drawing.links {
        let (Some(source), Some(target)) = (nodes.get(source), nodes.get(target)) else { continue };
        if link.healthy == Some(false) {
            let name = if channel.is_empty() { String::new() } else { format!(" (channel `{channel}`)") };
            let error = if link.last_error.is_empty() { "its threads do not both run" } else { &link.last_error };
            warnings.push(format!("{} does not replicate from {}{name}: {error}", target.address, source.address));
        }
    }
    warnings
}

/// What members would not tell, and what they did while asked.
fn refusals(drawing: &Drawing<'_>, kept: &[Index]) -> Vec<String> {
    let mut warnings = Vec::new();
    for member in kept.iter().filter_map(|index| drawing.people.members.get(*index)) {
        let seen = member.observation;
        let refused: [Option<&Untold>; 5] = [
            seen.facts.inbound.as_ref().err(),
            seen.registered.as_ref().err(),
            seen.dumps.as_ref().err(),
            seen.facts.group.as_ref().err(),
            seen.facts.galera.as_ref().err(),
        ];
        for untold in refused.into_iter().flatten() {
            let what = untold.statement.split_whitespace().take(4).collect::<Vec<_>>().join(" ");
            warnings.push(format!("{} would not answer `{what}`: {}", member.address, untold.error));
        }
        if nodes::wrote(member) && member.channels().iter().any(crate::facts::Channel::is_healthy) {
            warnings.push(format!("{} follows a source and wrote transactions of its own just now", member.address));
        }
    }
    warnings
}

/// Galera members nobody tells the address of: they are there and not in the picture.
fn nameless(drawing: &Drawing<'_>, kept: &[Index]) -> Vec<String> {
    let mut warnings = Vec::new();
    for member in kept.iter().filter_map(|index| drawing.people.members.get(*index)) {
        let galera = member.observation.facts.galera.as_ref().ok().and_then(|told| told.value.as_ref());
        if let Some(galera) = galera.filter(|galera| galera.size > galera.members.len()) {
            warnings.push(format!(
                "{} knows {} Galera members and the addresses of {} only; set wsrep_node_incoming_address on the others",
                member.address,
                galera.size,
                galera.members.len()
            ));
        }
    }
    warnings
}

fn mixed(nodes: &Nodes) -> Option<String> {
    let flavors: BTreeSet<&str> = nodes.values().map(|n| n.flavor.as_str()).filter(|name| !name.is_empty()).collect();
    let names: Vec<&str> = flavors.into_iter().collect();
    (names.len() > 1).then(|| format!("engines are mixed: {}", names.join(", ")))
}
