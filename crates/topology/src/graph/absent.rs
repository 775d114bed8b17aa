//! Nodes only others speak of: unreachable, beyond the depth limit, or no servers at all.

use super::{Drawing, Index};
use crate::members::told_address;
use api::Reach;
use types::Address;

/// What is known of a node nobody answered for.
#[derive(Debug, Clone)]
pub(crate) struct Absent {
    /// Its uuid; empty if nobody told.
    pub uuid: String,
    /// Its server id; 0 if nobody told.
    pub server_id: u32,
    /// Where it is said to be; port 0 if nobody told.
    pub address: Address,
    /// Why it is absent.
    pub reach: Reach,
    /// Hops from the seed.
    pub depth: u32,
}

/// What a member says of another.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Claim<'c> {
    pub uuid: &'c str,
    pub server_id: u32,
    pub host: &'c str,
    pub port: u16,
}

impl Drawing<'_> {
    /// The absent node a claim means, made if it is new.
    pub(crate) fn absent(&mut self, teller: Index, claim: Claim<'_>) -> Index {
        let from = &self.people.members[teller];
        let told = told_address(&from.address, claim.host, claim.port);
        let (reach, depth) = (self.why_absent(told.as_ref(), from.depth), from.depth + 1);
        let host = if claim.host.is_empty() { "?" } else { claim.host };
        let address = told.unwrap_or_else(|| Address::new(host, claim.port));
        let same = |known: &Absent| {
            let uuid = !claim.uuid.is_empty() && known.uuid == claim.uuid;
            let id = claim.server_id == 0 || known.server_id == 0 || known.server_id == claim.server_id;
            let unnamed = claim.uuid.is_empty() || known.uuid.is_empty();
            // Where nobody told a host, only the same server id at the same port is taken for the same server.
            let placed = address.host != "?" || known.server_id == claim.server_id;
            uuid || (unnamed && id && placed && known.address == address)
        };
        if let Some(place) = self.absent.iter().position(same) {
            let known = &mut self.absent[place];
            known.depth = known.depth.min(depth);
            if known.uuid.is_empty() {
                claim.uuid.clone_into(&mut known.uuid);
            }
            known.server_id = known.server_id.max(claim.server_id);
            return self.people.members.len() + place;
        }
        self.absent.push(Absent { uuid: claim.uuid.to_owned(), server_id: claim.server_id, address, reach, depth });
        self.count() - 1
    }

    /// A reader of the binlog that is no server.
    pub(crate) fn client(&mut self, teller: Index, user: &str, host: &str, id: u64) -> Index {
        let depth = self.people.members[teller].depth + 1;
        let parent = self.people.members[teller].address.to_string();
        let uuid = format!("client:{user}@{host}#{id}@{parent}");
        let address = Address::new(host, 0);
        self.absent.push(Absent { uuid, server_id: 0, address, reach: Reach::NotAServer, depth });
        self.count() - 1
    }

    fn why_absent(&self, address: Option<&Address>, teller_depth: u32) -> Reach {
        let Some(address) = address else {
            return Reach::Unreachable { error: "it does not say where it listens (report_host is not set)".into() };
        };
        match self.reports.iter().find(|report| report.address == *address).map(|report| &report.outcome) {
            Some(Err(untold)) => Reach::Unreachable { error: untold.error.clone() },
            Some(Ok(other)) => Reach::Unreachable {
                error: format!("another server answers there, with server id {}", other.facts.identity.server_id),
            },
            None if teller_depth >= self.options.max_depth => Reach::BeyondDepth,
            None => Reach::Unreachable { error: "it was not asked".into() },
        }
    }
}
