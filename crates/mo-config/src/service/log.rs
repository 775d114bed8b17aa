//! `[logservice]`: a store of log replicas.

use crate::reach::Reach;
use std::time::Duration;

/// `[logservice]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogService {
    /// `deployment-id`
    pub deployment_id: u64,
    /// `uuid`, as written: it names a directory.
    pub uuid: String,
    /// `service-host`
    pub service_host: String,
    /// `raft-…`
    pub raft: Reach,
    /// `logservice-…`
    pub service: Reach,
    /// `gossip-…`, with `gossip-address-v2` before `gossip-address`.
    pub gossip: Reach,
    /// `gossip-seed-addresses`
    pub seeds: Vec<String>,
    /// `gossip-probe-interval`
    pub probe_interval: Duration,
    /// `gossip-allow-self-as-seed`
    pub self_as_seed: bool,
    /// `locality`
    pub locality: String,
    /// `logservice-heartbeat-interval`
    pub heartbeat_interval: Duration,
    /// `hakeeper-tick-interval`
    pub tick_interval: Duration,
    /// `hakeeper-check-interval`
    pub check_interval: Duration,
    /// `truncate-interval`
    pub truncate_interval: Duration,
    /// `hakeeper-truncate-interval`
    pub keeper_truncate_interval: Duration,
    /// `logdb-buffer-size`: only its being 0 is looked at.
    pub buffer_size: u64,
    /// `logdb-max-log-file-size`
    pub segment_size: u64,
    /// Not `logdb-disable-prealloc`.
    pub preallocate: bool,
    /// `explicit-hostname`
    pub explicit_hostname: String,
    /// `rpc.max-message-size`
    pub max_message: u64,
    /// `is-non-voting`
    pub is_non_voting: bool,
    /// `membership-immovable`
    pub membership_immovable: bool,
    /// `[logservice.BootstrapConfig]`
    pub bootstrap: BootstrapConfig,
    /// `[logservice.HAKeeperConfig]`
    pub keeper: KeeperTimes,
}

/// `[logservice.BootstrapConfig]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BootstrapConfig {
    /// `bootstrap-cluster`
    pub cluster: bool,
    /// `num-of-log-shards`
    pub log_shards: u64,
    /// `num-of-tn-shards`
    pub tn_shards: u64,
    /// `num-of-log-shard-replicas`
    pub replicas: u64,
    /// `init-hakeeper-members`, as written.
    pub members: Vec<String>,
    /// `non-voting-locality`
    pub non_voting_locality: String,
    /// `standby-enabled`
    pub standby: bool,
    /// `[logservice.BootstrapConfig.restore]`
    pub restore: Restore,
}

/// `[logservice.BootstrapConfig.restore]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restore {
    /// `enabled`
    pub enabled: bool,
    /// `file-path`
    pub file: String,
    /// `wal-data-path`
    pub wal: String,
}

/// `[logservice.HAKeeperConfig]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeeperTimes {
    /// `tick-per-second`
    pub ticks_per_second: u64,
    /// `log-store-timeout`
    pub log_store: Duration,
    /// `tn-store-timeout`
    pub tn_store: Duration,
    /// `cn-store-timeout`
    pub cn_store: Duration,
}

impl BootstrapConfig {
    /// The members as `(replica id, uuid)`, or the first that is none, in the original's words.
    pub fn members(&self) -> Result<Vec<(u64, String)>, String> {
        self.members.iter().map(|pair| member(pair.trim())).collect()
    }
}

fn member(pair: &str) -> Result<(u64, String), String> {
    let (id, uuid) = pair.split_once(':').ok_or_else(|| format!("replicaID:target {pair}"))?;
    let (id, uuid) = (id.trim(), uuid.trim());
    if uuid::Uuid::try_parse(uuid).is_err() {
        return Err(format!("uuid {uuid}"));
    }
    let id = id.parse().map_err(|_| format!("replicateID '{id}'"))?;
    Ok((id, uuid.to_owned()))
}
