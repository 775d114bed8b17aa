//! What ends a connection before its time.

/// Why a connection was given up.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// The stream broke.
    #[error("the connection broke: {0}")]
    Io(#[from] std::io::Error),
    /// The client sent what the protocol does not allow.
    #[error("the client broke the protocol: {0}")]
    Protocol(&'static str),
    /// The client sent more than it may.
    #[error("the client sent a packet of more than {limit} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// The client did not log in within the limit, or not with a right password.
    #[error("the client did not log in: {0}")]
    Login(&'static str),
    /// The client was silent for too long, or did not take its answer.
    #[error("the client was silent for too long")]
    Idle,
}
