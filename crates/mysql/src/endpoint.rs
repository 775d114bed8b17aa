//! How to reach a server: address, account, TLS.

use std::{path::PathBuf, time::Duration};
use types::{Address, Secret};

/// How far the channel to the server is protected.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum TlsMode {
    /// Plain; `caching_sha2_password` still never sends the password in clear.
    #[default]
    Disabled,
    /// Encrypted, but the server is not authenticated.
    Required,
    /// Encrypted, and the certificate must chain to this CA and name the host.
    VerifyIdentity {
        /// PEM file.
        ca: PathBuf,
    },
}

/// An address and the account to use there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Where.
    pub address: Address,
    /// Account name.
    pub username: String,
    /// Its password.
    pub password: Secret,
    /// Channel protection.
    pub tls: TlsMode,
    /// Limit for connecting and logging in.
    pub connect_timeout: Duration,
    /// Limit for a statement that names none of its own.
    pub statement_limit: Duration,
}

/// What is asked of a server takes a moment; only a path that swallows packets takes this long.
const STATEMENT_LIMIT: Duration = Duration::from_mins(1);

impl Endpoint {
    /// A plain endpoint with a ten-second connect limit (the seed's `database.default.timeout`) and a minute for each
    /// statement.
    pub fn new(address: Address, username: impl Into<String>, password: Secret) -> Self {
        let connect_timeout = Duration::from_secs(10);
        let (tls, statement_limit) = (TlsMode::default(), STATEMENT_LIMIT);
        Self { address, username: username.into(), password, tls, connect_timeout, statement_limit }
    }

    /// The same account at another address.
    #[must_use]
    pub fn at(&self, address: Address) -> Self {
        Self { address, ..self.clone() }
    }
}
