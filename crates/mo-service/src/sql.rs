//! The SQL door of a front.

use crate::keeper::Keeper;
use front::{FrontHandle, FrontSettings, serve};
use mo_config::{Cn, SqlTls};
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Opens it.
pub async fn open(settings: &Cn, keeper: Keeper, shutdown: CancellationToken) -> Result<FrontHandle, String> {
    let tls = settings.sql_tls.as_ref().map(tls).transpose()?;
    let front = FrontSettings { tls, ..FrontSettings::default() };
    let failed = |error: std::io::Error| {
        format!(
            "SQL on {} cannot be served: {error}; is another process there? Change cn.frontend.port or end it",
            settings.sql
        )
    };
    let listener = TcpListener::bind(&settings.sql).await.map_err(failed)?;
    serve(listener, Arc::new(keeper), front, shutdown).map_err(|failure| failure.to_string())
}

fn tls(files: &SqlTls) -> Result<Arc<ServerConfig>, String> {
    let odd = |error: &dyn std::fmt::Display| format!("{}: {error}", files.cert.display());
    let chain = CertificateDer::pem_file_iter(&files.cert).and_then(Iterator::collect).map_err(|error| odd(&error))?;
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|error| format!("{}: {error}", files.key.display()))?;
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key);
    config.map(Arc::new).map_err(|error| odd(&error))
}
