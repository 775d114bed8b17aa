//! What crosses the doors: the REST, WebSocket and file shapes of seed 002, and what we add beside them.
//!
//! Field names are the wire's. Seed words (`master`, `slaves`) live here and nowhere below.

mod approval;
mod cluster;
mod envelope;
mod job;
mod plan;
mod system;
mod topology;

pub use approval::{Approval, ApproveRequest};
pub use cluster::{AuditQuery, ClusterInfo, ClusterJobRequest, ConnectRequest, MetricsQuery};
pub use envelope::{Envelope, ErrorBody};
pub use job::{
    DatabaseTarget, JobConfig, JobCreated, JobList, JobProgress, JobQuery, JobRequest, JobStatistics, JobStatus,
    JobSummary, JobUpdate, RecycleConfig, RecycleDocument, RecycleJob, Scope, TableResult, TableState, WorkMode,
};
pub use plan::{Algorithm, Batch, Estimate, Gate, GateVerdict, LockClass, Method, NodePlan, Plan, Strategy, TablePlan};
pub use system::{AuditEntry, CensusItem, DiskCensus, Health, MetricPoint, SessionInfo, TableSpace};
pub use topology::{
    ClusterTopology, DatabaseNode, DiscoverRequest, Edge, EdgeKind, Evidence, GraphNode, Reach, TopologyTree,
};
