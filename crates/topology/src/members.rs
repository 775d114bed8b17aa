//! Who is who: visits folded into members by identity, and names told by others led back to members.

use crate::facts::{Channel, Identity, Observation, Registered};
use crate::survey::Report;
use jiff::Timestamp;
use std::net::IpAddr;
use types::Address;

/// One server that answered, under however many addresses.
#[derive(Debug)]
pub(crate) struct Member<'a> {
    /// The address it was first reached by.
    pub address: Address,
    /// All addresses that led to it, `hostname:port` of its own included.
    pub aliases: Vec<Address>,
    /// Those of them at which it was asked: what a server calls itself, another may be called too.
    pub dialled: Vec<Address>,
    /// Hops from the seed, by the shortest way.
    pub depth: u32,
    /// Whether every address that led to it was a guess.
    pub guess: bool,
    /// When it was asked.
    pub seen_at: Timestamp,
    /// What it told.
    pub observation: &'a Observation,
}

impl Member<'_> {
    /// Who it says it is.
    pub(crate) fn identity(&self) -> &Identity {
        &self.observation.facts.identity
    }

    /// Its uuid, if its engine has such a thing.
    pub(crate) fn uuid(&self) -> Option<&str> {
        self.identity().server_uuid.as_deref()
    }

    /// Its channels; none if it would not say.
    pub(crate) fn channels(&self) -> &[Channel] {
        self.observation.facts.inbound.as_ref().map(|told| told.value.as_slice()).unwrap_or_default()
    }
}

/// A copied data directory gives two servers one uuid, so the uuid alone is no identity.
fn is_same(a: &Identity, b: &Identity) -> bool {
    (&a.server_uuid, a.server_id, &a.hostname, a.port) == (&b.server_uuid, b.server_id, &b.hostname, b.port)
}

/// Folds visits into members, in the order they were first met.
fn members(reports: &[Report]) -> Vec<Member<'_>> {
    let mut members: Vec<Member<'_>> = Vec::new();
    for report in reports {
        let Ok(observation) = &report.outcome else { continue };
        let identity = &observation.facts.identity;
        if let Some(known) = members.iter_mut().find(|member| is_same(member.identity(), identity)) {
            known.aliases.push(report.address.clone());
            known.dialled.push(report.address.clone());
            known.depth = known.depth.min(report.depth);
            known.guess &= report.guess;
            continue;
        }
        let own = Address::new(identity.hostname.clone(), identity.port);
        members.push(Member {
            address: report.address.clone(),
            aliases: vec![report.address.clone(), own],
            dialled: vec![report.address.clone()],
            depth: report.depth,
            guess: report.guess,
            seen_at: report.seen_at,
            observation,
        });
    }
    members
}

fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// The address meant by what `teller` said; its `localhost` is itself, not us. `None` if it named no place.
pub(crate) fn told_address(teller: &Address, host: &str, port: u16) -> Option<Address> {
    if host.is_empty() || port == 0 {
        return None;
    }
    let elsewhere = is_loopback(host) && !is_loopback(&teller.host);
    Some(Address::new(if elsewhere { &teller.host } else { host }, port))
}

/// The one element, if there is exactly one.
fn only(mut all: impl Iterator<Item = usize>) -> Option<usize> {
    all.next().filter(|_| all.next().is_none())
}

/// Whether the address, as told by `teller`, leads to the member.
pub(crate) fn is_at(member: &Member<'_>, teller: &Address, host: &str, port: u16) -> bool {
    let address = told_address(teller, host, port);
    address.is_some_and(|address| member.aliases.contains(&address))
        || (is_loopback(host) && is_loopback(&member.address.host) && member.address.port == port)
}

/// The member a channel leads to: by uuid, else by address and server id, else by a server id only one member has.
fn source_of(all: &[Member<'_>], teller: &Member<'_>, channel: &Channel) -> Option<usize> {
    let here = |index: &usize| is_at(&all[*index], &teller.address, &channel.source_host, channel.source_port);
    if !channel.source_uuid.is_empty() {
        let twins: Vec<usize> =
            (0..all.len()).filter(|index| all[*index].uuid() == Some(channel.source_uuid.as_str())).collect();
        return twins.iter().copied().find(here).or_else(|| only(twins.into_iter()));
    }
    let id = channel.source_server_id;
    let fits = |index: &usize| id == 0 || all[*index].identity().server_id == id;
    let placed = (0..all.len()).filter(here).find(fits);
    placed.or_else(|| only((0..all.len()).filter(|index| id != 0 && all[*index].identity().server_id == id)))
}

/// A child and which of its channels lead to the parent.
pub(crate) type Child = (usize, Vec<usize>);

/// All members and who feeds whom, worked out once: fleets are large and every question comes back to this.
pub(crate) struct People<'a> {
    /// The members, in the order they were first met.
    pub members: Vec<Member<'a>>,
    /// For each member, the source each of its channels leads to.
    pub sources: Vec<Vec<Option<usize>>>,
    /// For each member, those that replicate from it.
    pub children: Vec<Vec<Child>>,
}

impl<'a> People<'a> {
    /// Folds visits into members and joins them.
    pub(crate) fn of(reports: &'a [Report]) -> Self {
        let members = members(reports);
        let leads = |member: &Member<'_>| member.channels().iter().map(|c| source_of(&members, member, c)).collect();
        let sources: Vec<Vec<Option<usize>>> = members.iter().map(leads).collect();
        let mut children: Vec<Vec<Child>> = members.iter().map(|_| Vec::new()).collect();
        for (child, sources) in sources.iter().enumerate() {
            for (channel, source) in sources.iter().enumerate() {
                let Some(source) = source.filter(|source| *source != child) else { continue };
                match children[source].last_mut().filter(|(last, _)| *last == child) {
                    Some((_, channels)) => channels.push(channel),
                    None => children[source].push((child, vec![channel])),
                }
            }
        }
        Self { members, sources, children }
    }

    /// The member a registration with `parent` means: by uuid, else its replica of that server id, nearest address
    /// first.
    pub(crate) fn registered_as(&self, parent: usize, row: &Registered) -> Option<usize> {
        let all = &self.members;
        let teller = &all[parent].address;
        let here = |index: &usize| is_at(&all[*index], teller, &row.host, row.port);
        let of_id = |index: &usize| all[*index].identity().server_id == row.server_id;
        if !row.uuid.is_empty() {
            let of_uuid = |index: &usize| all[*index].uuid() == Some(row.uuid.as_str());
            let twins: Vec<usize> = (0..all.len()).filter(of_uuid).collect();
            return twins.iter().copied().find(here).or_else(|| twins.first().copied());
        }
        let ours: Vec<usize> = self.children[parent].iter().map(|(child, _)| *child).filter(of_id).collect();
        let placed = ours.iter().copied().find(here).or_else(|| only(ours.into_iter()));
        placed.or_else(|| (0..all.len()).filter(of_id).find(here))
    }
}
