//! The stores of a service as a client knows them: addresses, and a connection to each that was asked.

use super::connection::Connection;
use crate::net::{AnyStream, Hello, Purpose, Reply, Request, Tls, greet};
use bytes::Bytes;
use std::{
    collections::HashMap,
    io,
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tokio::net::TcpStream;

/// How a client connects.
#[derive(Clone)]
pub struct Connect {
    /// The cluster it means; `None` takes any.
    pub cluster: Option<u128>,
    /// What it calls itself in the stores' logs.
    pub name: String,
    /// With TLS, or without.
    pub tls: Option<Tls>,
    /// For a question, all tries together.
    pub patience: Duration,
    /// For one try.
    pub attempt: Duration,
}

impl Default for Connect {
    fn default() -> Self {
        let (patience, attempt) = (Duration::from_secs(10), Duration::from_secs(3));
        Connect { cluster: None, name: "client".to_owned(), tls: None, patience, attempt }
    }
}

/// Why there is no answer.
pub(super) enum Trouble {
    /// The question did not leave.
    NotSent(String),
    /// It may have arrived.
    Lost(String),
}

/// The stores of a service.
pub struct Servers {
    how: Connect,
    addresses: Vec<String>,
    open: Mutex<HashMap<String, Connection>>,
}

impl Servers {
    /// Those at these addresses, `host:port`; what they tell of others is followed.
    pub fn new(addresses: Vec<String>, how: Connect) -> Servers {
        Servers { how, addresses, open: Mutex::default() }
    }

    pub(super) fn patience(&self) -> Duration {
        self.how.patience
    }

    /// One of them, another each turn.
    pub(super) fn one(&self, turn: usize) -> String {
        self.addresses.get(turn % self.addresses.len().max(1)).cloned().unwrap_or_default()
    }

    fn known(&self, address: &str) -> Option<Connection> {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.get(address).filter(|connection| connection.is_open()).cloned()
    }

    async fn connection(&self, address: &str) -> Result<Connection, Trouble> {
        if let Some(connection) = self.known(address) {
            return Ok(connection);
        }
        let failed = |what: String| Trouble::NotSent(format!("{address}: {what}"));
        let opening = tokio::time::timeout(self.how.attempt, self.connect(address)).await;
        let connection = opening.map_err(|_| failed("it does not answer".to_owned()))?;
        let connection = connection.map_err(|error| failed(error.to_string()))?;
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.insert(address.to_owned(), connection.clone());
        Ok(connection)
    }

    async fn connect(&self, address: &str) -> io::Result<Connection> {
        let stream = dial(address, self.how.tls.as_ref()).await?;
        let hello = Hello::new(self.how.cluster, &self.how.name, "", Purpose::Client);
        let (inlet, outlet, _) = greet(stream, &hello).await?;
        Ok(Connection::over(inlet, outlet))
    }

    /// Asks one of them, once; `more` is how long the question itself may take.
    pub(super) async fn ask(&self, address: &str, request: &Request, more: Duration) -> Result<Reply, Trouble> {
        let connection = self.connection(address).await?;
        match tokio::time::timeout(self.how.attempt + more, connection.ask(request)).await {
            Ok(Some(reply)) => Ok(reply),
            Ok(None) => Err(Trouble::Lost(format!("{address} hung up before it answered"))),
            Err(_) => {
                // It may be frozen: whoever asks next is better off with a connection of their own.
                self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(address);
                Err(Trouble::Lost(format!("{address} did not answer in time")))
            }
        }
    }

    /// Has one of them do something of the cluster's own, asked and answered as JSON; tells whose answer it is not, if it is not.
    pub async fn control(&self, address: &str, body: Bytes) -> io::Result<Bytes> {
        let failed = |text: String| io::Error::other(text);
        match self.ask(address, &Request::Control(body), Duration::ZERO).await {
            Ok(reply) => reply.control().map_err(|error| failed(error.to_string())),
            Err(Trouble::NotSent(text) | Trouble::Lost(text)) => Err(failed(text)),
        }
    }
}

/// Connects to `host:port`.
pub async fn dial(address: &str, tls: Option<&Tls>) -> io::Result<AnyStream> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    match tls {
        None => Ok(Box::new(stream)),
        Some(tls) => tls.connect(address.rsplit_once(':').map_or(address, |(host, _)| host), stream).await,
    }
}

impl std::fmt::Debug for Servers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Servers").field("addresses", &self.addresses).finish_non_exhaustive()
    }
}
