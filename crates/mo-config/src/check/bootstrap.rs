//! How a cluster begins: who its first members are, how many, and whether they can be.

use crate::{
    finding::Finding,
    resolve::{HAKEEPER_IDS, same_uuid},
    service::{BootstrapConfig, ServiceConfig},
};

const T: &str = "logservice.BootstrapConfig";

fn key(name: &str) -> String {
    format!("{T}.{name}")
}

pub(super) fn check(service: &ServiceConfig, found: &mut Vec<Finding>) {
    let config = &service.log_service.bootstrap;
    restore(service, found);
    if config.cluster {
        counts(service, found);
        members(service, found);
        locality(service, found);
    } else if service.source.says(&key("init-hakeeper-members")) {
        let next = "remove them, or set bootstrap-cluster = true";
        found.push(service.source.warning(&key("init-hakeeper-members"), "a store that joins founds nothing", next));
    }
}

fn counts(service: &ServiceConfig, found: &mut Vec<Finding>) {
    let config = &service.log_service.bootstrap;
    let rules = [
        (config.log_shards == 0, "num-of-log-shards", "NumOfLogShards not set", "write 1"),
        (config.tn_shards == 0, "num-of-tn-shards", "NumOfDNShards not set", "write 1"),
        (config.replicas == 0, "num-of-log-shard-replicas", "NumOfLogShardReplica not set", "write 1, 3 or 5"),
        (
            config.tn_shards != config.log_shards,
            "num-of-tn-shards",
            "NumOfDNShards does not match NumOfLogShards",
            "write 1 for both",
        ),
        (config.log_shards > 1, "num-of-log-shards", "only 1 log shard can be", "write 1 for both numbers of shards"),
    ];
    for (wrong, name, what, next) in rules {
        if wrong {
            found.push(service.source.error(&key(name), what, next));
        }
    }
    if config.replicas > 0 && config.replicas.is_multiple_of(2) {
        let what = format!("{0} replicas outlive no more failures than {1}", config.replicas, config.replicas - 1);
        let next = "write an odd number: 1, 3 or 5";
        found.push(service.source.warning(&key("num-of-log-shard-replicas"), what, next));
    }
}

fn members(service: &ServiceConfig, found: &mut Vec<Finding>) {
    let (config, key) = (&service.log_service.bootstrap, key("init-hakeeper-members"));
    let mut add = |what: String, next: &str| found.push(service.source.error(&key, what, next));
    match config.members() {
        Err(wrong) => add(wrong, "write each as \"131072:<uuid of a log service>\""),
        Ok(members) if members.is_empty() => {
            add("InitHAKeeperMembers not set".to_owned(), "write \"131072:<uuid of a log service>\" for each");
        }
        Ok(members) => {
            if members.len() as u64 != config.replicas {
                let next =
                    format!("name {} members, or set num-of-log-shard-replicas = {}", config.replicas, members.len());
                add("InitHAKeeperMembers does not match NumOfLogShardReplicas".to_owned(), &next);
            }
            if let Some(what) = twice_or_out_of_range(&members) {
                add(what, "give each member its own id from 131072 to 262143");
            }
        }
    }
}

fn twice_or_out_of_range(members: &[(u64, String)]) -> Option<String> {
    let outside = members.iter().find(|(id, _)| !HAKEEPER_IDS.contains(id));
    if let Some((id, _)) = outside {
        return Some(format!("replica id {id} is not one of the keeper's first members'"));
    }
    let repeated = |at: usize, (id, uuid): &(u64, String)| {
        members[..at].iter().any(|(other, theirs)| other == id || same_uuid(theirs, uuid))
    };
    let (_, (id, uuid)) = members.iter().enumerate().find(|(at, member)| repeated(*at, member))?;
    Some(format!("{id}:{uuid} repeats an id or a uuid"))
}

