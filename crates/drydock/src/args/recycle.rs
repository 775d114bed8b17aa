//! Flags of `recycle` (seed 2.3).

use super::ConnectArgs;
use api::{DatabaseTarget, JobConfig, JobRequest, Scope, WorkMode};
use clap::{ArgAction, Args, Subcommand, ValueEnum};
use std::path::PathBuf;
use types::Span;

/// `recycle`. What is left out takes the configured default.
#[derive(Debug, Clone, Args)]
#[command(subcommand_negates_reqs = true, args_conflicts_with_subcommands = true)]
#[command(after_help = "Naming a replica covers that replica; naming a primary covers every replica under it.

Example:
  drydock recycle --host 192.168.1.101 --user recycler --threshold-mb 100 --mode binlog-off --dry-run")]
pub struct RecycleArgs {
    /// What to do with a job there is.
    #[command(subcommand)]
    pub command: Option<RecycleCommand>,
    /// Where.
    #[command(flatten)]
    pub connect: ConnectArgs,
    /// Only this database; may be repeated [default: all]
    #[arg(long, value_name = "NAME")]
    pub database: Vec<String>,
    /// Only this table: table or database.table; may be repeated [default: all]
    #[arg(long, value_name = "NAME")]
    pub table: Vec<String>,
    /// MB a table must waste [default: 100]
    #[arg(long, value_name = "MB", allow_negative_numbers = true)]
    pub threshold_mb: Option<i64>,
    /// Percent of its file a table must waste [default: 10.0]
    #[arg(long, value_name = "PERCENT", allow_negative_numbers = true)]
    pub threshold_percent: Option<f64>,
    /// How rebuilds meet the binlog: binlog-off rebuilds each replica by itself, binlog-on lets one logged
    /// statement flow [default: binlog-off]
    #[arg(long, value_name = "MODE", value_parser = mode)]
    pub mode: Option<WorkMode>,
    /// Leave writers alone [default: true]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true",
        action = ArgAction::Set)]
    pub exclude_primary: Option<bool>,
    /// Tables per batch [default: 5]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub batch_size: Option<i64>,
    /// Limit for one table with its waits, such as 30m or 1h [default: 1h]
    #[arg(long, value_name = "DURATION")]
    pub timeout: Option<Span>,
    /// Which members: auto, node or fleet [default: auto]
    #[arg(long, value_name = "SCOPE", value_parser = scope)]
    pub scope: Option<Scope>,
    /// Seconds of lag above which work pauses [default: 10]
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true)]
    pub max_lag: Option<f64>,
    /// Shrink each node's undo tablespaces as well, after its tables
    #[arg(long)]
    pub shrink_undo: bool,
    /// How to print the plan or the report
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = ReportFormat::Table)]
    pub output_format: ReportFormat,
    /// Write it to a file instead of standard output
    #[arg(long, value_name = "FILE")]
    pub output_file: Option<PathBuf>,
    /// Do not ask before beginning
    #[arg(long, short)]
    pub yes: bool,
}

/// What `recycle` does with a job there is.
#[derive(Debug, Clone, Subcommand)]
pub enum RecycleCommand {
    /// Let a job that needs two people begin; for another person than the one who asked
    Approve(ApproveArgs),
}

/// `recycle approve`.
#[derive(Debug, Clone, Args)]
pub struct ApproveArgs {
    /// Which job
    #[arg(value_name = "JOB_ID")]
    pub job: String,
    /// Digest of the plan that was looked at; another plan is not approved
    #[arg(long, value_name = "DIGEST")]
    pub plan_digest: Option<String>,
    /// How to print the answer
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = ReportFormat::Table)]
    pub format: ReportFormat,
}

/// How a report is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// For reading
    Table,
    /// JSON
    Json,
    /// YAML
    Yaml,
}

fn mode(text: &str) -> Result<WorkMode, String> {
    match text {
        "binlog-off" => Ok(WorkMode::BinlogOff),
        "binlog-on" => Ok(WorkMode::BinlogOn),
        _ => Err("possible values: binlog-off, binlog-on".to_owned()),
    }
}

fn scope(text: &str) -> Result<Scope, String> {
    match text {
        "auto" => Ok(Scope::Auto),
        "node" => Ok(Scope::Node),
        "fleet" => Ok(Scope::Fleet),
        _ => Err("possible values: auto, node, fleet".to_owned()),
    }
}

/// An empty name stands for all, as no name does (seed 002 §2.3).
fn some(list: &[String]) -> Option<Vec<String>> {
    let named: Vec<String> = list.iter().filter(|name| !name.is_empty()).cloned().collect();
    (!named.is_empty()).then_some(named)
}

impl RecycleArgs {
    /// The same request the REST door would have read.
    pub fn request(&self, target: DatabaseTarget, parallel: Option<u32>, dry_run: bool) -> JobRequest {
        let config = JobConfig {
            mode: self.mode,
            threshold_mb: self.threshold_mb,
            threshold_percent: self.threshold_percent,
            exclude_primary: self.exclude_primary,
            databases: some(&self.database),
            tables: some(&self.table),
            batch_size: self.batch_size,
            timeout: self.timeout,
            scope: self.scope,
            parallel: parallel.map(i64::from),
            max_lag: self.max_lag,
            shrink_undo: self.shrink_undo.then_some(true),
            dry_run: Some(dry_run),
        };
        JobRequest { target, config, plan_digest: None }
    }
}
