//! Reclaim jobs on the wire (seed 002 §3.2.2–3.2.5, chapter 5).

use crate::{
    approval::Approval,
    plan::{Estimate, Plan},
    system::DiskCensus,
    topology::default_port,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use types::{JobId, Secret, Span};
use utoipa::{IntoParams, ToSchema};

/// Where a job works; `password` is read and never written back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DatabaseTarget {
    /// Host of the target.
    pub host: String,
    /// Port; 3306 if absent.
    #[serde(default = "default_port")]
    pub port: u16,
    /// Database account.
    pub username: String,
    /// Its password; masked in every answer, kept in memory only.
    #[serde(default, skip_serializing_if = "crate::cluster::never_shown")]
    #[schema(value_type = String, write_only)]
    pub password: Secret,
}

/// How rebuilds meet the binlog.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema, Default)]
#[serde(rename_all = "kebab-case")]
pub enum WorkMode {
    /// Each replica by itself under `sql_log_bin=0`.
    #[default]
    BinlogOff,
    /// One logged statement on the top node flows to all below.
    BinlogOn,
}

/// Which members a job covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema, Default)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// The target if it is a replica; every replica of it if it is a primary.
    #[default]
    Auto,
    /// The target only.
    Node,
    /// Every replica of the target's fleet.
    Fleet,
}

/// The `config` of `POST /api/v1/recycle/jobs`; absent fields take the configured defaults.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct JobConfig {
    /// `binlog-off` or `binlog-on`.
    pub mode: Option<WorkMode>,
    /// MB a table must waste; 100.
    pub threshold_mb: Option<i64>,
    /// Percent of its file a table must waste; 10.
    pub threshold_percent: Option<f64>,
    /// Leave writers alone; true.
    pub exclude_primary: Option<bool>,
    /// Only these databases; all if absent.
    pub databases: Option<Vec<String>>,
    /// Only these tables: `table` or `database.table`; all if absent.
    pub tables: Option<Vec<String>>,
    /// Tables per batch, 1 or more; 5.
    pub batch_size: Option<i64>,
    /// Limit for one table's rebuild with its waits; `1h`.
    #[schema(value_type = Option<String>)]
    pub timeout: Option<Span>,
    /// Which members; `auto`.
    pub scope: Option<Scope>,
    /// Replicas rebuilt at once; 1.
    pub parallel: Option<i64>,
    /// Seconds of lag above which work pauses; 10.
    pub max_lag: Option<f64>,
    /// Shrink each node's undo tablespaces as well, after its tables; false.
    pub shrink_undo: Option<bool>,
    /// Only plan; nothing is changed and no job is made.
    pub dry_run: Option<bool>,
}

/// `POST /api/v1/recycle/jobs`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct JobRequest {
    /// Where.
    pub target: DatabaseTarget,
    /// How.
    #[serde(default)]
    pub config: JobConfig,
    /// `digest` of the plan that was agreed to; if what would be done is not that any more, no job is made (1007).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan_digest: Option<String>,
}

/// The resolved configuration a job runs with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RecycleConfig {
    /// Where; without password.
    pub target: DatabaseTarget,
    /// How rebuilds meet the binlog.
    pub mode: WorkMode,
    /// MB a table must waste to be a candidate.
    pub threshold_mb: u64,
    /// Percent of its file a table must waste to be a candidate.
    pub threshold_percent: f64,
    /// Leave writers alone.
    pub exclude_primary: bool,
    /// Only these databases; empty is all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub databases: Vec<String>,
    /// Only these tables; empty is all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tables: Vec<String>,
    /// Tables per batch.
    pub batch_size: u32,
    /// Limit for one table's rebuild with its waits.
    #[schema(value_type = String)]
    pub timeout: Span,
    /// Which members.
    #[serde(default)]
    pub scope: Scope,
    /// Replicas rebuilt at once.
    #[serde(default = "one")]
    pub parallel: u32,
    /// Seconds of lag above which work pauses.
    #[serde(default = "default_max_lag")]
    pub max_lag: f64,
    /// Shrink each node's undo tablespaces as well, after its tables.
    #[serde(default)]
    pub shrink_undo: bool,
}