/// Voters lie on stores without a locality only, so a founder that has one would found a cluster nobody votes in.
fn locality(service: &ServiceConfig, found: &mut Vec<Finding>) {
    if !service.log_service.locality.is_empty() && is_member(service) {
        let what =
            "the store founds the cluster and has a locality, but voters lie on stores without one: no voter anywhere";
        let next = "remove the locality here, or set bootstrap-cluster = false";
        found.push(service.source.error("logservice.locality", what, next));
    }
}

fn restore(service: &ServiceConfig, found: &mut Vec<Finding>) {
    let restore = &service.log_service.bootstrap.restore;
    if restore.enabled {
        let next = "remove the table, start, and bring the records back with `mo_ctl data-sync start`";
        found.push(service.source.error(&key("restore.enabled"), "a cluster cannot be founded from a saved log", next));
    } else if !restore.wal.is_empty() {
        let what = "WAL recovery requires restore.enabled on every initial HAKeeper member";
        let next = "remove it; records come back with `mo_ctl data-sync start`";
        found.push(service.source.error(&key("restore.wal-data-path"), what, next));
    }
}

pub(super) fn is_member(service: &ServiceConfig) -> bool {
    names(&service.log_service.bootstrap, &service.log_service.uuid)
}

fn names(config: &BootstrapConfig, uuid: &str) -> bool {
    let members = config.members().unwrap_or_default();
    config.cluster && members.iter().any(|(_, member)| same_uuid(member, uuid))
}

/// Against the other stores of the launch.
pub(super) fn among(service: &ServiceConfig, stores: &[&ServiceConfig], found: &mut Vec<Finding>) {
    let config = &service.log_service.bootstrap;
    if config.cluster {
        strangers(service, stores, found);
    } else {
        joins(service, stores, found);
    }
}

/// Members that no file of the launch has. They may run elsewhere if anything else is named that does; else it is a slip.
fn strangers(service: &ServiceConfig, stores: &[&ServiceConfig], found: &mut Vec<Finding>) {
    let key = key("init-hakeeper-members");
    let members = service.log_service.bootstrap.members().unwrap_or_default();
    let here = |uuid: &str| stores.iter().any(|store| same_uuid(&store.log_service.uuid, uuid));
    let spread = super::addresses::spread(stores);
    let meets_others = super::addresses::meets_others(service, stores);
    for (id, uuid) in members.iter().filter(|(_, uuid)| !here(uuid)) {
        let what = format!("{id}:{uuid} is the uuid of no log service here");
        found.push(if spread {
            service.source.warning(&key, what, "see that it runs on another host")
        } else if meets_others {
            service.source.warning(&key, what, "see that it runs in another process")
        } else {
            service.source.error(&key, what, "name the uuids of the log services of this launch")
        });
    }
    if !members.is_empty() && !is_member(service) {
        let what = "the store is none of the first members: it waits for the cluster and joins";
        found.push(service.source.warning(&key, what, "set bootstrap-cluster = false, or name its uuid"));
    }
}

/// A store that joins must find somebody who founded.
fn joins(service: &ServiceConfig, stores: &[&ServiceConfig], found: &mut Vec<Finding>) {
    let addresses = service.keeper.addresses();
    if addresses.iter().all(|address| super::addresses::serves(service, address)) {
        let what = "a store that joins looks for the keeper at its own address only";
        let next = "set discovery-address to the service address of a store that bootstraps";
        found.push(service.source.error("hakeeper-client.discovery-address", what, next));
    } else if !super::addresses::asks_somebody(service) {
        no_client(service, stores, &addresses, found);
    }
}

fn no_client(service: &ServiceConfig, stores: &[&ServiceConfig], addresses: &[String], found: &mut Vec<Finding>) {
    let (key, next) = ("hakeeper-client", "add [hakeeper-client] with discovery-address of a store that bootstraps");
    let answers = |address: &String| stores.iter().any(|store| super::addresses::serves(store, address));
    if addresses.iter().any(answers) {
        let what = "a store that joins has no [hakeeper-client]; the default address happens to be right here";
        found.push(service.source.warning(key, what, next));
    } else {
        let what = "bootstrap-cluster = false without [hakeeper-client]: the store never finds the keeper";
        found.push(service.source.error(key, what, next));
    }
}
