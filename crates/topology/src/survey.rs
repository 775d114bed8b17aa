//! Where to ask next: a pure function from the visits so far to the next addresses, level by level.

use crate::facts::{Observation, Untold};
use crate::members::{Member, People, told_address};
use crate::options::DiscoverOptions;
use crate::readers::{is_client, unexplained};
use jiff::Timestamp;
use std::collections::HashSet;
use types::Address;

/// One visit: where, how far from the seed, and what came of it.
#[derive(Debug, Clone)]
pub struct Report {
    /// Address asked.
    pub address: Address,
    /// Hops from the seed.
    pub depth: u32,
    /// Whether nobody told us this address: it counts only if who answers proves to belong.
    pub guess: bool,
    /// When the answers were in.
    pub seen_at: Timestamp,
    /// All it told, or why it could not be asked.
    pub outcome: Result<Observation, Untold>,
}

/// Most addresses tried for the silent replicas of one server.
const GUESSES: usize = 16;

/// Addresses the members at `depth` told us, or an inventory names beside them, and nobody has visited; a member known by
/// uuid needs no second visit.
pub(crate) fn told_next(reports: &[Report], depth: u32, options: &DiscoverOptions) -> Vec<Address> {
    let people = People::of(reports);
    let members = &people.members;
    let mut seen: HashSet<Address> = reports.iter().map(|report| report.address.clone()).collect();
    let known: HashSet<&str> = members.iter().filter_map(Member::uuid).collect();
    let mut next = Vec::new();
    for (index, member) in members.iter().enumerate().filter(|(_, member)| member.depth == depth) {
        if member.guess && !belongs(&people, index) {
            continue;
        }
        for (uuid, host, port) in mentioned(member.observation) {
            let address = told_address(&member.address, host, port);
            if let Some(address) = address.filter(|_| uuid.is_empty() || !known.contains(uuid))
                && seen.insert(address.clone())
            {
                next.push(address);
            }
        }
        let ours = options.inventory.iter().filter(|all| all.iter().any(|address| member.dialled.contains(address)));
        next.extend(ours.flatten().filter(|address| seen.insert((*address).clone())).cloned());
    }
    next
}

/// Everything an observation names: uuid (maybe empty), host (maybe empty), port.
fn mentioned(seen: &Observation) -> Vec<(&str, &str, u16)> {
    let mut all = Vec::new();
    if let Ok(told) = &seen.facts.inbound {
        all.extend(told.value.iter().map(|c| (c.source_uuid.as_str(), c.source_host.as_str(), c.source_port)));
    }
    if let Ok(told) = &seen.registered {
        all.extend(told.value.iter().map(|row| (row.uuid.as_str(), row.host.as_str(), row.port)));
    }
    if let Some(group) = seen.facts.group.as_ref().ok().and_then(|told| told.value.as_ref()) {
        all.extend(group.members.iter().map(|m| (m.uuid.as_str(), m.host.as_str(), m.port)));
    }
    if let Some(galera) = seen.facts.galera.as_ref().ok().and_then(|told| told.value.as_ref()) {
        all.extend(galera.members.iter().map(|(host, port)| ("", host.as_str(), *port)));
    }
    if let Some(told) = &seen.shell {
        all.extend(told.value.instances.iter().map(|i| (i.uuid.as_str(), i.host.as_str(), i.port)));
    }
    all
}

/// A guessed address belongs if who answers there replicates from a member we came to honestly.
fn belongs(people: &People<'_>, index: usize) -> bool {
    people.sources[index].iter().flatten().any(|source| *source != index)
}

/// Addresses worth trying for dump threads of members at `depth` that no known replica explains.
pub(crate) fn guesses(reports: &[Report], depth: u32, options: &DiscoverOptions) -> Vec<Address> {
    let people = People::of(reports);
    let members = &people.members;
    let mut seen: HashSet<Address> = reports.iter().map(|report| report.address.clone()).collect();
    let mut next = Vec::new();
    for (index, parent) in members.iter().enumerate().filter(|(_, member)| member.depth == depth) {
        let silent = unexplained(&people, index, options);
        let hosts: HashSet<&str> =
            silent.iter().filter(|dump| !is_client(dump, options)).map(|dump| dump.host.as_str()).collect();
        let tries = hosts.iter().flat_map(|host| ports(members, parent, options).map(|port| (*host, port)));
        let addresses = tries.filter_map(|(host, port)| told_address(&parent.address, host, port));
        let fresh: Vec<Address> = addresses.filter(|address| seen.insert(address.clone())).take(GUESSES).collect();
        next.extend(fresh);
    }
    next
}

/// Ports of registered but homeless replicas first, then what the operator suggests, then habits.
fn ports(all: &[Member<'_>], parent: &Member<'_>, options: &DiscoverOptions) -> impl Iterator<Item = u16> + use<> {
    let rows = parent.observation.registered.as_ref().map(|told| told.value.as_slice()).unwrap_or_default();
    let registered = rows.iter().filter(|row| row.host.is_empty()).map(|row| row.port);
    let habits = [parent.identity().port, parent.address.port, 3306];
    let others = all.iter().map(|member| member.identity().port).take(GUESSES);
    let mut ports: Vec<u16> =
        registered.chain(options.guess_ports.iter().copied()).chain(habits).chain(others).collect();
    let mut seen = HashSet::new();
    ports.retain(|port| *port != 0 && seen.insert(*port));
    ports.into_iter()
}
