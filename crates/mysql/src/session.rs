//! One pinned connection: every statement of a [`Session`] runs in the same server session, never on a pool.

use crate::{Endpoint, Row, SqlError, TlsMode};
use mysql_async::{Conn, Error, Opts, OptsBuilder, Row as RawRow, SslOpts, Value, prelude::Queryable};
use std::{sync::Arc, time::Duration};
use types::Address;

/// A connection and who it is on the server.
pub struct Session {
    conn: Conn,
    endpoint: Endpoint,
    /// An earlier statement got no answer in its time: whatever came now could be the answer to that.
    stale: bool,
}

/// Idle time after which the network is asked whether the server is still there: a connection cut without a word would
/// otherwise be waited on for ever.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// A view that is small, free, on every engine, and refused without `PROCESS`.
const SEES_EVERYBODY: &str = "SELECT COUNT(*) FROM information_schema.INNODB_CMP";

fn options(endpoint: &Endpoint) -> Opts {
    let ssl = match &endpoint.tls {
        TlsMode::Disabled => None,
        TlsMode::Required => Some(SslOpts::default().with_danger_accept_invalid_certs(true)),
        TlsMode::VerifyIdentity { ca } => Some(SslOpts::default().with_root_certs(vec![ca.clone().into()])),
    };
    OptsBuilder::default()
        .ip_or_hostname(endpoint.address.host.clone())
        .tcp_port(endpoint.address.port)
        .user(Some(endpoint.username.clone()))
        .pass(Some(endpoint.password.expose().to_owned()))
        .prefer_socket(false)
        .tcp_keepalive(Some(KEEPALIVE))
        .ssl_opts(ssl)
        .into()
}

/// The driver's words, with what it says twice (an I/O error inside an I/O error) said once.
fn words(error: &Error) -> String {
    match error {
        Error::Io(inner) => inner.to_string(),
        other => other.to_string(),
    }
}

fn connect_error(address: &Address, error: Error) -> SqlError {
    match error {
        Error::Server(server) => server_error(address, server),
        other => SqlError::Connect { address: address.clone(), reason: words(&other) },
    }
}

fn server_error(address: &Address, error: mysql_async::ServerError) -> SqlError {
    SqlError::Server { address: address.clone(), code: error.code, state: error.state, message: error.message }
}

fn statement_error(address: &Address, error: Error) -> SqlError {
    match error {
        Error::Server(server) => server_error(address, server),
        other => SqlError::Lost { address: address.clone(), reason: words(&other) },
    }
}

fn plain(value: Value) -> Option<Vec<u8>> {
    match value {
        Value::NULL => None,
        Value::Bytes(bytes) => Some(bytes),
        other => Some(other.as_sql(true).trim_matches('\'').to_owned().into_bytes()),
    }
}

impl Session {
    /// Connects and logs in within the endpoint's limit.
    pub async fn connect(endpoint: &Endpoint) -> Result<Self, SqlError> {
        let address = &endpoint.address;
        let attempt = tokio::time::timeout(endpoint.connect_timeout, Conn::new(options(endpoint))).await;
        match attempt {
            Ok(Ok(conn)) => Ok(Self { conn, endpoint: endpoint.clone(), stale: false }),
            Ok(Err(error)) => Err(connect_error(address, error)),
            Err(_) => Err(SqlError::TimedOut { address: address.clone(), limit: endpoint.connect_timeout }),
        }
    }

    /// The server's connection id, for [`kill_query`] and the process list.
    pub fn id(&self) -> u32 {
        self.conn.id()
    }

    /// Where this session leads.
    pub fn address(&self) -> &Address {
        &self.endpoint.address
    }

    /// The endpoint it was opened with.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// All rows of one statement, by the text protocol, within the endpoint's limit.
    pub async fn rows(&mut self, sql: &str) -> Result<Vec<Row>, SqlError> {
        self.rows_within(self.endpoint.statement_limit, sql).await
    }

    /// The same within a limit of its own. Once it has run out the statement's outcome is unknown and the session of no
    /// more use; nothing is killed, because behind a proxy our id may be somebody else's.
    pub async fn rows_within(&mut self, limit: Duration, sql: &str) -> Result<Vec<Row>, SqlError> {
        let address = self.endpoint.address.clone();
        if let Ok(answer) = tokio::time::timeout(limit, self.ask(sql)).await {
            answer
        } else {
            self.stale = true;
            Err(SqlError::Unanswered { address, limit })
        }
    }

    /// Runs a statement that may take for ever: for a caller that watches it from another session.
    pub async fn run_watched(&mut self, sql: &str) -> Result<(), SqlError> {
        self.ask(sql).await.map(drop)
    }

    async fn ask(&mut self, sql: &str) -> Result<Vec<Row>, SqlError> {
        let address = self.endpoint.address.clone();
        if self.stale {
            let reason = "an earlier statement of this session got no answer".to_owned();
            return Err(SqlError::Connect { address, reason });
        }
        let wrong = |error| statement_error(&address, error);
        let mut result = self.conn.query_iter(sql).await.map_err(wrong)?;
        let columns: Arc<[String]> = result.columns_ref().iter().map(|column| column.name_str().into_owned()).collect();
        let raw: Vec<RawRow> = result.collect().await.map_err(wrong)?;
        result.drop_result().await.map_err(wrong)?;
        Ok(raw
            .into_iter()
            .map(|row| Row::new(columns.clone(), row.unwrap().into_iter().map(plain).collect()))
            .collect())
    }

    /// The first row, if any.
    pub async fn row(&mut self, sql: &str) -> Result<Option<Row>, SqlError> {
        Ok(self.rows(sql).await?.into_iter().next())
    }

    /// The first column of the first row as text; `None` if there is no row or it is NULL.
    pub async fn value(&mut self, sql: &str) -> Result<Option<String>, SqlError> {
        Ok(self.row(sql).await?.and_then(|row| row.only()))
    }

    /// Runs a statement whose rows do not matter.
    pub async fn run(&mut self, sql: &str) -> Result<(), SqlError> {
        self.rows(sql).await.map(drop)
    }

    /// Makes sure that the process list shows everybody's sessions: without `PROCESS` it silently shows the account's own,
    /// which would look like a server at rest. Refused as a missing right then.
    pub async fn sees_everybody(&mut self) -> Result<(), SqlError> {
        self.run(SEES_EVERYBODY).await
    }

    /// Says goodbye to the server, and does not wait for one that no longer listens.
    pub async fn close(self) {
        if !self.stale {
            let _ = tokio::time::timeout(self.endpoint.connect_timeout, self.conn.disconnect()).await;
        }
    }
}

/// Kills the statement connection `id` runs, from a second session, if the process list shows a statement there that
/// contains `marker`: a reused id is never hit. Returns whether a kill was sent.
pub async fn kill_query(endpoint: &Endpoint, id: u32, marker: &str) -> Result<bool, SqlError> {
    let mut session = Session::connect(endpoint).await?;
    let running = format!("SELECT INFO FROM information_schema.PROCESSLIST WHERE ID = {id}");
    let info = session.row(&running).await?.and_then(|row| row.text("INFO"));
    let ours = info.is_some_and(|info| info.contains(marker));
    if ours {
        session.run(&format!("KILL QUERY {id}")).await?;
    }
    session.close().await;
    Ok(ours)
}
