//! What MySQL Shell's metadata adds: proofs of links, members nobody else speaks of, and where it is wrong.

use super::absent::Claim;
use super::{BINLOG, Companion, Drawing, GROUP, Index};
use crate::facts::{ShellInstance, ShellMetadata, Told};
use crate::members::is_at;
use std::collections::BTreeSet;

/// Each member's metadata, one after the other.
pub(super) fn shell(drawing: &mut Drawing<'_>) {
    let members = drawing.people.members.len();
    for teller in 0..members {
        let observation = drawing.people.members[teller].observation;
        let Some(told) = &observation.shell else { continue };
        let places: Vec<(Index, &ShellInstance)> =
            told.value.instances.iter().map(|instance| (place(drawing, teller, instance), instance)).collect();
        drawing.companions.extend(places.iter().map(|(node, _)| Companion {
            beside: teller,
            node: *node,
            statement: told.statement.clone(),
            told_by: Some(teller),
        }));
        confirm(drawing, teller, told, &places);
        for (target, instance) in places.iter().filter(|(target, _)| *target >= members) {
            add(drawing, teller, told, &places, (*target, instance));
        }
        strangers(drawing, teller, &told.value);
    }
}

/// The name the metadata gives the cluster, as the leading member tells it, else the first that tells one.
pub(super) fn name(drawing: &Drawing<'_>, root: Option<Index>) -> Option<String> {
    let told = |index: Index| {
        let shell = drawing.people.members.get(index)?.observation.shell.as_ref()?;
        Some(shell.value.cluster.clone()).filter(|name| !name.is_empty())
    };
    root.and_then(told).or_else(|| (0..drawing.people.members.len()).find_map(told))
}

fn known(drawing: &Drawing<'_>, uuid: &str) -> Option<Index> {
    drawing.people.members.iter().position(|member| member.uuid() == Some(uuid))
}

/// The node an instance means; warns where another server answers at its address.
fn place(drawing: &mut Drawing<'_>, teller: Index, instance: &ShellInstance) -> Index {
    if let Some(index) = known(drawing, &instance.uuid) {
        return index;
    }
    let from = drawing.people.members[teller].address.clone();
    let there = drawing.people.members.iter().find(|member| is_at(member, &from, &instance.host, instance.port));
    if let Some(uuid) = there.and_then(|member| member.uuid()) {
        let address = types::Address::new(instance.host.clone(), instance.port);
        let text = format!(
            "MySQL Shell's metadata names server uuid {} at {address}, and the server there is {uuid}: run cluster.rescan()",
            instance.uuid
        );
        drawing.warnings.push(text);
    }
    let claim = Claim { uuid: &instance.uuid, server_id: 0, host: &instance.host, port: instance.port };
    drawing.absent(teller, claim)
}

/// The links between its instances that others told of already.
fn confirm(drawing: &mut Drawing<'_>, teller: Index, told: &Told<ShellMetadata>, places: &[(Index, &ShellInstance)]) {
    let named: BTreeSet<Index> = places.iter().map(|(index, _)| *index).collect();
    let both = |key: &&super::LinkKey| named.contains(&key.0) && named.contains(&key.1);
    let keys: Vec<super::LinkKey> = drawing.links.keys().filter(both).cloned().collect();
    for key in keys {
        drawing.prove(key, &told.statement, teller);
    }
}

/// An instance nobody answered for: below the group's primaries or its source; where those are not known, or where it feeds
/// others, beside the rest. Old metadata must not put what follows another server below this one.
fn add(
    drawing: &mut Drawing<'_>,
    teller: Index,
    told: &Told<ShellMetadata>,
    places: &[(Index, &ShellInstance)],
    (target, instance): (Index, &ShellInstance),
) {
    if drawing.links.keys().any(|key| key.0 == target) {
        return;
    }
    let (kind, sources) = if instance.in_group {
        (GROUP, primaries(drawing, teller))
    } else {
        let source = places.iter().find(|(_, other)| instance.source.as_deref() == Some(other.uuid.as_str()));
        (BINLOG, source.map(|(index, _)| *index).into_iter().collect())
    };
    for source in sources {
        let linked = drawing.links.keys().any(|key| (key.0, key.1, key.2) == (source, target, kind));
        if !linked && source != target {
            drawing.prove((source, target, kind, String::new()), &told.statement, teller);
        }
    }
}

fn primaries(drawing: &Drawing<'_>, teller: Index) -> Vec<Index> {
    let facts = &drawing.people.members[teller].observation.facts;
    let Some(group) = facts.group.as_ref().ok().and_then(|told| told.value.as_ref()) else { return Vec::new() };
    let leads = group.members.iter().filter(|member| member.role == "PRIMARY");
    leads.filter_map(|member| known(drawing, &member.uuid)).collect()
}

/// Members of the teller's group that answered and that the metadata does not name.
fn strangers(drawing: &mut Drawing<'_>, teller: Index, shell: &ShellMetadata) {
    let facts = &drawing.people.members[teller].observation.facts;
    let Some(group) = facts.group.as_ref().ok().and_then(|told| told.value.as_ref()) else { return };
    let named = |uuid: &str| shell.instances.iter().any(|instance| instance.uuid == uuid);
    let unnamed = group.members.iter().filter(|member| !named(&member.uuid));
    let texts: Vec<String> = unnamed
        .filter_map(|member| known(drawing, &member.uuid))
        .map(|index| {
            let address = &drawing.people.members[index].address;
            format!(
                "{address} is a member of the group, and MySQL Shell's metadata does not name it: run cluster.rescan()"
            )
        })
        .collect();
    drawing.warnings.extend(texts);
}
