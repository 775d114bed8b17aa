//! From values to the tables of a service.

use super::{
    BootstrapConfig, CnConfig, Drydock, FileService, KeeperClient, KeeperTimes, LogService, Logging, Observability,
    Restore, ServiceConfig, ServiceType, TnConfig,
};
use crate::{
    reach::Reach,
    read::{self, Values},
    schema::SERVICE,
    source::{Read, Source},
};
use std::path::Path;

impl ServiceConfig {
    /// Reads the file of a service. Whatever is wrong becomes a finding, and its key counts as not said.
    pub fn read(mut source: Source, text: &str) -> Read<ServiceConfig> {
        let (values, mut findings) = read::read(SERVICE, &mut source, text);
        let said = values.text("service-type");
        let service_type = ServiceType::read(&said);
        // A text that is no TOML says nothing, and was told so.
        let broken = source.lines.is_empty() && !findings.is_empty();
        if service_type.is_none() && !broken {
            let what = format!("service type {said} not support");
            findings.push(source.error("service-type", what, "write LOG, TN or CN"));
        }
        Read::new(build(source, &values, service_type), findings)
    }
}

fn build(source: Source, v: &Values, service_type: Option<ServiceType>) -> ServiceConfig {
    let data_dir = match v.text("data-dir") {
        empty if empty.is_empty() => source.path("mo-data"),
        said => source.path(&said),
    };
    ServiceConfig {
        service_type,
        log: logging(v),
        observability: observability(v),
        keeper: keeper_client(v),
        file_services: file_services(&source, v, &data_dir),
        log_service: log_service(&source, v),
        tn: tn(v),
        cn: cn(&source, v),
        drydock: drydock(v),
        data_dir,
        source,
    }
}

fn logging(v: &Values) -> Logging {
    Logging {
        level: v.text("log.level"),
        format: v.text("log.format"),
        filename: v.text("log.filename"),
        max_days: v.whole("log.max-days"),
        max_backups: v.whole("log.max-backups"),
    }
}

fn observability(v: &Values) -> Observability {
    let off = v.flag("observability.disable-metric") || v.flag("observability.disableMetric");
    Observability {
        host: v.text("observability.host"),
        status_port: v.port("observability.status-port"),
        metrics: v.flag("observability.enable-metric-to-prom") && !off,
    }
}

fn keeper_client(v: &Values) -> KeeperClient {
    let mut services = v.texts("hakeeper-client.service-addresses");
    if services.is_empty() {
        services.push(v.usual("hakeeper-client.service-addresses").to_owned());
    }
    KeeperClient { discovery: v.text("hakeeper-client.discovery-address"), services }
}

/// What every service has even where its file says nothing.
const ALWAYS: [(&str, &str); 4] = [("LOCAL", "DISK"), ("SHARED", "DISK"), ("ETL", "DISK-ETL"), ("TMP", "DISK-TMP")];

fn file_services(source: &Source, v: &Values, data_dir: &Path) -> Vec<FileService> {
    let present = (0..).take_while(|index| source.says(&format!("fileservice[{index}]")));
    let mut all: Vec<FileService> = present.map(|index| file_service(source, v, data_dir, index)).collect();
    for (name, backend) in ALWAYS {
        if !all.iter().any(|service| service.name.eq_ignore_ascii_case(name)) {
            all.push(usual_file_service(name, backend, data_dir));
        }
    }
    all
}

fn usual_file_service(name: &str, backend: &str, data_dir: &Path) -> FileService {
    let (name, backend) = (name.to_owned(), backend.to_owned());
    let data_dir = data_dir.join(name.to_lowercase());
    let none = String::new;
    FileService {
        name,
        backend,
        data_dir,
        endpoint: none(),
        bucket: none(),
        prefix: none(),
        region: none(),
        index: None,
    }
}

fn file_service(source: &Source, v: &Values, data_dir: &Path, index: usize) -> FileService {
    let key = |name: &str| format!("fileservice[{index}].{name}");
    let said = v.text(&key("name"));
    let name = if said.eq_ignore_ascii_case("s3") { "SHARED".to_owned() } else { said };
    let data_dir = match v.text(&key("data-dir")) {
        empty if empty.is_empty() => data_dir.join(name.to_lowercase()),
        said => source.path(&said),
    };
    FileService {
        name,
        backend: v.text(&key("backend")).to_uppercase(),
        data_dir,
        endpoint: v.text(&key("s3.endpoint")),
        bucket: v.text(&key("s3.bucket")),
        prefix: v.text(&key("s3.key-prefix")),
        region: v.text(&key("s3.region")),
        index: Some(index),
    }
}

