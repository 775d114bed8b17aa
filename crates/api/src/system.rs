//! Health, metrics history, audit, and where the disk went.

use crate::plan::Estimate;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `GET /api/v1/health`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Health {
    /// Of this program.
    pub version: String,
    /// Such as `2h30m15s`.
    pub uptime: String,
    /// Running jobs.
    pub active_jobs: u64,
    /// One-minute load average.
    pub system_load: f64,
}

/// One sample of one series.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MetricPoint {
    /// Series, such as `lag_seconds` or `disk_used_bytes`.
    pub name: String,
    /// What it is about: `host:port`, a job, or empty.
    pub subject: String,
    /// UTC.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// The sample.
    pub value: f64,
}

/// Who did what, when, and how it ended. Append-only.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AuditEntry {
    /// UTC.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// Token name, `cli:<os user>` or `anonymous@<peer>`.
    pub actor: String,
    /// Such as `job.create`.
    pub action: String,
    /// What it was done to.
    pub subject: String,
    /// `ok` or the error, masked.
    pub outcome: String,
}

/// One table's space on one node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TableSpace {
    /// `host:port`.
    pub node: String,
    /// Database.
    pub database: String,
    /// Table.
    pub table: String,
    /// Engine.
    pub engine: String,
    /// Prediction, flattened.
    #[serde(flatten)]
    pub estimate: Estimate,
}

/// Something other than a table's rows that holds disk.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CensusItem {
    /// `undo`, `system_tablespace`, `temporary_tablespace`, `binlog`, `relay_log`, `redo`, `orphan`, `fulltext`.
    pub kind: String,
    /// File, tablespace or table.
    pub name: String,
    /// What it holds.
    pub bytes: u64,
    /// What of that can be given back; 0 if nothing.
    pub reclaimable_bytes: u64,
    /// How, in a statement or in words.
    pub advice: String,
}

/// Where one node's disk went.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DiskCensus {
    /// `host:port`.
    pub node: String,
    /// Every holder found, largest first.
    pub items: Vec<CensusItem>,
    /// Sum over table files.
    pub table_bytes: u64,
    /// Bytes free on the data disk; absent if it cannot be known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disk_free_bytes: Option<u64>,
    /// Size of that disk; absent if it cannot be known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disk_total_bytes: Option<u64>,
}

/// `GET /api/v1/session`: who the server takes the caller for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SessionInfo {
    /// As it would stand in the audit; empty if a token is wanted and none came.
    pub actor: String,
    /// `viewer`, `operator` or `admin`; empty if none.
    pub role: String,
    /// Whether the server wants a token at all.
    pub token_required: bool,
}
