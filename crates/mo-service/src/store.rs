//! A log store, from its settings to what runs.

use crate::names;
use log_server::{
    Founding, Identity, Listen, Node, NodeOptions, Pace, RealDisk, SegmentOptions, StoreOptions,
    consensus::Rhythm,
    keeper::{Addresses, Limits, Locality, Wanted},
};
use mo_config::{Bootstrap, LogStore};
use runtime::{Clock, Random};
use std::{sync::Arc, time::Duration};

/// Ticks of agreement: an election begins after ten to twenty without a leader.
const BEAT: Duration = Duration::from_millis(100);

/// Starts a store.
pub async fn start(settings: &LogStore) -> Result<Node, String> {
    let failed = |error: &dyn std::fmt::Display| format!("log store {}: {error}", settings.uuid);
    let tls = names::tls(settings.tls.as_ref()).map_err(|error| failed(&error))?;
    let cluster = names::cluster(&settings.cluster_id);
    let (raft, service, gossip) = (&settings.raft, &settings.service, &settings.gossip);
    let options = NodeOptions {
        identity: Identity { cluster, store: settings.uuid.as_str().into(), tls },
        addresses: Addresses {
            raft: raft.advertised.clone(),
            service: service.advertised.clone(),
            gossip: gossip.advertised.clone(),
        },
        listen: Listen { raft: raft.listen.clone(), service: service.listen.clone(), gossip: gossip.listen.clone() },
        folder: settings.data_dir.clone(),
        locality: Locality::read(&settings.locality),
        store: store_options(settings),
        pace: pace(settings),
        seeds: [settings.seeds.clone(), settings.discovery.clone()].concat(),
        founding: settings.bootstrap.as_ref().map(|bootstrap| founding(settings, bootstrap)),
    };
    let node = Node::start(options, Arc::new(RealDisk), Clock::real(), Random::real()).await;
    node.map_err(|error| failed(&error))
}

fn store_options(settings: &LogStore) -> StoreOptions {
    let segments = SegmentOptions { length: settings.segment_size.max(1 << 20), ..SegmentOptions::default() };
    StoreOptions { rhythm: Rhythm { election: 10, heartbeat: 2, ..Rhythm::default() }, segments }
}

fn pace(settings: &LogStore) -> Pace {
    Pace {
        beat: BEAT,
        heartbeat: settings.heartbeat_interval,
        check: settings.check_interval,
        probe: settings.probe_interval,
        ticks_per_second: settings.ticks_per_second,
    }
}

fn founding(settings: &LogStore, bootstrap: &Bootstrap) -> Founding {
    let store_ticks = settings.log_store_timeout.as_secs().saturating_mul(settings.ticks_per_second);
    let limits = Limits { voters: usize::try_from(bootstrap.replicas).unwrap_or(1), store_ticks };
    let shards = bootstrap.shards().into_iter().filter(|shard| *shard != 0).collect();
    let locality = Locality::read(&bootstrap.non_voting_locality);
    Founding { members: bootstrap.members.iter().cloned().collect(), wanted: Wanted { shards, limits, locality } }
}
