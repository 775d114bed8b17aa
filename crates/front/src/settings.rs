//! How the door is opened.

use crate::Accounts;
use std::sync::Arc;
use std::time::Duration;

/// How the door is opened.
#[derive(Debug, Clone)]
pub struct FrontSettings {
    /// Who may come in.
    pub accounts: Accounts,
    /// Certificate and key; without them no TLS is offered.
    pub tls: Option<Arc<rustls::ServerConfig>>,
    /// Whether logins without TLS are refused.
    pub require_tls: bool,
    /// Most clients at a time; one more is told so.
    pub connections: usize,
    /// How long the log service may take for one answer.
    pub answer_limit: Duration,
    /// How long a client may be silent.
    pub idle_limit: Duration,
}

impl Default for FrontSettings {
    /// The default account, no TLS, 512 clients, half a minute for an answer, eight hours of silence.
    fn default() -> Self {
        Self {
            accounts: Accounts::default(),
            tls: None,
            require_tls: false,
            connections: 512,
            answer_limit: Duration::from_secs(30),
            idle_limit: Duration::from_hours(8),
        }
    }
}
