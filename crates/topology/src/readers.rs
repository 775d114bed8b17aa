//! Which reader of a binlog is which: dump threads paired with the replicas that explain them.

use crate::facts::DumpThread;
use crate::members::{Member, People};
use crate::options::DiscoverOptions;
use std::net::IpAddr;

/// Programs whose dump sessions are replicas.
const SERVERS: [&str; 4] = ["mysqld", "mariadbd", "mysqld-debug", "mysqld_safe"];

/// Whether this reader shows itself to be no server: an ignored account, or a program that is none.
pub(crate) fn is_client(dump: &DumpThread, options: &DiscoverOptions) -> bool {
    let named = !dump.program.is_empty() && !SERVERS.contains(&dump.program.as_str());
    options.ignore_users.contains(&dump.user) || (dump.uuid.is_empty() && named)
}

/// Each dump thread of `parent` with the member that runs it, if one does.
pub(crate) fn pair<'a>(
    people: &People<'a>,
    parent: usize,
    options: &DiscoverOptions,
) -> Vec<(&'a DumpThread, Option<usize>)> {
    let all = &people.members;
    let dumps = all[parent].observation.dumps.as_ref().map(|told| told.value.as_slice()).unwrap_or_default();
    let mut pairs: Vec<(&DumpThread, Option<usize>)> = dumps.iter().map(|dump| (dump, None)).collect();
    let mut waiting = connected(people, parent);
    for fits in [by_uuid, by_host, by_count] {
        waiting.retain(|child| {
            let free = |(dump, taken): &&mut (&DumpThread, Option<usize>)| {
                taken.is_none() && !is_client(dump, options) && fits(&all[*child], dump)
            };
            let place = pairs.iter_mut().find(free);
            let found = place.is_some();
            if let Some(place) = place {
                place.1 = Some(*child);
            }
            !found
        });
    }
    pairs
}

/// One entry per channel that is connected to `parent` now.
fn connected(people: &People<'_>, parent: usize) -> Vec<usize> {
    let mut connected = Vec::new();
    for (child, channels) in &people.children[parent] {
        let live = channels.iter().filter(|index| people.members[*child].channels()[**index].io == "Yes").count();
        connected.extend(std::iter::repeat_n(*child, live));
    }
    connected
}

fn by_uuid(child: &Member<'_>, dump: &DumpThread) -> bool {
    !dump.uuid.is_empty() && child.uuid() == Some(dump.uuid.as_str())
}

fn by_host(child: &Member<'_>, dump: &DumpThread) -> bool {
    let ip = dump.host.parse::<IpAddr>().ok();
    let same_ip = ip.is_some_and(|ip| child.observation.ips.contains(&ip));
    dump.uuid.is_empty() && (same_ip || child.aliases.iter().any(|alias| alias.host == dump.host))
}

/// Networks translate addresses, so a connected replica explains a reader even where no host agrees.
fn by_count(_: &Member<'_>, dump: &DumpThread) -> bool {
    dump.uuid.is_empty()
}

/// Dump threads no known replica explains.
pub(crate) fn unexplained<'a>(people: &People<'a>, parent: usize, options: &DiscoverOptions) -> Vec<&'a DumpThread> {
    pair(people, parent, options).into_iter().filter(|(_, child)| child.is_none()).map(|(dump, _)| dump).collect()
}
