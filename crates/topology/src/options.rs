//! How far and how fast discovery goes.

use std::time::Duration;
use types::Address;

/// What a caller may choose about a discovery.
#[derive(Debug, Clone)]
pub struct DiscoverOptions {
    /// Hops from the seed that are still asked; 1 is its direct neighbours, 0 the seed alone.
    pub max_depth: u32,
    /// Members asked at the same time.
    pub parallel: usize,
    /// Limit for connecting to and asking one member, seed included.
    pub member_timeout: Duration,
    /// Name of the cluster, if it has one.
    pub cluster_name: Option<String>,
    /// Accounts whose binlog dumps are never replicas (CDC, backup).
    pub ignore_users: Vec<String>,
    /// Ports worth trying where a replica does not announce its own; the source's and 3306 are tried anyway.
    pub guess_ports: Vec<u16>,
    /// Members an inventory calls primary: always writers, whatever they say of themselves.
    pub declared_primaries: Vec<Address>,
    /// Members of each cluster an inventory knows: once one of a cluster answers, the others are asked too, linked or not.
    pub inventory: Vec<Vec<Address>>,
}

impl Default for DiscoverOptions {
    fn default() -> Self {
        Self {
            max_depth: 10,
            parallel: 10,
            member_timeout: Duration::from_secs(10),
            cluster_name: None,
            ignore_users: Vec::new(),
            guess_ports: Vec::new(),
            declared_primaries: Vec::new(),
            inventory: Vec::new(),
        }
    }
}
