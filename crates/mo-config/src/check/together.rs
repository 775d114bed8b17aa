//! What services of one launch must not share, and what they must agree on.

use super::bootstrap::is_member;
use crate::{
    finding::Finding,
    reach,
    resolve::same_uuid,
    service::{ServiceConfig, ServiceType},
};

/// Ports a TN or CN service keeps for itself from `port-base` on.
const RESERVED: u16 = 20;

pub(super) fn check(services: &[ServiceConfig], found: &mut Vec<Finding>) {
    for (at, service) in services.iter().enumerate() {
        for other in &services[..at] {
            uuid(service, other, found);
            ports(service, other, found);
            bases(service, other, found);
            directories(service, other, found);
            directories(other, service, found);
            agreed(service, other, found);
        }
    }
    founded(services, found);
    own_ports(services, found);
    spanned(services, found);
    placed(services, found);
}

fn uuid(service: &ServiceConfig, other: &ServiceConfig, found: &mut Vec<Finding>) {
    if !service.uuid().is_empty() && same_uuid(service.uuid(), other.uuid()) {
        let what = format!("{} is also the uuid of {}", service.uuid(), other.source.file);
        found.push(service.source.error(service.uuid_key(), what, "give each service a uuid of its own"));
    }
}

/// What a service binds, with the key that says so.
fn bound(service: &ServiceConfig) -> Vec<(&'static str, String)> {
    let (log, cn, tn) = (&service.log_service, &service.cn, &service.tn);
    match service.service_type {
        Some(ServiceType::Log) => vec![
            ("logservice.raft-address", log.raft.listening(&log.service_host)),
            ("logservice.logservice-address", log.service.listening(&log.service_host)),
            ("logservice.gossip-address", log.gossip.listening(&log.service_host)),
        ],
        Some(ServiceType::Cn) => vec![
            ("cn.frontend.port", types::Address::new(&cn.sql_host, cn.sql_port).to_string()),
            ("cn.listen-address", based(cn.port_base, &cn.service_host, &cn.listen)),
        ],
        Some(ServiceType::Tn) => vec![("tn.listen-address", based(tn.port_base, &tn.service_host, &tn.listen))],
        _ => Vec::new(),
    }
}

fn based(base: u16, host: &str, listen: &str) -> String {
    if base == 0 { listen.to_owned() } else { reach::bound(host, base) }
}

fn ports(service: &ServiceConfig, other: &ServiceConfig, found: &mut Vec<Finding>) {
    for (key, address) in bound(service) {
        for (theirs, taken) in bound(other) {
            if reach::clashes(&address, &taken) {
                let what = format!("{address} is taken: {theirs} of {} is {taken}", other.source.file);
                found.push(service.source.error(key, what, "give each door a port of its own"));
            }
        }
    }
}

fn own_ports(services: &[ServiceConfig], found: &mut Vec<Finding>) {
    for service in services {
        let doors = bound(service);
        for (at, (key, address)) in doors.iter().enumerate() {
            if let Some((theirs, _)) = doors[..at].iter().find(|(_, taken)| reach::clashes(address, taken)) {
                let what = format!("{address} is taken by {theirs} of the same file");
                found.push(service.source.error(key, what, "give each door a port of its own"));
            }
        }
    }
}

fn base(service: &ServiceConfig) -> Option<(&'static str, u16)> {
    match service.service_type? {
        ServiceType::Tn => Some(("tn.port-base", service.tn.port_base)),
        ServiceType::Cn => Some(("cn.port-base", service.cn.port_base)),
        _ => None,
    }
}

/// Equal bases clash as addresses; near ones clash later, when the ports behind the first are used.
fn bases(service: &ServiceConfig, other: &ServiceConfig, found: &mut Vec<Finding>) {
    let (Some((key, mine)), Some((_, theirs))) = (base(service), base(other)) else { return };
    let distance = mine.abs_diff(theirs);
    if mine > 0 && theirs > 0 && distance > 0 && distance < RESERVED {
        let what = format!("{mine} lies within the {RESERVED} ports of {}, which begin at {theirs}", other.source.file);
        found.push(service.source.error(key, what, "keep bases 20 apart"));
    }
}