fn log_service(source: &Source, v: &Values) -> LogService {
    let mut gossip = reach(source, v, "gossip");
    let second = v.text("logservice.gossip-address-v2");
    if !second.is_empty() {
        (gossip.address, gossip.said) = (second, true);
    }
    LogService {
        deployment_id: v.whole("logservice.deployment-id"),
        uuid: v.text("logservice.uuid"),
        service_host: v.text("logservice.service-host"),
        raft: reach(source, v, "raft"),
        service: reach(source, v, "logservice"),
        gossip,
        seeds: v.texts("logservice.gossip-seed-addresses"),
        probe_interval: v.span("logservice.gossip-probe-interval"),
        self_as_seed: v.flag("logservice.gossip-allow-self-as-seed"),
        locality: v.text("logservice.locality"),
        heartbeat_interval: v.span("logservice.logservice-heartbeat-interval"),
        tick_interval: v.span("logservice.hakeeper-tick-interval"),
        check_interval: v.span("logservice.hakeeper-check-interval"),
        truncate_interval: v.span("logservice.truncate-interval"),
        keeper_truncate_interval: v.span("logservice.hakeeper-truncate-interval"),
        buffer_size: v.whole("logservice.logdb-buffer-size"),
        segment_size: v.whole("logservice.logdb-max-log-file-size"),
        preallocate: !v.flag("logservice.logdb-disable-prealloc"),
        explicit_hostname: v.text("logservice.explicit-hostname"),
        max_message: v.whole("logservice.rpc.max-message-size"),
        is_non_voting: v.flag("logservice.is-non-voting"),
        membership_immovable: v.flag("logservice.membership-immovable"),
        bootstrap: bootstrap(v),
        keeper: keeper_times(v),
    }
}

fn reach(source: &Source, v: &Values, door: &str) -> Reach {
    let key = |what: &str| format!("logservice.{door}-{what}");
    let (address, listen, port) = (key("address"), key("listen-address"), key("port"));
    Reach {
        address: v.text(&address),
        listen: v.text(&listen),
        port: v.port(&port),
        usual: v.usual(&address),
        said: [address, listen, port].iter().any(|key| source.says(key)),
    }
}

fn bootstrap(v: &Values) -> BootstrapConfig {
    let key = |name: &str| format!("logservice.BootstrapConfig.{name}");
    BootstrapConfig {
        cluster: v.flag(&key("bootstrap-cluster")),
        log_shards: v.whole(&key("num-of-log-shards")),
        tn_shards: v.whole(&key("num-of-tn-shards")),
        replicas: v.whole(&key("num-of-log-shard-replicas")),
        members: v.texts(&key("init-hakeeper-members")),
        non_voting_locality: v.text(&key("non-voting-locality")),
        standby: v.flag(&key("standby-enabled")),
        restore: Restore {
            enabled: v.flag(&key("restore.enabled")),
            file: v.text(&key("restore.file-path")),
            wal: v.text(&key("restore.wal-data-path")),
        },
    }
}

fn keeper_times(v: &Values) -> KeeperTimes {
    let key = |name: &str| format!("logservice.HAKeeperConfig.{name}");
    KeeperTimes {
        ticks_per_second: v.whole(&key("tick-per-second")),
        log_store: v.span(&key("log-store-timeout")),
        tn_store: v.span(&key("tn-store-timeout")),
        cn_store: v.span(&key("cn-store-timeout")),
    }
}

fn tn(v: &Values) -> TnConfig {
    TnConfig {
        uuid: v.text("tn.uuid"),
        port_base: v.port("tn.port-base"),
        service_host: v.text("tn.service-host"),
        listen: v.text("tn.listen-address"),
        service: v.text("tn.service-address"),
        heartbeat_interval: v.span("tn.HAKeeper.hakeeper-heartbeat-interval"),
        heartbeat_timeout: v.span("tn.HAKeeper.hakeeper-heartbeat-timeout"),
        discovery_timeout: v.span("tn.HAKeeper.hakeeper-discovery-timeout"),
        log_timeout: v.span("tn.LogService.connect-timeout"),
    }
}

fn cn(source: &Source, v: &Values) -> CnConfig {
    // The original serves SQL on every interface unasked; here somebody has to ask.
    let said = source.says("cn.frontend.host");
    CnConfig {
        uuid: v.text("cn.uuid"),
        port_base: v.port("cn.port-base"),
        service_host: v.text("cn.service-host"),
        listen: v.text("cn.listen-address"),
        service: v.text("cn.service-address"),
        sql_host: if said { v.text("cn.frontend.host") } else { "127.0.0.1".to_owned() },
        sql_port: v.port("cn.frontend.port"),
        sql_socket: v.text("cn.frontend.unix-socket"),
        tls: v.flag("cn.frontend.enableTls"),
        tls_cert: v.text("cn.frontend.tlsCertFile"),
        tls_key: v.text("cn.frontend.tlsKeyFile"),
        heartbeat_interval: v.span("cn.HAKeeper.hakeeper-heartbeat-interval"),
        heartbeat_timeout: v.span("cn.HAKeeper.hakeeper-heartbeat-timeout"),
        discovery_timeout: v.span("cn.HAKeeper.hakeeper-discovery-timeout"),
    }
}

fn drydock(v: &Values) -> Drydock {
    Drydock {
        cluster_id: v.text("drydock.cluster-id"),
        zone: v.text("drydock.zone"),
        zones_to_span: v.whole("drydock.zones-to-span"),
        ca: v.text("drydock.tls.ca"),
        cert: v.text("drydock.tls.cert"),
        key: v.text("drydock.tls.key"),
        sql_cert: v.text("drydock.sql-tls-cert"),
        sql_key: v.text("drydock.sql-tls-key"),
    }
}
