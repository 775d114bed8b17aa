//! A store of log replicas as a program runs it.

use super::{Endpoint, STANDBY_SHARD, Tls, cluster_id, same_uuid, tls};
use crate::{
    reach::Reach,
    service::{BootstrapConfig, ServiceConfig},
};
use std::{path::PathBuf, time::Duration};

/// How a cluster begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bootstrap {
    /// Logs beside the keeper's own and the standby's.
    pub log_shards: u64,
    /// Voters of each shard.
    pub replicas: u64,
    /// The keeper's first voters: replica id and uuid.
    pub members: Vec<(u64, String)>,
    /// Whether there is a shard for the standby.
    pub standby: bool,
    /// Where non-voting replicas go at first.
    pub non_voting_locality: String,
}

impl Bootstrap {
    fn of(config: &BootstrapConfig) -> Option<Self> {
        let members = config.cluster.then(|| config.members().ok())??;
        let non_voting_locality = config.non_voting_locality.clone();
        let (log_shards, replicas, standby) = (config.log_shards, config.replicas, config.standby);
        Some(Self { log_shards, replicas, members, standby, non_voting_locality })
    }

    /// The log shards of the new cluster, the keeper's first.
    pub fn shards(&self) -> Vec<u64> {
        let mut shards = vec![0, 1];
        if self.standby {
            shards.push(STANDBY_SHARD);
        }
        shards
    }
}

/// A store of log replicas.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogStore {
    /// Its identity.
    pub uuid: String,
    /// Number of the cluster.
    pub deployment_id: u64,
    /// Name of the cluster.
    pub cluster_id: String,
    /// `<data-dir>/logservice-data/<uuid>/<hostname>/<deployment id, 20 digits>`
    pub data_dir: PathBuf,
    /// Between stores.
    pub raft: Endpoint,
    /// For clients.
    pub service: Endpoint,
    /// Who is there.
    pub gossip: Endpoint,
    /// Whom to ask first who is there.
    pub seeds: Vec<String>,
    /// How often to ask.
    pub probe_interval: Duration,
    /// `key:value;…`; voters lie on stores without one.
    pub locality: String,
    /// What fails together with this store.
    pub zone: String,
    /// Zones a commit must span; 0 asks for a majority only.
    pub zones_to_span: u64,
    /// Nothing for a store that joins.
    pub bootstrap: Option<Bootstrap>,
    /// The replica of the keeper's shard this store founds the cluster with.
    pub founding_replica: Option<u64>,
    /// Where to look for the keeper.
    pub discovery: Vec<String>,
    /// The store's reports to the keeper.
    pub heartbeat_interval: Duration,
    /// The keeper's tick.
    pub tick_interval: Duration,
    /// How often the keeper compares.
    pub check_interval: Duration,
    /// Ticks the keeper's timeouts are counted in.
    pub ticks_per_second: u64,
    /// Silence after which a log store is given up.
    pub log_store_timeout: Duration,
    /// The same for an engine.
    pub tn_store_timeout: Duration,
    /// The same for a front.
    pub cn_store_timeout: Duration,
    /// How often room is given back.
    pub truncate_interval: Duration,
    /// The same for the keeper's shard.
    pub keeper_truncate_interval: Duration,
    /// Size of a segment file.
    pub segment_size: u64,
    /// Whether segments are reserved ahead.
    pub preallocate: bool,
    /// The longest message.
    pub max_message: u64,
    /// Where files for the standby go.
    pub standby_dir: Option<PathBuf>,
    /// How members prove who they are.
    pub tls: Option<Tls>,
}

impl LogStore {
    /// What a service's file makes of a store on a host of this name. Meant for settings without error findings.
    pub fn of(config: &ServiceConfig, hostname: &str) -> LogStore {
        let log = &config.log_service;
        let bootstrap = Bootstrap::of(&log.bootstrap).filter(|founding| member_of(founding, &log.uuid).is_some());
        let endpoint = |reach: &Reach| endpoint(reach, &log.service_host);
        LogStore {
            uuid: log.uuid.clone(),
            deployment_id: log.deployment_id,
            cluster_id: cluster_id(config),
            data_dir: data_dir(config, hostname),
            raft: endpoint(&log.raft),
            service: endpoint(&log.service),
            gossip: endpoint(&log.gossip),
            seeds: log.seeds.clone(),
            probe_interval: log.probe_interval,
            locality: log.locality.clone(),
            zone: config.drydock.zone.clone(),
            zones_to_span: config.drydock.zones_to_span,
            founding_replica: bootstrap.as_ref().and_then(|founding| member_of(founding, &log.uuid)),
            bootstrap,
            discovery: config.keeper.addresses(),
            heartbeat_interval: log.heartbeat_interval,
            tick_interval: log.tick_interval,
            check_interval: log.check_interval,
            ticks_per_second: log.keeper.ticks_per_second,
            log_store_timeout: log.keeper.log_store,
            tn_store_timeout: log.keeper.tn_store,
            cn_store_timeout: log.keeper.cn_store,
            truncate_interval: log.truncate_interval,
            keeper_truncate_interval: log.keeper_truncate_interval,
            segment_size: log.segment_size,
            preallocate: log.preallocate,
            max_message: log.max_message,
            standby_dir: config.file_service("STANDBY").map(|service| service.data_dir.clone()),
            tls: tls(config),
        }
    }
}

fn member_of(founding: &Bootstrap, uuid: &str) -> Option<u64> {
    founding.members.iter().find(|(_, member)| same_uuid(member, uuid)).map(|(id, _)| *id)
}

fn endpoint(reach: &Reach, host: &str) -> Endpoint {
    Endpoint { advertised: reach.advertised(host), listen: reach.listening(host) }
}

/// The original's path, so that what reads its directories finds ours.
fn data_dir(config: &ServiceConfig, hostname: &str) -> PathBuf {
    let log = &config.log_service;
    let host = if log.explicit_hostname.is_empty() { hostname } else { &log.explicit_hostname };
    let store = config.data_dir.join("logservice-data").join(&log.uuid);
    store.join(host).join(format!("{:020}", log.deployment_id))
}