/// Stores share `data-dir` without harm, each below its uuid; nothing else may lie inside a store.
fn directories(service: &ServiceConfig, other: &ServiceConfig, found: &mut Vec<Finding>) {
    if !other.is(ServiceType::Log) || other.log_service.uuid.is_empty() {
        return;
    }
    let store = other.data_dir.join("logservice-data").join(&other.log_service.uuid);
    let files = service.file_services.iter().filter(|files| files.on_disk() && files.index.is_some());
    let files = files.map(|files| (files.key("data-dir"), &files.data_dir));
    for (key, dir) in files.chain([("data-dir".to_owned(), &service.data_dir)]) {
        if dir.starts_with(&store) {
            let what = format!("{} lies inside the log store of {}", dir.display(), other.source.file);
            found.push(service.source.error(&key, what, "name a directory outside of it"));
        }
    }
}

/// What all log stores of a cluster, or all its founders, must say alike.
fn agreed(service: &ServiceConfig, other: &ServiceConfig, found: &mut Vec<Finding>) {
    if !service.is(ServiceType::Log) || !other.is(ServiceType::Log) {
        return;
    }
    let (mine, theirs) = (&service.log_service, &other.log_service);
    let differs = |key: &str| (format!("differs from {}", other.source.file), format!("logservice.{key}"));
    if mine.deployment_id != theirs.deployment_id || service.drydock.cluster_id != other.drydock.cluster_id {
        let (what, key) = differs("deployment-id");
        let next = "give all stores of a launch one deployment-id and one cluster-id";
        found.push(service.source.error(&key, format!("the cluster {what}: the stores would refuse each other"), next));
    }
    if is_member(service) && is_member(other) {
        let (a, b) = (&mine.bootstrap, &theirs.bootstrap);
        let same = a.members().ok() == b.members().ok() && a.replicas == b.replicas && a.standby == b.standby;
        if !same {
            let (what, key) = differs("BootstrapConfig");
            found.push(service.source.error(&key, what, "founders must say the same, or each founds another cluster"));
        }
    } else if mine.bootstrap.standby != theirs.bootstrap.standby {
        let (what, key) = differs("BootstrapConfig.standby-enabled");
        let next = "set it in all log files: any of them may come to lead the shard of the standby";
        found.push(service.source.warning(&key, what, next));
    }
}

/// Where every store of a launch joins and looks on this host only, there is nothing to join.
fn founded(services: &[ServiceConfig], found: &mut Vec<Finding>) {
    let stores: Vec<&ServiceConfig> = services.iter().filter(|service| service.is(ServiceType::Log)).collect();
    let Some(first) = stores.first() else { return };
    if !super::addresses::spread(&stores) && !stores.iter().any(|store| is_member(store)) {
        let what = "no store of this launch founds a cluster, and none looks for one elsewhere";
        let next = "set bootstrap-cluster = true and name this store in init-hakeeper-members";
        found.push(first.source.error("logservice.BootstrapConfig.bootstrap-cluster", what, next));
    }
}

/// Zones are counted where all founders are here to be counted.
fn spanned(services: &[ServiceConfig], found: &mut Vec<Finding>) {
    let founders: Vec<&ServiceConfig> =
        services.iter().filter(|service| service.is(ServiceType::Log) && is_member(service)).collect();
    let Some(first) = founders.first() else { return };
    let mut zones: Vec<&str> = founders.iter().map(|founder| founder.drydock.zone.as_str()).collect();
    zones.sort_unstable();
    zones.dedup();
    let wanted = first.drydock.zones_to_span;
    if founders.len() as u64 == first.log_service.bootstrap.replicas && wanted > zones.len() as u64 {
        let what =
            format!("{wanted} zones, and the voters stand in {}: nothing would ever be acknowledged", zones.len());
        found.push(first.source.error("drydock.zones-to-span", what, "lower it, or put stores into more zones"));
    }
}

/// A place for non-voting replicas that no store of this launch has.
fn placed(services: &[ServiceConfig], found: &mut Vec<Finding>) {
    let stores: Vec<&ServiceConfig> = services.iter().filter(|service| service.is(ServiceType::Log)).collect();
    for store in &stores {
        let wanted = pairs(&store.log_service.bootstrap.non_voting_locality);
        let fits = |other: &&ServiceConfig| wanted.iter().all(|pair| pairs(&other.log_service.locality).contains(pair));
        if !wanted.is_empty() && !super::addresses::spread(&stores) && !stores.iter().any(fits) {
            let key = "logservice.BootstrapConfig.non-voting-locality";
            let next = "set the same locality on a store that joins";
            found.push(store.source.warning(key, "no log service of this launch has this locality", next));
        }
    }
}

fn pairs(text: &str) -> Vec<&str> {
    text.split(';').map(str::trim).filter(|pair| !pair.is_empty()).collect()
}
