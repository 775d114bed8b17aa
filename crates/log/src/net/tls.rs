//! TLS between members and to clients. Both sides show a certificate of the cluster's own authority.

use super::AnyStream;
use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
    server::WebPkiClientVerifier,
};
use std::{io, path::PathBuf, sync::Arc};
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// Where the certificates are, as PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// Of the authority that both sides must be certified by.
    pub authority: PathBuf,
    /// Our own, with those between it and the authority.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

/// Why TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {what}; check ca, cert and key")]
pub struct TlsError {
    path: PathBuf,
    what: String,
}

/// Ready to connect and to be connected to.
#[derive(Clone)]
pub struct Tls {
    connector: TlsConnector,
    acceptor: TlsAcceptor,
}

impl Tls {
    /// Reads certificates. A key that does not go with its certificate is found here.
    pub fn load(files: &TlsFiles) -> Result<Tls, TlsError> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let (roots, own) = (roots(&files.authority)?, certificates(&files.certificate)?);
        let odd = |what: String| TlsError { path: files.key.clone(), what };
        let key = || PrivateKeyDer::from_pem_file(&files.key).map_err(|error| odd(error.to_string()));
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::clone(&roots), Arc::clone(&provider)).build();
        let verifier = verifier.map_err(|error| TlsError { path: files.authority.clone(), what: error.to_string() })?;
        let server = ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions();
        let server = server.map_err(|error| odd(error.to_string()))?.with_client_cert_verifier(verifier);
        let server = server.with_single_cert(own.clone(), key()?).map_err(|error| odd(error.to_string()))?;
        let client = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let client = client.map_err(|error| odd(error.to_string()))?.with_root_certificates(roots);
        let client = client.with_client_auth_cert(own, key()?).map_err(|error| odd(error.to_string()))?;
        Ok(Tls { connector: Arc::new(client).into(), acceptor: Arc::new(server).into() })
    }

    /// Makes a connection that was made to `host` a secret one.
    pub async fn connect(&self, host: &str, stream: TcpStream) -> io::Result<AnyStream> {
        let bare = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let name = ServerName::try_from(bare).map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        Ok(Box::new(self.connector.connect(name, stream).await?))
    }

    /// Makes a connection that came in a secret one.
    pub async fn accept(&self, stream: TcpStream) -> io::Result<AnyStream> {
        Ok(Box::new(self.acceptor.accept(stream).await?))
    }
}

fn certificates(path: &PathBuf) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let odd = |what: String| TlsError { path: path.clone(), what };
    let found = CertificateDer::pem_file_iter(path).map_err(|error| odd(error.to_string()))?;
    let all: Vec<_> = found.collect::<Result<_, _>>().map_err(|error| odd(error.to_string()))?;
    if all.is_empty() { Err(odd("there is no certificate in it".to_owned())) } else { Ok(all) }
}

fn roots(path: &PathBuf) -> Result<Arc<RootCertStore>, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(path)? {
        let odd = |error: rustls::Error| TlsError { path: path.clone(), what: error.to_string() };
        roots.add(certificate).map_err(odd)?;
    }
    Ok(Arc::new(roots))
}
