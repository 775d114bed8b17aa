//! Flags of `monitor` and `status` (seed 2.4, 2.5).

use super::ReportFormat;
use clap::{ArgAction, Args, ValueEnum};
use types::Span;

/// `monitor`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "With a terminal this is a live screen (q ends it); without one it prints a line per change and
ends when no job is active.

Example:
  drydock monitor --refresh-interval 5s --output-format table")]
pub struct MonitorArgs {
    /// How often to look
    #[arg(long, value_name = "DURATION", default_value = "5s")]
    pub refresh_interval: Span,
    /// Screen or lines for reading, or one JSON object per line
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = MonitorFormat::Table)]
    pub output_format: MonitorFormat,
    /// Show jobs that have ended as well
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_value = "false",
        default_missing_value = "true", action = ArgAction::Set, hide_default_value = true,
        hide_possible_values = true)]
    pub show_completed: bool,
}

/// How jobs are watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum MonitorFormat {
    /// For reading
    Table,
    /// One JSON object per line
    Json,
}

/// `status`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Example:
  drydock status --job-id job-20240101-001 --format json")]
pub struct StatusArgs {
    /// Which job [default: all]
    #[arg(long, value_name = "ID")]
    pub job_id: Option<String>,
    /// How to print it
    #[arg(long, visible_alias = "output-format", value_enum, value_name = "FORMAT",
        default_value_t = ReportFormat::Table)]
    pub format: ReportFormat,
}
