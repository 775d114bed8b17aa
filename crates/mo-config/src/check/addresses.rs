//! Who can reach whom: addresses others are told, seeds, and where the keeper is looked for.

use crate::{
    finding::Finding,
    reach,
    service::{ServiceConfig, ServiceType},
};

pub(super) fn check(service: &ServiceConfig, stores: &[&ServiceConfig], found: &mut Vec<Finding>) {
    if service.is(ServiceType::Log) {
        advertised(service, stores, found);
        seeds(service, stores, found);
    } else if service.is(ServiceType::Tn) || service.is(ServiceType::Cn) {
        client(service, stores, found);
    }
}

/// The three addresses others are told, each with its key.
fn told(service: &ServiceConfig) -> [(&'static str, String); 3] {
    let log = &service.log_service;
    let told = |door: &reach::Reach| door.advertised(&log.service_host);
    [
        ("logservice.raft-address", told(&log.raft)),
        ("logservice.logservice-address", told(&log.service)),
        ("logservice.gossip-address", told(&log.gossip)),
    ]
}

/// Whether a call of this launch arrives at a door: by what others are told, or on this host by what is bound.
fn answers(door: &reach::Reach, host: &str, address: &str) -> bool {
    reach::meets(address, &door.advertised(host)) || (is_here(address) && reach::meets(address, &door.listening(host)))
}

/// Whether a store serves clients at an address.
pub(super) fn serves(store: &ServiceConfig, address: &str) -> bool {
    answers(&store.log_service.service, &store.log_service.service_host, address)
}

/// Whether a store is found by others at an address.
fn gossips(store: &ServiceConfig, address: &str) -> bool {
    answers(&store.log_service.gossip, &store.log_service.service_host, address)
}

/// Whether the file says where the keeper is, rather than leaving it to the default.
pub(super) fn asks_somebody(service: &ServiceConfig) -> bool {
    ["discovery-address", "service-addresses"].iter().any(|key| service.source.says(&format!("hakeeper-client.{key}")))
}

/// Whether the stores speak of other hosts.
pub(super) fn spread(stores: &[&ServiceConfig]) -> bool {
    stores.iter().any(|store| speaks_of_others(store))
}

fn speaks_of_others(store: &ServiceConfig) -> bool {
    let mut named: Vec<String> = told(store).map(|(_, address)| address).to_vec();
    named.extend(store.log_service.seeds.iter().cloned());
    named.extend(store.keeper.addresses());
    named.iter().any(|address| reach::split(address).is_some_and(|(host, _)| !reach::is_local(host)))
}

/// Whether a store is told to meet stores that are not of this launch: on this host they are other processes.
pub(super) fn meets_others(service: &ServiceConfig, stores: &[&ServiceConfig]) -> bool {
    let elsewhere = |seed: &String| !stores.iter().any(|store| gossips(store, seed));
    service.source.says("logservice.gossip-seed-addresses") && service.log_service.seeds.iter().any(elsewhere)
}

/// `0.0.0.0` and loopback mean another host to everybody who is told them.
fn advertised(service: &ServiceConfig, stores: &[&ServiceConfig], found: &mut Vec<Finding>) {
    if !spread(stores) {
        return;
    }
    for (key, address) in told(service) {
        let local = reach::split(&address).is_some_and(|(host, _)| reach::is_local(host));
        if local {
            let what =
                format!("others are told {address}, which leads each of them to itself, and some are on other hosts");
            let next = "write this host's address; what is bound goes into the -listen-address";
            found.push(service.source.error(key, what, next));
        }
    }
}

fn seeds(service: &ServiceConfig, stores: &[&ServiceConfig], found: &mut Vec<Finding>) {
    let (log, key) = (&service.log_service, "logservice.gossip-seed-addresses");
    let others: Vec<&String> = log.seeds.iter().filter(|seed| !gossips(service, seed)).collect();
    if others.is_empty() && !log.self_as_seed && !log.seeds.is_empty() {
        let what = "the store is its only seed, and gossip-allow-self-as-seed is false: it finds nobody";
        let next = "set gossip-allow-self-as-seed = true, or name another store's gossip address";
        found.push(service.source.error(key, what, next));
    } else if others.is_empty() && !log.bootstrap.cluster && !log.seeds.is_empty() {
        let next = "name the gossip address of a store that bootstraps";
        found.push(service.source.error(key, "a store that joins has only itself as seed: it reaches nobody", next));
    }
    let known = |seed: &str| stores.iter().any(|store| gossips(store, seed));
    for seed in others.iter().filter(|seed| is_here(seed) && !known(seed)) {
        let what = format!("no log service of this launch has the gossip address {seed}");
        let next = "name the gossip address of another store";
        let alone = others.iter().all(|seed| is_here(seed) && !known(seed));
        let deaf = alone && !log.bootstrap.cluster;
        found.push(if deaf { service.source.error(key, what, next) } else { service.source.warning(key, what, next) });
    }
}

fn is_here(address: &str) -> bool {
    reach::split(address).is_some_and(|(host, _)| reach::is_local(host))
}

/// Only where the launch runs a log of its own can it be known that nobody answers on this host.
fn client(service: &ServiceConfig, stores: &[&ServiceConfig], found: &mut Vec<Finding>) {
    let addresses = service.keeper.addresses();
    let answered = |address: &String| !is_here(address) || stores.iter().any(|store| serves(store, address));
    if !stores.is_empty() && !addresses.iter().any(answered) {
        let what = format!("no log service of this launch answers at {}", addresses.join(", "));
        let next = "set discovery-address to the logservice-address of a log service";
        found.push(service.source.error("hakeeper-client.discovery-address", what, next));
    }
}
