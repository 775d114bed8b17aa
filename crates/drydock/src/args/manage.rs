//! Flags of the commands around the server: `server`, `cancel`, `config`, `token`, `version`, `completions`, `man`.

use super::ReportFormat;
use clap::{Args, Subcommand};
use clap_complete::Shell;
use std::path::PathBuf;

/// `server` (seed 3.1).
#[derive(Debug, Clone, Args)]
#[command(after_help = "Example:
  drydock server --port 8080")]
pub struct ServerArgs {
    /// Port to listen on [env: RECYCLER_SERVER_PORT] [default: 8080]
    #[arg(long)]
    pub port: Option<u16>,
    /// Address to listen on; anything but loopback needs tokens [default: 127.0.0.1]
    #[arg(long)]
    pub host: Option<String>,
}

/// `cancel`.
#[derive(Debug, Clone, Args)]
pub struct CancelArgs {
    /// Which job
    #[arg(value_name = "JOB_ID", required_unless_present = "job_id")]
    pub job: Option<String>,
    /// The same, as status takes it
    #[arg(long, value_name = "ID", conflicts_with = "job")]
    pub job_id: Option<String>,
    /// How to print the answer
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = ReportFormat::Table)]
    pub format: ReportFormat,
}

/// `config`.
#[derive(Debug, Clone, Subcommand)]
pub enum ConfigCommand {
    /// Read the file and say what is wrong with it
    Check,
    /// Print the configuration as it counts, passwords masked
    View,
}

/// `token`.
#[derive(Debug, Clone, Subcommand)]
pub enum TokenCommand {
    /// Print a new token, and the entry for auth.tokens that lets it in
    New {
        /// Whose it is
        #[arg(long, default_value = "operator")]
        name: String,
        /// What it may do: viewer, operator or admin
        #[arg(long, default_value = "operator", value_parser = ["viewer", "operator", "admin"])]
        role: String,
    },
}

/// `version`.
#[derive(Debug, Clone, Args)]
pub struct VersionArgs {
    /// How to print it
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = ReportFormat::Table)]
    pub format: ReportFormat,
}

/// `completions`.
#[derive(Debug, Clone, Args)]
pub struct CompletionArgs {
    /// Which shell
    #[arg(value_enum)]
    pub shell: Shell,
}

/// `man`.
#[derive(Debug, Clone, Args)]
pub struct ManArgs {
    /// Write one page per command here
    #[arg(long, value_name = "DIRECTORY")]
    pub directory: Option<PathBuf>,
}
