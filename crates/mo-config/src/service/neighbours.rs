//! The other tables of a service's file: `[tn]`, `[cn]`, `[[fileservice]]`, and what every service has.

use std::{path::PathBuf, time::Duration};

/// `[log]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logging {
    /// `level`
    pub level: String,
    /// `format`
    pub format: String,
    /// `filename`
    pub filename: String,
    /// `max-days`
    pub max_days: u64,
    /// `max-backups`
    pub max_backups: u64,
}

/// `[observability]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observability {
    /// `host`
    pub host: String,
    /// `status-port`
    pub status_port: u16,
    /// Whether metrics are served: `enable-metric-to-prom`, and not `disable-metric` under either name.
    pub metrics: bool,
}

/// `[hakeeper-client]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeeperClient {
    /// `discovery-address`
    pub discovery: String,
    /// `service-addresses`
    pub services: Vec<String>,
}

impl KeeperClient {
    /// Where to look for the keeper: the discovery address goes before the others.
    pub fn addresses(&self) -> Vec<String> {
        if self.discovery.is_empty() { self.services.clone() } else { vec![self.discovery.clone()] }
    }
}

/// One `[[fileservice]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileService {
    /// `name`; `S3` is read as `SHARED`.
    pub name: String,
    /// `backend`, in capitals.
    pub backend: String,
    /// `data-dir`
    pub data_dir: PathBuf,
    /// `s3.endpoint`
    pub endpoint: String,
    /// `s3.bucket`
    pub bucket: String,
    /// `s3.key-prefix`
    pub prefix: String,
    /// `s3.region`
    pub region: String,
    /// Its place in the file; nothing for one that every service has.
    pub index: Option<usize>,
}

impl FileService {
    /// A key of it, for findings.
    pub(crate) fn key(&self, name: &str) -> String {
        self.index.map_or_else(|| "fileservice".to_owned(), |index| format!("fileservice[{index}].{name}"))
    }

    /// Whether its files lie in a directory of this host.
    pub fn on_disk(&self) -> bool {
        self.backend.starts_with("DISK")
    }
}

/// `[tn]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TnConfig {
    /// `uuid`
    pub uuid: String,
    /// `port-base`
    pub port_base: u16,
    /// `service-host`
    pub service_host: String,
    /// `listen-address`
    pub listen: String,
    /// `service-address`
    pub service: String,
    /// `HAKeeper.hakeeper-heartbeat-interval`
    pub heartbeat_interval: Duration,
    /// `HAKeeper.hakeeper-heartbeat-timeout`
    pub heartbeat_timeout: Duration,
    /// `HAKeeper.hakeeper-discovery-timeout`
    pub discovery_timeout: Duration,
    /// `LogService.connect-timeout`
    pub log_timeout: Duration,
}

/// `[cn]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CnConfig {
    /// `uuid`
    pub uuid: String,
    /// `port-base`
    pub port_base: u16,
    /// `service-host`
    pub service_host: String,
    /// `listen-address`
    pub listen: String,
    /// `service-address`
    pub service: String,
    /// `frontend.host`; loopback where the file names none.
    pub sql_host: String,
    /// `frontend.port`
    pub sql_port: u16,
    /// `frontend.unix-socket`
    pub sql_socket: String,
    /// `frontend.enableTls`
    pub tls: bool,
    /// `frontend.tlsCertFile`
    pub tls_cert: String,
    /// `frontend.tlsKeyFile`
    pub tls_key: String,
    /// `HAKeeper.hakeeper-heartbeat-interval`
    pub heartbeat_interval: Duration,
    /// `HAKeeper.hakeeper-heartbeat-timeout`
    pub heartbeat_timeout: Duration,
    /// `HAKeeper.hakeeper-discovery-timeout`
    pub discovery_timeout: Duration,
}

/// `[drydock]`: what the original has no word for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drydock {
    /// `cluster-id`; empty means it follows from the deployment id.
    pub cluster_id: String,
    /// `zone`
    pub zone: String,
    /// `zones-to-span`
    pub zones_to_span: u64,
    /// `tls.ca`
    pub ca: String,
    /// `tls.cert`
    pub cert: String,
    /// `tls.key`
    pub key: String,
    /// `sql-tls-cert`
    pub sql_cert: String,
    /// `sql-tls-key`
    pub sql_key: String,
}
