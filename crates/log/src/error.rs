//! How a log refuses or fails.

use serde::{Deserialize, Serialize};
use types::{Epoch, Lsn};

/// Why a call on a log did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum LogError {
    /// The epoch is not the one in force: it was sealed, or has not begun.
    #[error("epoch {asked} may not append: epoch {current} is in force")]
    Fenced {
        /// Of the caller.
        asked: Epoch,
        /// In force.
        current: Epoch,
    },
    /// What was asked for was truncated.
    #[error("the log begins behind {truncated}: what lay at {asked} was truncated")]
    Truncated {
        /// Of the caller.
        asked: Lsn,
        /// Everything up to here is gone.
        truncated: Lsn,
    },
    /// A place behind the end was named as if it were there.
    #[error("the log ends at {end}: there is nothing at {asked} yet")]
    Beyond {
        /// Of the caller.
        asked: Lsn,
        /// Where the log ends.
        end: Lsn,
    },
    /// A request that no log can take, such as an empty append or a record that is too large.
    #[error("{0}")]
    Invalid(String),
    /// Nothing was done: there is nobody who could do it now. It may be asked again.
    #[error("the log cannot be reached: {0}")]
    Unavailable(String),
    /// Nobody can tell whether it was done. Look before asking again.
    #[error("it is not known whether the log took it: {0}")]
    Unknown(String),
    /// The log stopped for good on this member: its disk failed, or what is on it is damaged.
    #[error("the log stopped: {0}")]
    Stopped(String),
}
