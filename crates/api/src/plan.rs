//! The plan: one immutable object, shown on a dry run and then carried out as it stands.

use crate::job::{RecycleConfig, WorkMode};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a rebuild of one table (or of the named partitions) would free.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Estimate {
    /// `FILE_SIZE` of the table's tablespace, or the sum over its partitions.
    pub file_bytes: u64,
    /// Best guess of the file size after, subtracted from `file_bytes`; negative predicts growth.
    pub predicted_freed_bytes: i64,
    /// Lower end of the 95 % interval.
    pub predicted_low_bytes: i64,
    /// Upper end of the 95 % interval.
    pub predicted_high_bytes: i64,
    /// What the seed's rule sees: `DATA_FREE`, uncached.
    pub data_free_bytes: u64,
    /// How it was worked out.
    pub method: Method,
}

/// Where an estimate comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Rows and statistics by SQL alone.
    Sql,
    /// Pages sampled from the file.
    Pages,
    /// Neither could be had; the interval spans everything.
    None,
}

/// `ALGORITHM=` of the statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Algorithm {
    /// Online rebuild.
    Inplace,
    /// Copy of all rows.
    Copy,
}

/// What stands still while the statement runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LockClass {
    /// Reads and writes go on; a short exclusive moment at both ends.
    None,
    /// Reads go on, writes wait.
    Shared,
    /// All wait.
    Exclusive,
}

/// How one table is rebuilt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Strategy {
    /// `ALTER … FORCE, ALGORITHM=INPLACE, LOCK=NONE`.
    InPlace,
    /// `ALTER … FORCE, ALGORITHM=COPY`; `stop_applier` where a known bug makes concurrent changes unsafe.
    Copy {
        /// Stop the replica's applier and drain before, start it after.
        stop_applier: bool,
    },
    /// `ALTER … REBUILD PARTITION` for the partitions that pay.
    Partitions {
        /// Their names.
        names: Vec<String>,
    },
    /// Undo tablespaces emptied one after the other and cut to the size they are made with.
    Undo {
        /// Their names.
        names: Vec<String>,
    },
    /// Left alone.
    Skip {
        /// Why, and what would change it.
        reason: String,
    },
}

/// What one gate says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case", tag = "verdict")]
pub enum GateVerdict {
    /// Go.
    Pass,
    /// Not now; asked again until the timeout.
    Wait {
        /// What is waited for.
        reason: String,
    },
    /// Never; needs the operator.
    Refuse {
        /// Why, and what to do next.
        reason: String,
    },
}

/// A gate and its verdict at planning time; each is asked again right before the statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Gate {
    /// `writer`, `lag`, `long_transaction`, `history_list`, `metadata_lock`, `disk`, `row_log`, `backup_lock`, `data_loss_bug`, `window`, `budget`, `lease`, `privilege`.
    pub name: String,
    /// What it says.
    #[serde(flatten)]
    pub verdict: GateVerdict,
}

/// One table on one node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TablePlan {
    /// `host:port`.
    pub node: String,
    /// Database.
    pub database: String,
    /// Table.
    pub table: String,
    /// Engine, as the server words it.
    pub engine: String,
    /// Prediction, flattened.
    #[serde(flatten)]
    pub estimate: Estimate,
    /// How.
    pub strategy: Strategy,
    /// The exact statements that would run, in order, session settings included; empty for a skip.
    pub statements: Vec<String>,
    /// What stands still.
    pub lock: LockClass,
    /// Bytes needed on the data disk while it runs.
    pub data_bytes_needed: u64,
    /// Bytes needed in the temporary directory while it runs.
    pub tmp_bytes_needed: u64,
    /// Predicted bytes freed per byte written; what plans rank by.
    pub gain_per_byte: f64,
    /// Predicted seconds.
    pub predicted_seconds: f64,
    /// Gates about this table.
    pub gates: Vec<Gate>,
}

/// Tables handled together before the node is verified and let catch up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Batch {
    /// 1-based.
    pub number: u32,
    /// In order of `gain_per_byte`, best first.
    pub tables: Vec<TablePlan>,
}

/// One node's share.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct NodePlan {
    /// `host:port`.
    pub node: String,
    /// Identity as in the topology.
    pub id: String,
    /// `replica`, `intermediate`, `primary`, …
    pub role: String,
    /// Why the node is left alone; absent if it is worked on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skipped: Option<String>,
    /// Gates about the node.
    pub gates: Vec<Gate>,
    /// Work, in order.
    pub batches: Vec<Batch>,
    /// Tables looked at and left alone, each with its reason.
    pub left: Vec<TablePlan>,
}

/// The whole plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Plan {
    /// When it was made, UTC.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// `cluster_id` of the topology it was made on.
    pub cluster_id: String,
    /// What was asked, resolved.
    pub config: RecycleConfig,
    /// As in `config`.
    pub mode: WorkMode,
    /// In the order they will be worked on: leaves first.
    pub nodes: Vec<NodePlan>,
    /// Sum over all work.
    pub file_bytes: u64,
    /// Sum over all work.
    pub predicted_freed_bytes: i64,
    /// Sum over all work.
    pub predicted_seconds: f64,
    /// What the operator should know before saying yes.
    pub warnings: Vec<String>,
    /// Fingerprint of the work: nodes, tables, ways and statements. Sent back with a request (`plan_digest`), it makes sure
    /// that what was agreed to is what is done.
    #[serde(default)]
    pub digest: String,
}

impl Plan {
    /// All work, in order.
    pub fn work(&self) -> impl Iterator<Item = &TablePlan> {
        self.nodes.iter().flat_map(|node| node.batches.iter().flat_map(|batch| batch.tables.iter()))
    }
}
