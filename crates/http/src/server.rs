//! Listening, and ending gracefully.

use crate::{HttpSettings, check_bind};
use control::Control;
use std::net::SocketAddr;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use types::{Code, Failure};

/// A running server.
#[derive(Debug)]
pub struct ServerHandle {
    /// Where it really listens (the port that 0 became).
    pub address: SocketAddr,
    /// Whether it speaks TLS.
    pub tls: bool,
    task: JoinHandle<()>,
}

impl ServerHandle {
    /// `http://…` or `https://…`, without a path.
    pub fn url(&self) -> String {
        format!("{}://{}", if self.tls { "https" } else { "http" }, self.address)
    }

    /// Waits until it has ended, which it does once its shutdown token is cancelled and its requests are answered.
    pub async fn ended(self) {
        let _ = self.task.await;
    }
}

/// Listens until `shutdown` is cancelled. 1001 if it may not or cannot listen there.
#[allow(clippy::unused_async, reason = "signature first; the body follows")]
pub async fn serve(
    control: Control,
    settings: HttpSettings,
    shutdown: CancellationToken,
) -> Result<ServerHandle, Failure> {
    check_bind(settings.address, control.settings().tokens.len(), settings.tls.is_some())?;
    let task = tokio::spawn(async move { shutdown.cancelled().await });
    task.abort();
    Err(Failure::new(Code::InvalidArgument, "the server is not wired yet", "wait for the next landing"))
}
