//! The fleet a job works in: who its members are now, who holds them, which replicas are fresh.

use api::{ClusterTopology, GraphNode, Reach};
use mysql::{Endpoint, Session, SqlError};
use std::collections::BTreeSet;
use tokio::sync::Mutex;
use topology::{Heartbeat, Lag};
use types::Address;

/// Members of the fleet as discovery finds them when the job begins.
pub(crate) struct Fleet {
    /// How members are reached.
    pub target: Endpoint,
    /// The evidence graph.
    pub topology: ClusterTopology,
    /// Addresses under work now.
    pub busy: Mutex<BTreeSet<Address>>,
}

/// The address behind a plan's `host:port`.
pub(crate) fn address(node: &str) -> Option<Address> {
    let (host, port) = node.rsplit_once(':')?;
    Some(Address::new(host.trim_start_matches('[').trim_end_matches(']'), port.parse().ok()?))
}

impl Fleet {
    /// As discovery found it; nobody is at work yet.
    pub fn new(target: Endpoint, topology: ClusterTopology) -> Self {
        Self { target, topology, busy: Mutex::default() }
    }

    /// True if discovery spoke to the server.
    pub fn is_reached(&self, address: &Address) -> bool {
        self.topology.nodes.iter().any(|node| node.address == *address && node.reach == Reach::Reached)
    }

    /// True if discovery found that the node may take writes.
    pub fn is_writer(&self, id: &str) -> bool {
        self.topology.nodes.iter().any(|node| node.id == id && node.writer)
    }

    /// Members that may take writes and answer.
    pub fn writers(&self) -> impl Iterator<Item = &GraphNode> {
        self.topology.nodes.iter().filter(|node| node.writer && node.reach == Reach::Reached)
    }

    /// Replicas of the fleet that answer.
    pub fn replicas(&self) -> impl Iterator<Item = &GraphNode> {
        self.topology.nodes.iter().filter(|node| !node.writer && node.reach == Reach::Reached)
    }

    /// True if the node is one that replicates from somebody.
    pub fn is_replica(&self, address: &Address) -> bool {
        let node = self.topology.nodes.iter().find(|node| node.address == *address);
        node.is_some_and(|node| self.topology.edges.iter().any(|edge| edge.target == node.id))
    }

    /// Everything that replicates from a node, directly or not.
    pub fn below(&self, top: &Address) -> Vec<Endpoint> {
        let id = |address: &Address| self.topology.nodes.iter().find(|n| n.address == *address).map(|n| n.id.as_str());
        let (mut found, mut open) = (BTreeSet::new(), Vec::from_iter(id(top)));
        while let Some(id) = open.pop() {
            for edge in self.topology.edges.iter().filter(|edge| edge.source == id && edge.target != id) {
                if found.insert(edge.target.as_str()) {
                    open.push(&edge.target);
                }
            }
        }
        let reached = |node: &&GraphNode| found.contains(node.id.as_str()) && node.reach == Reach::Reached;
        self.topology
            .nodes
            .iter()
            .filter(reached)
            .filter(|node| node.address != *top)
            .map(|node| self.target.at(node.address.clone()))
            .collect()
    }

    /// The heartbeat as it counts for one node.
    pub fn heartbeat_of(&self, heartbeat: Option<&Heartbeat>, address: &Address) -> Option<Heartbeat> {
        let node = self.topology.nodes.iter().find(|node| node.address == *address);
        heartbeat.map(|heartbeat| heartbeat.of(&self.topology, node.map_or("", |node| &node.id)))
    }

    /// True if at least one replica is neither under work nor behind.
    pub async fn keeps_one_fresh(&self, max_lag: f64, heartbeat: Option<&Heartbeat>) -> bool {
        let busy = self.busy.lock().await.clone();
        for node in self.replicas().filter(|node| !busy.contains(&node.address)) {
            let heartbeat = self.heartbeat_of(heartbeat, &node.address);
            let lag = lag_of(&self.target.at(node.address.clone()), heartbeat.as_ref()).await;
            if lag.is_ok_and(|lag| lag.is_within(max_lag)) {
                return true;
            }
        }
        false
    }
}

/// Lag of a server.
pub(crate) async fn lag_of(endpoint: &Endpoint, heartbeat: Option<&Heartbeat>) -> Result<Lag, SqlError> {
    let mut session = Session::connect(endpoint).await?;
    let lag = topology::lag(&mut session, heartbeat).await;
    session.close().await;
    lag
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_read_back() {
        for text in ["127.0.0.1:3306", "[::1]:3307", "db.example:1"] {
            assert_eq!(address(text).map(|address| address.to_string()).as_deref(), Some(text));
        }
        assert_eq!(address("nowhere"), None);
    }
}
