//! What the door needs of the log service: what the keeper knows, and a way to set.

use async_trait::async_trait;
use log_server::keeper::{Setting, SettingError, State};

/// The log service as this door uses it. Whoever changes the state applies the keeper's rule to it (`State::set`): only there can
/// nothing come in between.
#[async_trait]
pub trait LogService: Send + Sync {
    /// What log shard 0 knows.
    async fn state(&self) -> Result<State, ServiceError>;

    /// Sets, and returns once it is agreed on.
    async fn set(&self, setting: Setting) -> Result<(), ServiceError>;
}

/// Why the log service did not do it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ServiceError {
    /// The keeper's rule forbids it.
    #[error(transparent)]
    Refused(#[from] SettingError),
    /// Nothing was done: there is no majority, or nobody to ask.
    #[error("the log service cannot answer now: {0}; try again when a majority of its stores runs")]
    Unavailable(String),
    /// It may have been done, or not.
    #[error("it is not known whether this was set: {0}; look with SHOW LOGSERVICE SETTINGS before you set it again")]
    Unknown(String),
}