impl RecycleConfig {
    /// A request as the seed's defaults make it (seed 002 chapter 4), for a target.
    pub fn new(target: DatabaseTarget) -> Self {
        Self {
            target,
            mode: WorkMode::BinlogOff,
            threshold_mb: 100,
            threshold_percent: 10.0,
            exclude_primary: true,
            databases: vec![],
            tables: vec![],
            batch_size: 5,
            timeout: Span::from_secs(3600),
            scope: Scope::default(),
            parallel: one(),
            max_lag: default_max_lag(),
            shrink_undo: false,
        }
    }
}

fn one() -> u32 {
    1
}

fn default_max_lag() -> f64 {
    10.0
}

/// The seed's five states of a job; completed, failed and cancelled are final.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum JobStatus {
    /// Accepted, not started.
    Pending,
    /// Under way, waiting for a gate included.
    Running,
    /// Every planned table was handled.
    Completed,
    /// Stopped by an error; what was rebuilt stays.
    Failed,
    /// Stopped on request; what was rebuilt stays.
    Cancelled,
}

impl JobStatus {
    /// True once nothing more will happen.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }

    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// Progress of a job; `percentage` never falls and is 100 exactly when the job is completed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct JobProgress {
    /// Tables planned, once per node.
    pub total_tables: u64,
    /// Handled, failed and skipped ones included.
    pub processed_tables: u64,
    /// Of those, failed.
    pub failed_tables: u64,
    /// 0 to 100, weighted by bytes to rebuild.
    pub percentage: f64,
    /// `node database.table` being rebuilt.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub current_table: String,
    /// What it is doing or waiting for, in words: `rebuilding`, `waiting: lag 12.0 s > 10 s`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub phase: String,
}

/// What a job has done so far.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct JobStatistics {
    /// Measured on the nodes as file sizes, MiB, rounded down; growth counts negative.
    pub space_freed_mb: i64,
    /// The same in bytes.
    pub space_freed_bytes: i64,
    /// `HH:MM:SS`.
    pub time_elapsed: String,
    /// `HH:MM:SS`, from bytes left and the rate seen; empty until known.
    pub estimated_remaining: String,
    /// What files of those tables took again later, where that could be told; absent until looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub space_regrown_bytes: Option<i64>,
    /// One entry per planned table and node.
    pub tables_processed: Vec<TableResult>,
}

/// Where one table on one node stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum TableState {
    /// Not begun.
    Planned,
    /// Gates passed, settings being lowered, statement about to start or under way.
    Running,
    /// Rebuilt and measured.
    Done,
    /// Left alone; `reason` says why.
    Skipped,
    /// The rebuild failed; `reason` says why; the table is whole.
    Failed,
    /// Stopped on request; the table is whole.
    Cancelled,
}

/// One table on one node: asked, predicted, freed, regrown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TableResult {
    /// `host:port`.
    pub node: String,
    /// Database.
    pub database: String,
    /// Table.
    pub table: String,
    /// Partitions rebuilt; empty is the whole table.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub partitions: Vec<String>,
    /// Where it stands.
    pub state: TableState,
    /// Prediction, flattened: `file_bytes`, `predicted_freed_bytes`, `predicted_low_bytes`, `predicted_high_bytes`, ….
    #[serde(flatten)]
    pub estimate: Estimate,
    /// File size after; absent until measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file_bytes_after: Option<u64>,
    /// `file` before minus after, measured on the node; negative is growth; absent until measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub freed_bytes: Option<i64>,
    /// Tablespace ids of the files it was rebuilt into: a file with another id is not what was measured.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tablespaces: Vec<u64>,
    /// Size of those files at `regrown_at` minus `file_bytes_after`; negative if they shrank; absent until looked at, or
    /// if `regrown_note` says why it cannot be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub regrown_bytes: Option<i64>,
    /// When it was looked at, `recycling.regrowth_after` or more after the end of the job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub regrown_at: Option<Timestamp>,
    /// Why it cannot be told what grew again: the table is gone, lies in other files, or could not be looked at.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub regrown_note: String,
    /// Seconds the statement ran.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
    /// Why it was skipped or failed, or what it waits for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

impl TableResult {
    /// True if it was rebuilt into files that are known, and what they took again is not settled yet.
    pub fn awaits_regrowth(&self) -> bool {
        let settled = self.regrown_at.is_some() || !self.regrown_note.is_empty();
        self.state == TableState::Done && !self.tablespaces.is_empty() && !settled
    }
}

