//! How a connection is opened.

use crate::Plugin;
use std::sync::Arc;
use std::time::Duration;

/// How a connection is opened.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Version text of the greeting.
    pub version: String,
    /// The client's connection id.
    pub connection_id: u32,
    /// 20 random bytes for this connection alone; zeros are replaced, for the protocol ends texts with them.
    pub nonce: [u8; 20],
    /// Proof asked for first; a client that offers the other one is asked for that.
    pub plugin: Plugin,
    /// Largest packet taken from a client that is logged in, bytes; also what its kept statements may weigh.
    pub max_packet: usize,
    /// Limit for greeting and login together.
    pub login_limit: Duration,
    /// How long a client may be silent between commands, or leave an answer untaken.
    pub idle_limit: Duration,
    /// Certificate and key; without them no TLS is offered.
    pub tls: Option<Arc<rustls::ServerConfig>>,
    /// Whether logins without TLS are refused.
    pub require_tls: bool,
}

impl Settings {
    /// The usual limits, no TLS, `caching_sha2_password` asked for first.
    pub fn new(version: impl Into<String>, connection_id: u32, nonce: [u8; 20]) -> Self {
        Self {
            version: version.into(),
            connection_id,
            nonce,
            plugin: Plugin::default(),
            max_packet: 64 << 20,
            login_limit: Duration::from_secs(10),
            idle_limit: Duration::from_hours(8),
            tls: None,
            require_tls: false,
        }
    }
}
