//! What can go wrong between us and a server, precise here and folded into the seed's codes outside.

use std::time::Duration;
use types::{Address, Code, Failure};

/// An error of one session. Texts come from the server or the system and hold no password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SqlError {
    /// Never got in: refused, unreachable, name unknown, handshake broken.
    #[error("cannot connect to {address}: {reason}")]
    Connect {
        /// Where.
        address: Address,
        /// The system's words.
        reason: String,
    },
    /// The server answered with an error.
    #[error("{address} answered {code} ({state}): {message}")]
    Server {
        /// Where.
        address: Address,
        /// The server's error number, such as 1064.
        code: u16,
        /// SQLSTATE.
        state: String,
        /// The server's words.
        message: String,
    },
    /// The session broke while a statement was under way: whether it took effect is unknown.
    #[error("lost the session to {address} during a statement; whether it took effect is unknown: {reason}")]
    Lost {
        /// Where.
        address: Address,
        /// The system's words.
        reason: String,
    },
    /// The limit for connecting, or for a whole visit, ran out; nothing was changed.
    #[error("no answer from {address} within {} s", limit.as_secs_f64())]
    TimedOut {
        /// Where.
        address: Address,
        /// The limit.
        limit: Duration,
    },
    /// A statement's limit ran out: it may be running still, and whether it took effect is unknown. The session is of no
    /// more use.
    #[error(
        "no answer from {address} to a statement within {} s; whether it took effect is unknown",
        limit.as_secs_f64()
    )]
    Unanswered {
        /// Where.
        address: Address,
        /// The limit.
        limit: Duration,
    },
    /// An answer lacked a column or held something else than expected.
    #[error("{address} gave no usable `{column}` for: {statement}")]
    Shape {
        /// Where.
        address: Address,
        /// Missing column.
        column: String,
        /// What was asked.
        statement: String,
    },
}

/// Server error numbers that mean a missing right: login, database, table, column, special privilege, host.
const DENIED: [u16; 8] = [1044, 1045, 1130, 1142, 1143, 1227, 1410, 1698];

impl SqlError {
    /// The server's error number, if the server spoke.
    pub fn code(&self) -> Option<u16> {
        match self {
            Self::Server { code, .. } => Some(*code),
            _ => None,
        }
    }

    /// True for 1064 and its like: this server does not know the statement. A missing right is never this.
    pub fn is_unknown_statement(&self) -> bool {
        matches!(self.code(), Some(1064 | 1193 | 1146 | 1109 | 1054 | 1235 | 1305))
    }

    /// True if a right is missing.
    pub fn is_denied(&self) -> bool {
        self.code().is_some_and(|code| DENIED.contains(&code))
    }

    /// True if a statement was sent and nothing is known of what became of it: look before you act again.
    pub fn is_outcome_unknown(&self) -> bool {
        matches!(self, Self::Lost { .. } | Self::Unanswered { .. })
    }

    /// True if no way to the server was open, or it closed, also with the words "shutdown in progress" (1053) or
    /// "connection was killed" (1927): another session may get an answer.
    pub fn is_of_the_way(&self) -> bool {
        let no_way = matches!(self, Self::Connect { .. } | Self::TimedOut { .. });
        no_way || self.is_outcome_unknown() || matches!(self.code(), Some(1053 | 1927))
    }

    fn limit(&self) -> Option<Duration> {
        match self {
            Self::TimedOut { limit, .. } | Self::Unanswered { limit, .. } => Some(*limit),
            _ => None,
        }
    }

    /// Where it happened.
    pub fn address(&self) -> &Address {
        match self {
            Self::Connect { address, .. }
            | Self::Server { address, .. }
            | Self::Lost { address, .. }
            | Self::TimedOut { address, .. }
            | Self::Unanswered { address, .. }
            | Self::Shape { address, .. } => address,
        }
    }
}

impl From<SqlError> for Failure {
    fn from(error: SqlError) -> Failure {
        let (code, next) = match &error {
            SqlError::Server { code: 1045 | 1130 | 1698, .. } => {
                (Code::ConnectFailed, "check the user, the password and the host the account is granted for")
            }
            SqlError::Server { code: 3159, .. } => (
                Code::ConnectFailed,
                "the server takes encrypted connections only: turn TLS on (`database.default.tls`)",
            ),
            error if error.is_denied() => (Code::Forbidden, "grant the missing privilege to the account and try again"),
            SqlError::TimedOut { .. } => (Code::TimedOut, "see what holds the server, or raise the timeout"),
            SqlError::Unanswered { .. } => {
                (Code::TimedOut, "see whether the network or the server stands still, and what became of the statement")
            }
            _ => (Code::ConnectFailed, "check host, port and that the server is up, then try again"),
        };
        let mut failure = Failure::new(code, &error, next).at(error.address());
        if let Some(number) = error.code() {
            failure = failure.with("mysql_error", number);
        }
        if let Some(limit) = error.limit() {
            failure = failure.with("limit_seconds", limit.as_secs());
        }
        if error.is_outcome_unknown() { failure.with("outcome", "unknown") } else { failure }
    }
}