/// A job as `GET /api/v1/recycle/jobs/{job_id}` and `jobs.json` show it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RecycleJob {
    /// `job-YYYYMMDD-NNN`.
    #[schema(value_type = String)]
    pub job_id: JobId,
    /// One of five.
    pub status: JobStatus,
    /// What it was asked, resolved.
    pub config: RecycleConfig,
    /// How far.
    pub progress: JobProgress,
    /// What was freed.
    pub statistics: JobStatistics,
    /// UTC.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When the first worker took it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub started_at: Option<Timestamp>,
    /// When it became final.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub completed_at: Option<Timestamp>,
    /// Why it failed, with what to do next.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub error: String,
    /// Code of that error; 0 if none.
    #[serde(default)]
    pub error_code: u16,
    /// Who asked and who agreed, for a job that needs two people; absent for all others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<Approval>,
    /// The configured cluster it was made on; absent for a job on a host that was named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    /// Where the disk of each node went beside its tables, seen once its work was done.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub census: Vec<DiskCensus>,
    /// What the operator should know: orphans left behind, settings restored after a crash, errant GTID found.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

impl RecycleJob {
    /// True while a second person has to agree before the job may begin, whatever the configuration says by now.
    pub fn awaits_approval(&self) -> bool {
        self.approval.as_ref().is_some_and(Approval::is_missing)
    }
}

/// What the store keeps of a recycle job (`JobRecord::body`): the job as it is shown, and the plan it carries out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecycleDocument {
    /// Flattened: the document reads as the job itself.
    #[serde(flatten)]
    pub job: RecycleJob,
    /// Carried out as it stands.
    pub plan: Plan,
}

impl RecycleDocument {
    /// A job as it is before anything was done.
    pub fn new(config: RecycleConfig, plan: Plan, now: Timestamp) -> Self {
        let progress = JobProgress { total_tables: plan.work().count() as u64, ..JobProgress::default() };
        let left = Span(Duration::try_from_secs_f64(plan.predicted_seconds).unwrap_or_default());
        let statistics = JobStatistics {
            time_elapsed: Span::default().clock(),
            estimated_remaining: left.clock(),
            ..JobStatistics::default()
        };
        let job = RecycleJob {
            job_id: JobId(String::new()),
            status: JobStatus::Pending,
            config,
            progress,
            statistics,
            created_at: now,
            started_at: None,
            completed_at: None,
            error: String::new(),
            error_code: 0,
            approval: None,
            cluster: None,
            census: Vec::new(),
            notes: Vec::new(),
        };
        Self { job, plan }
    }
}

/// Answer of job creation.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct JobCreated {
    /// Its name.
    #[schema(value_type = String)]
    pub job_id: JobId,
    /// `pending`.
    pub status: JobStatus,
    /// UTC.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

/// Query of `GET /api/v1/recycle/jobs`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct JobQuery {
    /// Only jobs in this state.
    pub status: Option<JobStatus>,
    /// 1 to 1000; 10 if absent.
    pub limit: Option<u32>,
    /// Jobs to pass over, newest first; 0 if absent.
    pub offset: Option<u32>,
}

/// One row of the list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct JobSummary {
    /// Its name.
    #[schema(value_type = String)]
    pub job_id: JobId,
    /// Its state.
    pub status: JobStatus,
    /// UTC.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// 0 to 100.
    pub progress: f64,
}

/// The list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct JobList {
    /// How many fit the query, before limit and offset.
    pub total: u64,
    /// Newest first.
    pub jobs: Vec<JobSummary>,
}

/// A WebSocket message (seed 002 §3.3.1).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct JobUpdate {
    /// `job_update`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Which job.
    #[schema(value_type = String)]
    pub job_id: JobId,
    /// Its state.
    pub status: JobStatus,
    /// 0 to 100; never falls.
    pub progress: f64,
    /// UTC.
    #[schema(value_type = String, format = DateTime)]
    pub timestamp: Timestamp,
    /// Table under way.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub current_table: String,
    /// What it is doing or waiting for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub phase: String,
    /// Freed so far, measured.
    #[serde(default)]
    pub space_freed_bytes: i64,
}
