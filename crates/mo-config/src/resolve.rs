//! What a program makes of the settings: directories, addresses, members, with nothing left to work out.

mod node;
mod store;

pub use node::{Cn, SqlTls, Tn};
pub use store::{Bootstrap, LogStore};

use crate::service::ServiceConfig;
use std::{ops::Range, path::PathBuf};

/// Ids of the keeper's first members; the keeper gives out those above.
pub const HAKEEPER_IDS: Range<u64> = 131_072..262_144;

/// The log shard of a standby: 0 is the keeper's, 1 the log, and 2 the number of the engine's own shard.
pub const STANDBY_SHARD: u64 = 3;

/// Where others reach a door, and where it listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// What others are told and `show logservice stores` shows.
    pub advertised: String,
    /// What is bound.
    pub listen: String,
}

/// How members prove to each other who they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    /// Who signs their certificates.
    pub ca: PathBuf,
    /// This member's.
    pub cert: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

/// One uuid may be written with capitals or without hyphens.
pub(crate) fn same_uuid(one: &str, other: &str) -> bool {
    match (uuid::Uuid::try_parse(one), uuid::Uuid::try_parse(other)) {
        (Ok(one), Ok(other)) => one == other,
        _ => one == other,
    }
}

fn cluster_id(config: &ServiceConfig) -> String {
    match config.drydock.cluster_id.as_str() {
        "" => format!("deployment-{}", config.log_service.deployment_id),
        said => said.to_owned(),
    }
}

fn tls(config: &ServiceConfig) -> Option<Tls> {
    let ours = &config.drydock;
    let whole = !ours.ca.is_empty() && !ours.cert.is_empty() && !ours.key.is_empty();
    let path = |text: &str| config.source.path(text);
    whole.then(|| Tls { ca: path(&ours.ca), cert: path(&ours.cert), key: path(&ours.key) })
}
