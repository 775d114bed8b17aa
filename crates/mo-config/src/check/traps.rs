//! Settings of one store that read well and do something else than meant.

use crate::{
    finding::Finding,
    service::{LogService, ServiceConfig},
};
use std::time::Duration;

pub(super) fn check(service: &ServiceConfig, found: &mut Vec<Finding>) {
    hostname(service, found);
    ignored(service, found);
    localities(service, found);
    times(service, found);
    zones(service, found);
}

/// The directory is named after the host: a renamed host, or another container, would begin with an empty log.
fn hostname(service: &ServiceConfig, found: &mut Vec<Finding>) {
    let (key, name) = ("logservice.explicit-hostname", &service.log_service.explicit_hostname);
    if name.is_empty() {
        let what =
            "not set: the directory of the log is named after the host, and a renamed host begins with an empty one";
        found.push(service.source.warning(key, what, "set it to a name that stays, before the first start"));
    } else if name.contains(['/', '\\']) || name == "." || name == ".." {
        let what = format!("{name} is no name of a directory");
        found.push(service.source.error(key, what, "write a name without slashes"));
    }
}

fn ignored(service: &ServiceConfig, found: &mut Vec<Finding>) {
    let (log, source) = (&service.log_service, &service.source);
    if source.says("logservice.membership-immovable") && log.membership_immovable {
        let what = "would make voters of non-voting replicas at start; here they stay what they are";
        found.push(source.warning("logservice.membership-immovable", what, "remove the line"));
    }
    if log.is_non_voting {
        let what = "does nothing by itself: non-voting replicas lie on stores with a locality";
        found.push(source.warning("logservice.is-non-voting", what, "set locality, and remove the line"));
    }
}

fn localities(service: &ServiceConfig, found: &mut Vec<Finding>) {
    let (log, source) = (&service.log_service, &service.source);
    let keys = [
        ("logservice.locality", &log.locality),
        ("logservice.BootstrapConfig.non-voting-locality", &log.bootstrap.non_voting_locality),
    ];
    for (key, text) in keys {
        if let Some(pair) = text.split(';').filter(|pair| !pair.is_empty()).find(|pair| !is_pair(pair)) {
            let what = format!("`{pair}` is no pair of key and value");
            found.push(source.error(key, what, "write it as \"region:west\", several with ; between them"));
        }
    }
}

fn is_pair(pair: &str) -> bool {
    let parts: Vec<&str> = pair.split(':').map(str::trim).collect();
    parts.len() == 2 && parts.iter().all(|part| !part.is_empty())
}

fn times(service: &ServiceConfig, found: &mut Vec<Finding>) {
    let (log, source) = (&service.log_service, &service.source);
    let key = "logservice.HAKeeperConfig.log-store-timeout";
    if !log.keeper.log_store.is_zero() && log.heartbeat_interval >= log.keeper.log_store {
        let what = "not longer than logservice-heartbeat-interval: stores would count as lost between two reports";
        found.push(source.error(key, what, "make it several times the interval"));
    }
    if off_the_second(log) {
        let what =
            "tick-per-second ticks of hakeeper-tick-interval do not make a second: timeouts count longer or shorter";
        let next = "set hakeeper-tick-interval to a second divided by tick-per-second";
        found.push(source.warning("logservice.hakeeper-tick-interval", what, next));
    }
}

fn off_the_second(log: &LogService) -> bool {
    let ticks = u32::try_from(log.keeper.ticks_per_second).unwrap_or(u32::MAX);
    let set = ticks > 0 && !log.tick_interval.is_zero();
    set && log.tick_interval.saturating_mul(ticks).abs_diff(Duration::from_secs(1)) > Duration::from_millis(100)
}

fn zones(service: &ServiceConfig, found: &mut Vec<Finding>) {
    let (ours, source) = (&service.drydock, &service.source);
    let replicas = service.log_service.bootstrap.replicas;
    if ours.zones_to_span > 0 && ours.zone.is_empty() && service.log_service.locality.is_empty() {
        let what = "commits must span zones, and this store has none";
        found.push(source.error("drydock.zone", what, "name the zone of this store"));
    }
    if service.log_service.bootstrap.cluster && ours.zones_to_span > replicas {
        let what =
            format!("{replicas} replicas cannot span {} zones: nothing would ever be acknowledged", ours.zones_to_span);
        let next = "lower it, or raise num-of-log-shard-replicas";
        found.push(source.error("drydock.zones-to-span", what, next));
    }
}
