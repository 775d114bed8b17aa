//! Made-up fleets for the tests of pure rules.

use super::facts::{FleetFacts, NodeFacts, Settings};
use crate::estimate::{Content, TableFacts};
use api::{
    ClusterTopology, DatabaseTarget, Edge, EdgeKind, Estimate, GraphNode, Method, Reach, RecycleConfig, TopologyTree,
};
use jiff::Timestamp;
use mysql::{Capabilities, Flavor, Version};
use std::collections::{BTreeMap, BTreeSet};
use types::{Address, Secret, TableName};

pub(crate) fn config() -> RecycleConfig {
    let target = DatabaseTarget { host: "h".into(), port: 3306, username: "u".into(), password: Secret::default() };
    RecycleConfig::new(target)
}

pub(crate) fn node(id: &str, port: u16, writer: bool) -> GraphNode {
    GraphNode {
        id: id.into(),
        address: Address::new("h", port),
        server_id: u32::from(port),
        role: if writer { "primary" } else { "replica" }.into(),
        writer,
        writer_reasons: vec![if writer { "read_only is OFF" } else { "read_only is ON" }.into()],
        read_only: !writer,
        super_read_only: None,
        flavor: "mariadb".into(),
        version: "10.11.19-MariaDB".into(),
        lag_seconds: Some(0),
        reach: Reach::Reached,
        depth: 0,
        evidence: Vec::new(),
    }
}

pub(crate) fn edge(source: &str, target: &str) -> Edge {
    Edge {
        source: source.into(),
        target: target.into(),
        kind: EdgeKind::Binlog,
        channel: String::new(),
        healthy: Some(true),
        last_error: String::new(),
        evidence: vec![],
    }
}

pub(crate) fn topology(nodes: Vec<GraphNode>, edges: Vec<Edge>) -> ClusterTopology {
    ClusterTopology {
        cluster_id: "cluster-1".into(),
        cluster_name: "c".into(),
        discover_time: Timestamp::UNIX_EPOCH,
        topology: TopologyTree { master: None, slaves: vec![] },
        tree: TopologyTree { master: None, slaves: vec![] },
        nodes,
        edges,
        warnings: vec![],
    }
}

/// A table of `file` MiB of which `freed` MiB are predicted to come free, give or take one.
pub(crate) fn table(name: &str, file: i64, freed: i64) -> TableFacts {
    let mb = |count: i64| count << 20;
    let file_bytes = mb(file).unsigned_abs();
    TableFacts {
        name: TableName::new("d", name),
        engine: "InnoDB".into(),
        row_format: "Dynamic".into(),
        create_options: String::new(),
        compressed_kib: None,
        page_compressed: false,
        encrypted: false,
        has_fulltext: false,
        has_spatial: false,
        has_indexed_virtual: false,
        has_primary_key: true,
        has_foreign_key: false,
        shared_tablespace: false,
        instant_row_versions: 0,
        rows: 1000,
        index_bytes: 0,
        estimate: Estimate {
            file_bytes,
            predicted_freed_bytes: mb(freed),
            predicted_low_bytes: mb(freed - 1),
            predicted_high_bytes: mb(freed + 1),
            data_free_bytes: 0,
            method: Method::Sql,
        },
        rebuilt_bytes: mb(file - freed).unsigned_abs(),
        partitions: vec![],
        contents: vec![Content::unknown(file_bytes, 0)],
    }
}

pub(crate) fn mariadb() -> Capabilities {
    Capabilities {
        flavor: Flavor::MariaDb,
        version: Version(10, 11, 19),
        version_text: "10.11.19-MariaDB".into(),
        version_comment: String::new(),
    }
}

pub(crate) fn asked(tables: Vec<TableFacts>) -> NodeFacts {
    let still = tables.iter().map(|table| (table.name.clone(), 0.0)).collect();
    NodeFacts {
        capabilities: mariadb(),
        databases: BTreeSet::from(["d".to_owned()]),
        tables,
        gates: vec![],
        budget: (crate::gates::budget::Budget::default(), Ok(crate::gates::budget::Spent::default())),
        rights: Ok(crate::gates::privilege::all_rights()),
        undo: vec![],
        settings: Settings { row_log_limit: 128 << 20, gtids: true, applier_patience: 1e9, ..Settings::default() },
        disks: crate::gates::disk::Disks::default(),
        locks: Ok(crate::gates::metadata_lock::Locks::default()),
        write_rates: Ok(still),
    }
}

/// A fleet in which every node holds the same tables.
pub(crate) fn fleet(topology: ClusterTopology, target: &str, tables: &[TableFacts]) -> FleetFacts {
    let nodes = topology.nodes.iter().map(|node| (node.id.clone(), asked(tables.to_vec()))).collect();
    FleetFacts { at: Timestamp::UNIX_EPOCH, topology, target: target.into(), nodes, silent: BTreeMap::new() }
}
