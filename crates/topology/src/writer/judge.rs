//! The rule itself: from facts to a verdict, pure, and closed to whatever is not known.

use super::WriterVerdict;
use crate::facts::{Asked, Channel, Group, GroupMember, NodeFacts, OwnWrites};
use mysql::Flavor;

/// The rule itself, on facts.
pub fn judge(facts: &NodeFacts) -> WriterVerdict {
    let mut against = Vec::new();
    if facts.declared_primary {
        against.push("the inventory calls it primary".to_owned());
    }
    against.extend(read_only_reason(facts));
    let barred = cluster_bar(facts);
    against.extend(barred.clone().or_else(|| role_reason(facts)));
    against.extend(own_writes_reason(&facts.own_writes));
    if !is_secondary(facts) {
        against.extend(inbound_reason(&facts.inbound));
    }
    if facts.identity.flavor == Flavor::Other {
        against.push("its engine is not one we know".to_owned());
    }
    if against.is_empty() {
        return WriterVerdict { writer: false, reasons: grounds(facts), barred };
    }
    WriterVerdict { writer: true, reasons: against, barred }
}

fn read_only_reason(facts: &NodeFacts) -> Option<String> {
    match facts.read_only {
        Some(true) => None,
        Some(false) => Some("read_only is OFF".to_owned()),
        None => Some("whether it is read-only could not be read".to_owned()),
    }
}

fn own_member<'a>(facts: &NodeFacts, group: &'a Group) -> Option<&'a GroupMember> {
    let uuid = facts.identity.server_uuid.as_deref()?;
    group.members.iter().find(|member| member.uuid.eq_ignore_ascii_case(uuid))
}

/// What speaks against touching a cluster's member at all, whoever allows it.
fn cluster_bar(facts: &NodeFacts) -> Option<String> {
    match &facts.galera {
        Ok(told) if told.value.is_some() => {
            return Some(
                "it is a Galera member: all of those take writes, and a rebuild of a table runs on all of them at once, \
                 sql_log_bin = 0 or not (TOI); rebuild it by hand under wsrep_OSU_method = RSU on a member that takes no \
                 traffic, or take the member out of its cluster for that time"
                    .to_owned(),
            );
        }
        Err(untold) => return Some(format!("its Galera state could not be read: {}", untold.error)),
        Ok(_) => {}
    }
    let group = match &facts.group {
        Ok(told) => told.value.as_ref()?,
        Err(untold) => return Some(format!("its group membership could not be read: {}", untold.error)),
    };
    match own_member(facts, group) {
        None => Some("its group does not list it".to_owned()),
        Some(member) if member.state != "ONLINE" => Some(format!("it is {} in its group", member.state)),
        Some(_) => minority(group),
    }
}

/// A part of a group that does not see most of it neither knows who the primary is nor what has been committed.
fn minority(group: &Group) -> Option<String> {
    let lost = group.members.iter().filter(|member| !matches!(member.state.as_str(), "ONLINE" | "RECOVERING")).count();
    (2 * lost >= group.members.len())
        .then(|| format!("its group has lost its majority: it sees {lost} of {} members no more", group.members.len()))
}

fn role_reason(facts: &NodeFacts) -> Option<String> {
    let member = own_member(facts, facts.group.as_ref().ok()?.value.as_ref()?)?;
    (member.role != "SECONDARY").then(|| format!("its role in the group is {}", member.role))
}

/// A group's secondary is fed by the group, not by a channel.
fn is_secondary(facts: &NodeFacts) -> bool {
    let group = facts.group.as_ref().ok().and_then(|told| told.value.as_ref());
    let member = group.and_then(|group| own_member(facts, group));
    member.is_some_and(|member| member.state == "ONLINE" && member.role == "SECONDARY")
}

fn own_writes_reason(writes: &OwnWrites) -> Option<String> {
    match writes {
        OwnWrites::Quiet | OwnWrites::NotKept => None,
        OwnWrites::Advanced(set) => Some(format!("it wrote transactions of its own just now: {set}")),
        OwnWrites::Unknown(why) => Some(format!("whether it writes by itself could not be read: {why}")),
    }
}

fn inbound_reason(inbound: &Asked<Vec<Channel>>) -> Option<String> {
    let channels = match inbound {
        Ok(told) => &told.value,
        Err(untold) => return Some(format!("its replication status could not be read: {}", untold.error)),
    };
    if channels.iter().any(Channel::is_healthy) {
        return None;
    }
    let state = |channel: &Channel| format!("`{}` I/O {}, SQL {}", channel.name, channel.io, channel.sql);
    let states: Vec<String> = channels.iter().map(state).collect();
    if states.is_empty() {
        Some("it has no inbound replication channel".to_owned())
    } else {
        Some(format!("no inbound channel is healthy: {}", states.join("; ")))
    }
}

fn grounds(facts: &NodeFacts) -> Vec<String> {
    let mut grounds = vec!["read_only is ON".to_owned()];
    if is_secondary(facts) {
        grounds.push("it is a secondary of its group".to_owned());
    }
    if let Ok(told) = &facts.inbound {
        let healthy = told.value.iter().filter(|channel| channel.is_healthy());
        grounds.extend(healthy.map(|c| format!("it replicates from {}:{}", c.source_host, c.source_port)));
    }
    if facts.own_writes == OwnWrites::Quiet {
        grounds.push("it wrote nothing of its own between two samples".to_owned());
    }
    grounds
}
