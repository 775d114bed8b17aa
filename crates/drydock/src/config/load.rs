//! One configuration from flags, environment, file and defaults, in that order of weight.

use super::{ConfigError, ConfigFile, Environment, Lookup, error::located};
use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
};
use types::Secret;

/// Where the file is looked for when nobody names one.
pub const DEFAULT_FILE: &str = "./config.yaml";

/// What flags say; `None` where they say nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Flags {
    /// `--config`.
    pub config: Option<PathBuf>,
    /// `--log-level`.
    pub log_level: Option<String>,
    /// `--log-file`.
    pub log_file: Option<PathBuf>,
    /// `--parallel`.
    pub parallel: Option<u32>,
    /// `server --host`.
    pub host: Option<String>,
    /// `server --port`.
    pub port: Option<u16>,
}

/// The configuration as it counts.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Config {
    /// The file read; `None` if there was none.
    pub path: Option<PathBuf>,
    /// File, with environment and flags laid over it.
    pub values: ConfigFile,
    /// `RECYCLER_DB_PASSWORD`.
    pub password: Option<Secret>,
}

/// Reads a file's text.
pub fn parse(path: &Path, text: &str) -> Result<ConfigFile, ConfigError> {
    if text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
        return Ok(ConfigFile::default());
    }
    serde_saphyr::from_str(text).map_err(|error| located(path, text, &error))
}

fn read(named: Option<PathBuf>) -> Result<(Option<PathBuf>, ConfigFile), ConfigError> {
    let must_be_there = named.is_some();
    let path = named.unwrap_or_else(|| PathBuf::from(DEFAULT_FILE));
    match std::fs::read_to_string(&path) {
        Ok(text) => parse(&path, &text).map(|values| (Some(path), values)),
        Err(error) if error.kind() == ErrorKind::NotFound && !must_be_there => Ok((None, ConfigFile::default())),
        Err(error) => Err(ConfigError::Unreadable { path, reason: error.to_string() }),
    }
}

/// Reads everything; called again for each reload.
pub fn load(flags: &Flags, lookup: Lookup<'_>) -> Result<Config, ConfigError> {
    let environment = Environment::read(lookup)?;
    let (path, mut values) = read(flags.config.clone().or_else(|| environment.config_file.clone()))?;
    lay_environment(&mut values, &environment);
    lay_flags(&mut values, flags);
    Ok(Config { path, values, password: environment.db_password })
}

fn lay_environment(values: &mut ConfigFile, environment: &Environment) {
    if let Some(level) = &environment.log_level {
        values.logging.level.clone_from(level);
    }
    if let Some(port) = environment.server_port {
        values.server.port = port;
    }
    if let Some(url) = &environment.alert_webhook {
        values.monitoring.alerts.webhook_url = Some(url.clone());
    }
}

fn lay_flags(values: &mut ConfigFile, flags: &Flags) {
    if let Some(level) = &flags.log_level {
        values.logging.level.clone_from(level);
    }
    if let Some(file) = &flags.log_file {
        values.logging.file.clone_from(file);
    }
    if let Some(parallel) = flags.parallel {
        values.recycling.concurrency.max_workers = u64::from(parallel);
    }
    if let Some(host) = &flags.host {
        values.server.host.clone_from(host);
    }
    if let Some(port) = flags.port {
        values.server.port = port;
    }
}
