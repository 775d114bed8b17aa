//! Binlog links: claimed by the target, by the source, or by both.

use super::absent::Claim;
use super::{BINLOG, Drawing, Index};
use crate::facts::{Channel, Registered};
use crate::members::is_at;
use crate::readers::{is_client, pair};

/// Links as their targets tell them: one per channel.
pub(super) fn inbound(drawing: &mut Drawing<'_>) {
    for target in 0..drawing.people.members.len() {
        let observation = drawing.people.members[target].observation;
        let Ok(told) = &observation.facts.inbound else { continue };
        for (place, channel) in told.value.iter().enumerate() {
            let known = drawing.people.sources[target][place];
            let source = known.unwrap_or_else(|| drawing.absent(target, claim_of(channel)));
            let key = (source, target, BINLOG, channel.name.clone());
            let link = drawing.prove(key, &told.statement, target);
            link.healthy = Some(channel.is_healthy());
            link.last_error = channel.last_error.chars().take(500).collect();
        }
    }
}

fn claim_of(channel: &Channel) -> Claim<'_> {
    Claim {
        uuid: &channel.source_uuid,
        server_id: channel.source_server_id,
        host: &channel.source_host,
        port: channel.source_port,
    }
}

/// Links as their sources tell them: registered replicas, then dump threads.
pub(super) fn downstream(drawing: &mut Drawing<'_>) {
    for source in 0..drawing.people.members.len() {
        let homeless = registrations(drawing, source);
        dump_threads(drawing, source, homeless);
    }
}

/// Proves links by registrations; gives back the nodes that are registered and were not reached.
fn registrations(drawing: &mut Drawing<'_>, source: Index) -> Vec<Index> {
    let observation = drawing.people.members[source].observation;
    let Ok(told) = &observation.registered else { return Vec::new() };
    let mut homeless = Vec::new();
    for row in &told.value {
        match drawing.people.registered_as(source, row) {
            Some(target) => confirm(drawing, source, target, row, &told.statement),
            None => homeless.push(register_absent(drawing, source, row, &told.statement)),
        }
    }
    homeless
}

fn register_absent(drawing: &mut Drawing<'_>, source: Index, row: &Registered, statement: &str) -> Index {
    let claim = Claim { uuid: &row.uuid, server_id: row.server_id, host: &row.host, port: row.port };
    let target = drawing.absent(source, claim);
    drawing.prove((source, target, BINLOG, String::new()), statement, source);
    target
}

/// A registration of a member we reached: it must agree, and its announced address should lead to it.
fn confirm(drawing: &mut Drawing<'_>, source: Index, target: Index, row: &Registered, statement: &str) {
    let keys: Vec<_> = links_between(drawing, source, target);
    let (from, to) = (drawing.people.members[source].address.clone(), drawing.people.members[target].address.clone());
    if keys.is_empty() {
        let told = drawing.people.members[target].observation.facts.inbound.is_ok();
        if told {
            let text = format!("{from} lists {to} as its replica ({statement}), but {to} does not follow it");
            drawing.warnings.push(text);
        } else {
            drawing.prove((source, target, BINLOG, String::new()), statement, source);
        }
        return;
    }
    for key in keys {
        drawing.prove(key, statement, source);
    }
    if row.host.is_empty() {
        drawing.warnings.push(format!("{to} does not announce its host to {from}: set report_host on it"));
    } else if !is_at(&drawing.people.members[target], &from, &row.host, row.port) {
        let claimed = types::Address::new(row.host.clone(), row.port);
        drawing.warnings.push(format!(
            "{to} announces itself to {from} as {claimed}, which does not lead to it: correct its report_host and report_port"
        ));
    }
}

fn links_between(drawing: &Drawing<'_>, source: Index, target: Index) -> Vec<super::LinkKey> {
    let ours = |key: &&super::LinkKey| (key.0, key.1, key.2) == (source, target, BINLOG);
    drawing.links.keys().filter(ours).cloned().collect()
}

/// Proves links by dump threads; what nobody explains is a reader that is no server.
fn dump_threads(drawing: &mut Drawing<'_>, source: Index, mut homeless: Vec<Index>) {
    let observation = drawing.people.members[source].observation;
    let Ok(told) = &observation.dumps else { return };
    for (dump, child) in pair(&drawing.people, source, drawing.options) {
        if let Some(child) = child {
            for key in links_between(drawing, source, child) {
                drawing.prove(key, &told.statement, source);
            }
            continue;
        }
        let client = is_client(dump, drawing.options);
        let place = homeless.iter().position(|index| !client && explains(drawing, *index, &dump.uuid, &dump.host));
        if let Some(place) = place {
            let target = homeless.remove(place);
            drawing.prove((source, target, BINLOG, String::new()), &told.statement, source);
            continue;
        }
        let target = drawing.client(source, &dump.user, &dump.host, dump.id);
        drawing.prove((source, target, BINLOG, String::new()), &told.statement, source).healthy = Some(true);
        if !client {
            let at = &drawing.people.members[source].address;
            drawing.warnings.push(format!(
                "`{}` reads the binlog of {at} from {} and is no server we can find: a CDC client, or a replica that \
                 does not announce itself (report_host)",
                dump.user, dump.host
            ));
        }
    }
}

/// Whether an unreached replica may be the one that runs this dump thread.
fn explains(drawing: &Drawing<'_>, index: Index, uuid: &str, host: &str) -> bool {
    let absent = &drawing.absent[index - drawing.people.members.len()];
    if !uuid.is_empty() && !absent.uuid.is_empty() {
        return absent.uuid == uuid;
    }
    let place = &absent.address.host;
    place == "?"
        || place == host
        || place.parse::<std::net::IpAddr>().is_err()
        || host.parse::<std::net::IpAddr>().is_err()
}
