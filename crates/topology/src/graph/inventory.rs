//! Members an inventory names: they belong to whichever of them was asked, linked or not.

use super::absent::Claim;
use super::{Companion, Drawing, Index};
use types::Address;

/// What stands as the statement where the operator's own list is the proof.
const STATEMENT: &str = "inventory";

/// Each cluster of the inventory that discovery came upon.
pub(super) fn inventory(drawing: &mut Drawing<'_>) {
    for cluster in &drawing.options.inventory {
        let Some(anchor) = cluster.iter().find_map(|address| member_at(drawing, address)) else { continue };
        for address in cluster {
            let claim = Claim { uuid: "", server_id: 0, host: &address.host, port: address.port };
            let node = member_at(drawing, address).unwrap_or_else(|| drawing.absent(anchor, claim));
            let statement = STATEMENT.to_owned();
            drawing.companions.push(Companion { beside: anchor, node, statement, told_by: None });
        }
    }
}

fn member_at(drawing: &Drawing<'_>, address: &Address) -> Option<Index> {
    drawing.people.members.iter().position(|member| member.dialled.contains(address))
}
