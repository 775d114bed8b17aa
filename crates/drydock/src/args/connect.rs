//! Flags of `topology`, and how a server is reached, which `recycle` shares.

use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// Where to begin and who to be there.
#[derive(Debug, Clone, Args)]
pub struct ConnectArgs {
    /// Host of any member
    #[arg(long, required_unless_present = "cluster")]
    pub host: Option<String>,
    /// Its port
    #[arg(long, default_value_t = 3306)]
    pub port: u16,
    /// Database account
    #[arg(long, required_unless_present = "cluster")]
    pub user: Option<String>,
    /// Its password; prefer one of: --password-file, RECYCLER_DB_PASSWORD, the prompt
    #[arg(long, conflicts_with = "password_file")]
    pub password: Option<String>,
    /// File that holds the password
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
    /// A cluster of the configuration instead of host, user and password
    #[arg(long, value_name = "NAME", conflicts_with_all = ["host", "user", "password", "password_file"])]
    pub cluster: Option<String>,
}

/// `topology` (seed 2.2).
#[derive(Debug, Clone, Args)]
#[command(after_help = "Example:
  drydock topology --host 192.168.1.100 --user recycler --output-format json --output-file topology.json")]
pub struct TopologyArgs {
    /// Where to begin.
    #[command(flatten)]
    pub connect: ConnectArgs,
    /// How to print it
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = TopologyFormat::Table)]
    pub output_format: TopologyFormat,
    /// Write to a file instead of standard output
    #[arg(long, value_name = "FILE")]
    pub output_file: Option<PathBuf>,
    /// Hops from the first member; 1 is its direct neighbours
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub max_depth: u32,
}

/// How a topology is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TopologyFormat {
    /// The seed's tree with the evidence graph beside it
    Json,
    /// The same as YAML
    Yaml,
    /// For reading
    Table,
    /// Graphviz
    Dot,
}
