//! What must be set at all, in the original's words where it has words for it.

use crate::{
    finding::Finding,
    service::{LogService, ServiceConfig, ServiceType},
};
use std::time::Duration;

pub(super) fn check(service: &ServiceConfig, found: &mut Vec<Finding>) {
    let Some(service_type) = service.service_type else { return };
    if matches!(service_type, ServiceType::Log | ServiceType::Tn | ServiceType::Cn) {
        uuid(service, found);
    }
    match service_type {
        ServiceType::Log => log(service, found),
        ServiceType::Proxy | ServiceType::PythonUdf => {
            let what = format!("a {} service is not started", service_type.name());
            found.push(service.source.warning("service-type", what, "remove it; the front serves SQL itself"));
        }
        ServiceType::Tn | ServiceType::Cn => {}
    }
}

fn uuid(service: &ServiceConfig, found: &mut Vec<Finding>) {
    let (uuid, key) = (service.uuid(), service.uuid_key());
    if uuid.is_empty() {
        found.push(service.source.error(key, "uuid not set", "write a new uuid, such as `uuidgen` prints"));
    } else if uuid::Uuid::try_parse(uuid).is_err() {
        found.push(service.source.error(key, format!("{uuid} is not a uuid"), "write one such as `uuidgen` prints"));
    }
}

fn log(service: &ServiceConfig, found: &mut Vec<Finding>) {
    for (missing, key, what) in numbers(&service.log_service).into_iter().chain(times(&service.log_service)) {
        if missing {
            found.push(service.source.error(&format!("logservice.{key}"), what, "set it, or remove the line"));
        }
    }
    for (key, port, door, name) in doors(&service.log_service) {
        if door.address.is_empty() && !door.listen.is_empty() && door.port == 0 {
            let what = format!("{name}Address and {port} not set");
            let next = "say where others reach it; a listen address alone does not";
            found.push(service.source.error(&format!("logservice.{key}"), what, next));
        }
    }
}

type Rule = (bool, &'static str, &'static str);

fn numbers(log: &LogService) -> [Rule; 6] {
    [
        (log.deployment_id == 0, "deployment-id", "deploymentID not set"),
        (log.buffer_size == 0, "logdb-buffer-size", "LogDBBufferSize not set"),
        (log.segment_size == 0, "logdb-max-log-file-size", "LogDBMaxLogFileSize not set"),
        (log.seeds.is_empty(), "gossip-seed-addresses", "GossipSeedAddress not set"),
        (log.keeper.ticks_per_second == 0, "HAKeeperConfig.tick-per-second", "TickPerSecond not set"),
        (log.max_message == 0, "rpc.max-message-size", "MaxMessageSize not set"),
    ]
}

fn times(log: &LogService) -> [Rule; 9] {
    let unset = |span: Duration| span.is_zero();
    [
        (unset(log.keeper.log_store), "HAKeeperConfig.log-store-timeout", "LogStoreTimeout not set"),
        (unset(log.keeper.tn_store), "HAKeeperConfig.tn-store-timeout", "DNStoreTimeout not set"),
        (unset(log.keeper.cn_store), "HAKeeperConfig.cn-store-timeout", "CNStoreTimeout not set"),
        (unset(log.probe_interval), "gossip-probe-interval", "GossipProbeInterval not set"),
        (unset(log.truncate_interval), "truncate-interval", "TruncateInterval not set"),
        (unset(log.keeper_truncate_interval), "hakeeper-truncate-interval", "HAKeeperTruncateInterval not set"),
        (unset(log.heartbeat_interval), "logservice-heartbeat-interval", "HeartbeatInterval not set"),
        (unset(log.tick_interval), "hakeeper-tick-interval", "HAKeeperTickInterval not set"),
        (unset(log.check_interval), "hakeeper-check-interval", "HAKeeperCheckInterval not set"),
    ]
}

type Door<'a> = (&'static str, &'static str, &'a crate::Reach, &'static str);

fn doors(log: &LogService) -> [Door<'_>; 3] {
    [
        ("logservice-address", "LogServicePort", &log.service, "Service"),
        ("raft-address", "RaftPort", &log.raft, "Raft"),
        ("gossip-address", "GossipPort", &log.gossip, "Gossip"),
    ]
}
