//! The seed's environment variables (chapter 4.2), read in this one place.

use super::{ConfigError, value::LEVELS};
use std::{ffi::OsString, path::PathBuf};
use types::Secret;

/// Set by ourselves on re-execution: the password that stood in `--password`, moved out of the process list.
pub const MOVED_PASSWORD: &str = "DRYDOCK_MOVED_PASSWORD";

/// Reads a variable; injected so that tests need not touch the process's own.
pub type Lookup<'a> = &'a dyn Fn(&str) -> Option<OsString>;

/// What the environment says; `None` where it says nothing. A variable that is set but empty says nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Environment {
    /// `RECYCLER_CONFIG_FILE`.
    pub config_file: Option<PathBuf>,
    /// `RECYCLER_LOG_LEVEL`.
    pub log_level: Option<String>,
    /// `RECYCLER_SERVER_PORT`.
    pub server_port: Option<u16>,
    /// `RECYCLER_DB_PASSWORD`.
    pub db_password: Option<Secret>,
    /// `RECYCLER_ALERT_WEBHOOK`.
    pub alert_webhook: Option<Secret>,
}

fn wrong(key: &str, reason: impl Into<String>) -> ConfigError {
    ConfigError::Meaning { key: key.to_owned(), reason: reason.into() }
}

fn text(lookup: Lookup<'_>, key: &str) -> Result<Option<String>, ConfigError> {
    let Some(value) = lookup(key).filter(|value| !value.is_empty()) else { return Ok(None) };
    value.into_string().map(Some).map_err(|_| wrong(key, "is not UTF-8"))
}

fn port(text: &str) -> Result<u16, ConfigError> {
    text.trim().parse().map_err(|_| wrong("RECYCLER_SERVER_PORT", "must be a port number from 0 to 65535"))
}

fn level(text: String) -> Result<String, ConfigError> {
    if LEVELS.contains(&text.as_str()) {
        return Ok(text);
    }
    Err(wrong("RECYCLER_LOG_LEVEL", format!("is `{text}`, not one of {}", LEVELS.join(", "))))
}

impl Environment {
    /// Reads all of them.
    pub fn read(lookup: Lookup<'_>) -> Result<Self, ConfigError> {
        Ok(Self {
            config_file: lookup("RECYCLER_CONFIG_FILE").filter(|value| !value.is_empty()).map(PathBuf::from),
            log_level: text(lookup, "RECYCLER_LOG_LEVEL")?.map(level).transpose()?,
            server_port: text(lookup, "RECYCLER_SERVER_PORT")?.as_deref().map(port).transpose()?,
            db_password: text(lookup, "RECYCLER_DB_PASSWORD")?.map(Secret::new),
            alert_webhook: text(lookup, "RECYCLER_ALERT_WEBHOOK")?.map(Secret::new),
        })
    }
}

/// The process's own environment.
pub fn process(key: &str) -> Option<OsString> {
    std::env::var_os(key)
}
