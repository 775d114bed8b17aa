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
    /// The limit ran out; the statement was killed on the server if it could be.
    #[error("no answer from {address} within {} s", limit.as_secs_f64())]
    TimedOut {
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

    /// Where it happened.
    pub fn address(&self) -> &Address {
        match self {
            Self::Connect { address, .. }
            | Self::Server { address, .. }
            | Self::Lost { address, .. }
            | Self::TimedOut { address, .. }
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
            error if error.is_denied() => (Code::Forbidden, "grant the missing privilege to the account and try again"),
            SqlError::TimedOut { .. } => (Code::TimedOut, "see what holds the server, or raise the timeout"),
            _ => (Code::ConnectFailed, "check host, port and that the server is up, then try again"),
        };
        let failure = Failure::new(code, &error, next).at(error.address());
        match error.code() {
            Some(number) => failure.with("mysql_error", number),
            None => failure,
        }
    }
}
