//! A service that runs or watches an engine, and one that serves SQL, as a program runs them.

use super::{Endpoint, Tls, cluster_id, tls};
use crate::{reach, service::ServiceConfig};
use std::{path::PathBuf, time::Duration};

/// What SQL clients see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlTls {
    /// The certificate.
    pub cert: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

fn sql_tls(config: &ServiceConfig) -> Option<SqlTls> {
    let (ours, theirs) = (&config.drydock, &config.cn);
    let (cert, key) = match (ours.sql_cert.is_empty(), theirs.tls) {
        (false, _) => (&ours.sql_cert, &ours.sql_key),
        (true, true) => (&theirs.tls_cert, &theirs.tls_key),
        (true, false) => return None,
    };
    Some(SqlTls { cert: config.source.path(cert), key: config.source.path(key) })
}

/// A service that runs or watches an engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tn {
    /// Its identity.
    pub uuid: String,
    /// Name of the cluster.
    pub cluster_id: String,
    /// `<data-dir>/dn-data/<uuid>`
    pub data_dir: PathBuf,
    /// Where it is asked.
    pub service: Endpoint,
    /// Where to look for the keeper.
    pub discovery: Vec<String>,
    /// Its reports to the keeper.
    pub heartbeat_interval: Duration,
    /// Limit of one report.
    pub heartbeat_timeout: Duration,
    /// Limit for finding the keeper.
    pub discovery_timeout: Duration,
    /// Limit for reaching the log.
    pub log_timeout: Duration,
    /// How it proves who it is.
    pub tls: Option<Tls>,
}

impl Tn {
    /// What a service's file makes of it.
    pub fn of(config: &ServiceConfig) -> Tn {
        let tn = &config.tn;
        Tn {
            uuid: tn.uuid.clone(),
            cluster_id: cluster_id(config),
            data_dir: config.data_dir.join("dn-data").join(&tn.uuid),
            service: node(tn.port_base, &tn.service_host, &tn.service, &tn.listen),
            discovery: config.keeper.addresses(),
            heartbeat_interval: tn.heartbeat_interval,
            heartbeat_timeout: tn.heartbeat_timeout,
            discovery_timeout: tn.discovery_timeout,
            log_timeout: tn.log_timeout,
            tls: tls(config),
        }
    }
}

fn node(port_base: u16, host: &str, service: &str, listen: &str) -> Endpoint {
    if port_base == 0 {
        return Endpoint { advertised: service.to_owned(), listen: listen.to_owned() };
    }
    Endpoint { advertised: types::Address::new(host, port_base).to_string(), listen: reach::bound(host, port_base) }
}

/// A service that serves SQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cn {
    /// Its identity.
    pub uuid: String,
    /// Name of the cluster.
    pub cluster_id: String,
    /// Where it is asked.
    pub service: Endpoint,
    /// Where SQL is served.
    pub sql: String,
    /// A socket file for SQL.
    pub sql_socket: Option<PathBuf>,
    /// What SQL clients see.
    pub sql_tls: Option<SqlTls>,
    /// Where to look for the keeper.
    pub discovery: Vec<String>,
    /// Its reports to the keeper.
    pub heartbeat_interval: Duration,
    /// Limit of one report.
    pub heartbeat_timeout: Duration,
    /// Limit for finding the keeper.
    pub discovery_timeout: Duration,
    /// How it proves who it is.
    pub tls: Option<Tls>,
}

impl Cn {
    /// What a service's file makes of it.
    pub fn of(config: &ServiceConfig) -> Cn {
        let cn = &config.cn;
        Cn {
            uuid: cn.uuid.clone(),
            cluster_id: cluster_id(config),
            service: node(cn.port_base, &cn.service_host, &cn.service, &cn.listen),
            sql: types::Address::new(&cn.sql_host, cn.sql_port).to_string(),
            sql_socket: (!cn.sql_socket.is_empty()).then(|| config.source.path(&cn.sql_socket)),
            sql_tls: sql_tls(config),
            discovery: config.keeper.addresses(),
            heartbeat_interval: cn.heartbeat_interval,
            heartbeat_timeout: cn.heartbeat_timeout,
            discovery_timeout: cn.discovery_timeout,
            tls: tls(config),
        }
    }
}
