//! How the server listens.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

/// Where and how to listen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpSettings {
    /// Where; port 0 takes a free one.
    pub address: SocketAddr,
    /// Limit for reading a request's head and body.
    pub read_timeout: Duration,
    /// Limit for writing an answer's piece to a client that does not take it.
    pub write_timeout: Duration,
    /// How long a connection may be kept without a request.
    pub idle_timeout: Duration,
    /// Limit for answering; 408/1009 beyond it. The work asked for is stopped.
    pub request_timeout: Duration,
    /// Largest request body, bytes.
    pub body_limit: usize,
    /// Certificate chain and key; plain HTTP without.
    pub tls: Option<TlsFiles>,
    /// Host names under which the server may be addressed beside loopback's own (against DNS rebinding).
    pub allowed_hosts: Vec<String>,
}

impl HttpSettings {
    /// The seed's limits, at an address.
    pub fn at(address: SocketAddr) -> Self {
        Self {
            address,
            read_timeout: Duration::from_secs(30),
            write_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_mins(2),
            request_timeout: Duration::from_mins(2),
            body_limit: 1 << 20,
            tls: None,
            allowed_hosts: Vec::new(),
        }
    }
}

/// Where the certificate lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// PEM, leaf first.
    pub certificate: PathBuf,
    /// PEM.
    pub key: PathBuf,
}
