//! How storage fails.

use std::{io, path::PathBuf};

/// Why a member's storage cannot go on, or not begin.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// The disk refused. After a failed sync nobody knows what is on it: the member stops and never tries again.
    #[error("{path}: {what} failed: {source}")]
    Disk {
        /// The file.
        path: PathBuf,
        /// What was asked of the disk.
        what: &'static str,
        /// What it said.
        source: io::Error,
    },
    /// Something that was on disk is not as it was written.
    #[error(
        "{path} is damaged at byte {place}: {what}; restore the file from a copy, or wipe this member and let it join anew under a new id"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Bytes from its begin.
        place: u64,
        /// What is wrong there.
        what: String,
    },
    /// A file of another log, shard or replica.
    #[error("{path} is not this replica's: {what}")]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What it says of itself.
        what: String,
    },
    /// It failed before, and nothing is tried again.
    #[error("the log stopped: {0}; end this process, mend the disk, and start it again")]
    Stopped(String),
    /// Something was asked that cannot be.
    #[error("{0}")]
    Misuse(String),
}
