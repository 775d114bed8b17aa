//! Listening, and ending gracefully.

use crate::{HttpSettings, TlsFiles, accept::Timed, check_bind, door::Door, router};
use axum_server::{
    Handle,
    accept::DefaultAcceptor,
    tls_rustls::{RustlsAcceptor, RustlsConfig},
};
use control::Control;
use std::{
    net::{SocketAddr, TcpListener},
    time::Duration,
};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use types::{Code, Failure};

/// How long requests under way may take to end once the server is told to.
const GRACE: Duration = Duration::from_secs(10);

/// A running server.
#[derive(Debug)]
pub struct ServerHandle {
    /// Where it really listens (the port that 0 became).
    pub address: SocketAddr,
    /// Whether it speaks TLS.
    pub tls: bool,
    certificate: Option<(RustlsConfig, TlsFiles)>,
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

    /// Reads certificate and key anew; the old ones stay if the new cannot be used. Nothing to do without TLS.
    pub async fn reload_certificate(&self) -> Result<(), Failure> {
        let Some((config, files)) = &self.certificate else { return Ok(()) };
        let read = config.reload_from_pem_file(&files.certificate, &files.key).await;
        read.map_err(|error| bad_certificate(files, &error))
    }
}

fn bad_certificate(files: &TlsFiles, error: &std::io::Error) -> Failure {
    let (certificate, key) = (files.certificate.display(), files.key.display());
    let text = format!("the certificate {certificate} with the key {key} cannot be used: {error}");
    let next = "give a PEM chain, leaf first, and its PEM key";
    Failure::new(Code::InvalidArgument, text, next).with("field", "server.tls")
}

async fn certificate(files: &TlsFiles) -> Result<RustlsConfig, Failure> {
    // One provider per process; that another room installed it first is as good.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let read = RustlsConfig::from_pem_file(&files.certificate, &files.key).await;
    read.map_err(|error| bad_certificate(files, &error))
}

fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), Failure> {
    let bound = TcpListener::bind(address).and_then(|listener| {
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        Ok((listener, address))
    });
    bound.map_err(|error| {
        let next = "stop what listens there, or choose another server.port";
        let failure = Failure::new(Code::InvalidArgument, format!("cannot listen on {address}: {error}"), next);
        failure.with("field", "server.port")
    })
}

/// Listens until `shutdown` is cancelled, then lets requests under way end. 1001 if it may not or cannot listen there.
pub async fn serve(
    control: Control,
    settings: HttpSettings,
    shutdown: CancellationToken,
) -> Result<ServerHandle, Failure> {
    check_bind(settings.address, control.settings().tokens.len(), settings.tls.is_some())?;
    let certificate = match &settings.tls {
        Some(files) => Some((certificate(files).await?, files.clone())),
        None => None,
    };
    let (listener, address) = listen(settings.address)?;
    control.make_home();
    let door = Door::new(control, settings.clone(), shutdown.clone());
    let config = certificate.as_ref().map(|(config, _)| config.clone());
    let task = tokio::spawn(run(listener, door, settings, config, shutdown));
    tracing::info!(%address, tls = certificate.is_some(), "listening");
    Ok(ServerHandle { address, tls: certificate.is_some(), certificate, task })
}

async fn run(
    listener: TcpListener,
    door: Door,
    settings: HttpSettings,
    tls: Option<RustlsConfig>,
    shutdown: CancellationToken,
) {
    let handle = Handle::new();
    let ending = tokio::spawn({
        let handle = handle.clone();
        async move {
            shutdown.cancelled().await;
            handle.graceful_shutdown(Some(GRACE));
        }
    });
    let service = router::router(door).into_make_service_with_connect_info::<SocketAddr>();
    let ended = match (axum_server::from_tcp(listener), tls) {
        (Ok(server), Some(config)) => {
            let acceptor = RustlsAcceptor::new(config).handshake_timeout(settings.read_timeout);
            server.acceptor(Timed::new(acceptor, &settings)).handle(handle).serve(service).await
        }
        (Ok(server), None) => {
            server.acceptor(Timed::new(DefaultAcceptor::new(), &settings)).handle(handle).serve(service).await
        }
        (Err(error), _) => Err(error),
    };
    if let Err(error) = ended {
        tracing::error!(%error, "the server ended");
    }
    ending.abort();
}
