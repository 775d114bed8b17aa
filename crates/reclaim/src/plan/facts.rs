//! What a plan is drawn from: everything asked of the fleet, and nothing but data.

use crate::{
    estimate::TableFacts,
    gates::{
        budget::{Budget, Spent},
        disk::Disks,
        metadata_lock::Locks,
        privilege::Rights,
    },
    undo::UndoSpace,
};
use api::{ClusterTopology, Gate, GraphNode};
use jiff::Timestamp;
use mysql::{Capabilities, SqlError};
use std::collections::{BTreeMap, BTreeSet};
use types::TableName;

/// A fleet as it was at one moment.
#[derive(Debug, Clone)]
pub struct FleetFacts {
    /// When, UTC.
    pub at: Timestamp,
    /// The evidence graph.
    pub topology: ClusterTopology,
    /// Node id of the member the request named.
    pub target: String,
    /// What was learnt of each chosen node that could be asked, by node id.
    pub nodes: BTreeMap<String, NodeFacts>,
    /// Why a chosen node could not be asked, by node id.
    pub silent: BTreeMap<String, String>,
}

/// One server, asked.
#[derive(Debug, Clone)]
pub struct NodeFacts {
    /// Which engine and version.
    pub capabilities: Capabilities,
    /// Its databases, all of them.
    pub databases: BTreeSet<String>,
    /// Its tables within the request.
    pub tables: Vec<TableFacts>,
    /// Gates about the node as a whole.
    pub gates: Vec<Gate>,
    /// What rebuilding may cost it, and has of late.
    pub budget: (Budget, Result<Spent, String>),
    /// What the account may do; an error where it could not be read.
    pub rights: Result<Rights, SqlError>,
    /// Its undo tablespaces; not asked for unless they are to be shrunk.
    pub undo: Vec<UndoSpace>,
    /// Settings a rebuild has to know.
    pub settings: Settings,
    /// Its disks.
    pub disks: Disks,
    /// Locks in the way of its tables; an error where they could not be read.
    pub locks: Result<Locks, SqlError>,
    /// Rows changed per second, a table's own where the server counts so; an error where they could not be read.
    pub write_rates: Result<BTreeMap<TableName, f64>, SqlError>,
}

impl NodeFacts {
    /// Whether a name that was asked for is the name of something this server has.
    pub fn means(&self, asked: &str, have: &str) -> bool {
        asked == have || (self.settings.folds_names && asked.to_lowercase() == have.to_lowercase())
    }
}

/// Settings of a server that decide how a rebuild is done.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Settings {
    /// `innodb_online_alter_log_max_size`, bytes.
    pub row_log_limit: u64,
    /// `super_read_only` is on.
    pub super_read_only: bool,
    /// `innodb_segment_reserve_factor` in percent, where there is one.
    pub reserve_percent: Option<f64>,
    /// Seconds the applier waits for a metadata lock, its retries included.
    pub applier_patience: f64,
    /// GTIDs are written: a logged statement on a replica would be errant.
    pub gtids: bool,
    /// `innodb_file_per_table` is off: a copy would be put into the system tablespace.
    pub copies_are_shared: bool,
    /// Names of databases and tables mean the same in any case (`lower_case_table_names` is not 0).
    pub folds_names: bool,
    /// What a replication group asks of it, if it can be in one.
    pub group: Option<GroupDemand>,
    /// How its purge truncates undo tablespaces, on `MariaDB`.
    pub undo: Option<UndoSettings>,
}

/// When the purge of a `MariaDB` truncates an undo tablespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UndoSettings {
    /// `innodb_undo_log_truncate`: it does at all.
    pub truncates: bool,
    /// `innodb_max_undo_log_size`: bytes above which it does.
    pub limit: u64,
}

/// What a group's members owe each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupDemand {
    /// A commit is answered once the group agreed on its order; members apply it when they can.
    Order,
    /// A commit waits until every member has applied it (`group_replication_consistency` `AFTER` or `BEFORE_AND_AFTER`).
    Applied,
}

impl Settings {
    /// Whether there is a reserve worth lowering for a rebuild.
    pub fn lowers_reserve(&self) -> bool {
        self.reserve_percent.is_some_and(|percent| percent > 0.03)
    }
}

/// `host:port` of a node.
pub(crate) fn name_of(node: &GraphNode) -> String {
    node.address.to_string()
}

impl FleetFacts {
    /// The node of an id.
    pub fn node(&self, id: &str) -> Option<&GraphNode> {
        self.topology.nodes.iter().find(|node| node.id == id)
    }
}
