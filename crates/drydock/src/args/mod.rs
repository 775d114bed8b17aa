//! The command line: every command and flag of seed 002 chapter 2, and our own beside them.
#![allow(clippy::doc_markdown, reason = "these comments are the help texts, which show backticks as they are")]

mod connect;
mod manage;
mod recycle;
#[cfg(test)]
mod tests;
mod watch;

pub use connect::{ConnectArgs, TopologyArgs, TopologyFormat};
pub use manage::{CancelArgs, CompletionArgs, ConfigCommand, ManArgs, ServerArgs, TokenCommand, VersionArgs};
pub use recycle::{ApproveArgs, RecycleArgs, RecycleCommand, ReportFormat};
pub use watch::{MonitorArgs, MonitorFormat, StatusArgs};

use crate::config::{Flags, LEVELS};
use clap::{ArgAction, Args, CommandFactory, FromArgMatches, Parser, Subcommand, builder::PossibleValuesParser};
use std::{ffi::OsString, path::PathBuf};

const EXIT_CODES: &str = "\
Exit codes: 0 done; 1 failed; 2 wrong use or configuration; 4 a right is missing; 5 refused by a guard;
6 done, but some tables failed; 7 out of time; 130 interrupted.";

/// Gives space back on MySQL-protocol fleets: finds the topology, says what a rebuild would free, and rebuilds
/// replicas one by one without touching the primary.
#[derive(Debug, Parser)]
#[command(version, after_help = EXIT_CODES, disable_help_subcommand = true, max_term_width = 110)]
pub struct Cli {
    /// Flags that stand before or after the command.
    #[command(flatten)]
    pub globals: Globals,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Global flags (seed 2.1).
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options")]
pub struct Globals {
    /// Configuration file [env: RECYCLER_CONFIG_FILE] [default: ./config.yaml]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Log level [env: RECYCLER_LOG_LEVEL] [default: info]
    #[arg(long, global = true, value_name = "LEVEL", value_parser = PossibleValuesParser::new(LEVELS))]
    pub log_level: Option<String>,
    /// Log file [default: ./logs/recycling.log]
    #[arg(long, global = true, value_name = "FILE")]
    pub log_file: Option<PathBuf>,
    /// Only show what would be done; change nothing
    #[arg(long, global = true, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_value = "false",
        default_missing_value = "true", action = ArgAction::Set, hide_default_value = true,
        hide_possible_values = true)]
    pub dry_run: bool,
    /// How much goes on at once: members asked (default 10), replicas rebuilt (default 1)
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub parallel: Option<u32>,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Find every member of a fleet from any one of them
    Topology(TopologyArgs),
    /// Give space back on the replicas of a fleet
    Recycle(RecycleArgs),
    /// Watch jobs live
    Monitor(MonitorArgs),
    /// Show all jobs, or one
    Status(StatusArgs),
    /// Serve REST, WebSocket, metrics and the page
    Server(ServerArgs),
    /// Stop a job; its table stays whole
    Cancel(CancelArgs),
    /// Check or show the configuration
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Make tokens for the REST doors
    #[command(subcommand)]
    Token(TokenCommand),
    /// Print the version
    Version(VersionArgs),
    /// Print a completion script for a shell
    Completions(CompletionArgs),
    /// Print the manual page, or write all of them into a directory
    Man(ManArgs),
}

impl Cli {
    /// Reads arguments; the first is passed over.
    pub fn read(program: &'static str, arguments: Vec<OsString>) -> Result<Self, clap::Error> {
        let matches = command(program).try_get_matches_from(arguments)?;
        Self::from_arg_matches(&matches)
    }

    /// What the flags say about the configuration.
    pub fn flags(&self) -> Flags {
        let globals = self.globals.clone();
        let (host, port) = match &self.command {
            Command::Server(server) => (server.host.clone(), server.port),
            _ => (None, None),
        };
        let Globals { config, log_level, log_file, parallel, .. } = globals;
        Flags { config, log_level, log_file, parallel, host, port }
    }

    /// Whether the answer was asked for as JSON, so that errors are JSON too.
    pub fn wants_json(&self) -> bool {
        match &self.command {
            Command::Topology(args) => args.output_format == TopologyFormat::Json,
            Command::Recycle(RecycleArgs { command: Some(RecycleCommand::Approve(args)), .. }) => {
                args.format == ReportFormat::Json
            }
            Command::Recycle(args) => args.output_format == ReportFormat::Json,
            Command::Monitor(args) => args.output_format == MonitorFormat::Json,
            Command::Status(args) => args.format == ReportFormat::Json,
            Command::Cancel(args) => args.format == ReportFormat::Json,
            Command::Version(args) => args.format == ReportFormat::Json,
            _ => false,
        }
    }
}

/// The command line under a program's name.
pub fn command(program: &'static str) -> clap::Command {
    Cli::command().name(program).bin_name(program)
}
