//! Links of Group Replication and Galera: from each primary to each other member, as every member lists them.

use super::absent::Claim;
use super::{Drawing, GALERA, GROUP, Index};
use crate::facts::GroupMember;

/// Group Replication.
pub(super) fn groups(drawing: &mut Drawing<'_>) {
    for teller in 0..drawing.people.members.len() {
        let observation = drawing.people.members[teller].observation;
        let Ok(told) = &observation.facts.group else { continue };
        let Some(group) = &told.value else { continue };
        let places: Vec<(Index, &GroupMember)> =
            group.members.iter().map(|member| (group_member(drawing, teller, member), member)).collect();
        for (source, _) in places.iter().filter(|(_, member)| member.role == "PRIMARY") {
            for (target, member) in places.iter().filter(|(target, _)| target != source) {
                let key = (*source, *target, GROUP, String::new());
                let link = drawing.prove(key, "performance_schema.replication_group_members", teller);
                link.healthy = Some(member.state == "ONLINE" && link.healthy != Some(false));
            }
        }
    }
}

fn group_member(drawing: &mut Drawing<'_>, teller: Index, member: &GroupMember) -> Index {
    let known = drawing.people.members.iter().position(|known| known.uuid() == Some(member.uuid.as_str()));
    let claim = Claim { uuid: &member.uuid, server_id: 0, host: &member.host, port: member.port };
    known.unwrap_or_else(|| drawing.absent(teller, claim))
}

/// Galera: all members write, so one link per pair stands for both directions.
pub(super) fn galera(drawing: &mut Drawing<'_>) {
    for teller in 0..drawing.people.members.len() {
        let observation = drawing.people.members[teller].observation;
        let Ok(told) = &observation.facts.galera else { continue };
        let Some(galera) = &told.value else { continue };
        for (host, port) in &galera.members {
            let from = drawing.people.members[teller].address.clone();
            let at = |member: &crate::members::Member<'_>| crate::members::is_at(member, &from, host, *port);
            let known = drawing.people.members.iter().position(at);
            let claim = Claim { uuid: "", server_id: 0, host, port: *port };
            let other = known.unwrap_or_else(|| drawing.absent(teller, claim));
            if other != teller {
                let key = (teller.min(other), teller.max(other), GALERA, String::new());
                drawing.prove(key, "wsrep_incoming_addresses", teller).healthy = Some(galera.state == "Synced");
            }
        }
    }
}
