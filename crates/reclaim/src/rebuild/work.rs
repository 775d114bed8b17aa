//! What the steps of one unit share: the piece of the plan they carry out, where, within which limits.

use crate::{
    ReclaimError,
    gates::{lease::Hold, window::Window},
    ledger::Account,
    plan::statement,
};
use api::{Strategy, TablePlan, WorkMode};
use mysql::{Endpoint, Session, SqlError};
use runtime::{Clock, Instant};
use std::{sync::Arc, time::Duration};
use topology::{Heartbeat, OwnSample};
use types::{JobId, TableName};

/// Where steps say how they are getting on.
#[async_trait::async_trait]
pub(crate) trait Sink: Send + Sync {
    /// What the table is doing or waiting for, in words.
    async fn phase(&self, text: &str);
    /// How much of the statement is done, 0 to 1.
    async fn fraction(&self, fraction: f64);
    /// What the operator should know.
    async fn note(&self, text: String);
}

/// What all units on one node share.
pub(crate) struct NodeShare {
    /// How to reach it.
    pub endpoint: Endpoint,
    /// The job's hold on it and on the writers of its fleet.
    pub hold: Hold,
    /// The node's own transactions when the job began: the longer ago, the sharper the writer test.
    pub sample: Option<OwnSample>,
    /// It replicates from somebody, so it can lag.
    pub is_replica: bool,
    /// The heartbeat its lag is also measured by.
    pub heartbeat: Option<Heartbeat>,
}

/// One table on one node.
pub(crate) struct Work {
    /// Which job.
    pub job: JobId,
    /// The node.
    pub node: Arc<NodeShare>,
    /// Nodes below that a logged statement flows to.
    pub below: Vec<Endpoint>,
    /// Carried out as it stands.
    pub table: TablePlan,
    /// How rebuilds meet the binlog.
    pub mode: WorkMode,
    /// Leave writers alone.
    pub exclude_primary: bool,
    /// Seconds of lag above which work waits.
    pub max_lag: f64,
    /// Limit for the table, waits included.
    pub timeout: Duration,
    /// Limit for one statement under way.
    pub longest: Duration,
    /// How long a server that does not answer, or does not take its settings back, is tried before the rest is left
    /// until the unit is run again. Zero: one try.
    pub patience: Duration,
    /// Only mends what an earlier run left lowered, and begins nothing.
    pub pauses: bool,
    /// Moment it was begun in this process.
    pub begun: Instant,
    /// Seconds from which an open transaction is waited for.
    pub long_transaction_seconds: u64,
    /// Daily maintenance window.
    pub window: Option<Window>,
    /// What nodes may be made to spend, and have.
    pub account: Arc<Account>,
    /// Rhythm of looking while waiting or rebuilding.
    pub beat: Duration,
    /// Where time comes from.
    pub clock: Clock,
    /// Where to say how it goes.
    pub sink: Arc<dyn Sink>,
}

/// Name of a table's unit in the journal: quoted, so that no two tables share one.
pub(crate) fn key(table: &TablePlan) -> String {
    if matches!(table.strategy, Strategy::Undo { .. }) {
        // Unquoted, as no table's is.
        return format!("{}/undo tablespaces", table.node);
    }
    let name = TableName::new(table.database.clone(), table.table.clone());
    format!("{}/{}", table.node, mysql::table_ident(&name))
}

/// The nodes that a table's rebuild costs something.
pub(crate) fn pays(table: &TablePlan, below: &[Endpoint]) -> Vec<String> {
    let below = below.iter().map(|endpoint| endpoint.address.to_string());
    std::iter::once(table.node.clone()).chain(below).collect()
}

impl Work {
    /// The table.
    pub fn name(&self) -> TableName {
        TableName::new(self.table.database.clone(), self.table.table.clone())
    }

    /// A session on the node.
    pub async fn connect(&self) -> Result<Session, SqlError> {
        Session::connect(&self.node.endpoint).await
    }

    /// A session to look at a running statement with: one that does not answer soon is no eye on the server.
    pub async fn connect_to_watch(&self) -> Result<Session, SqlError> {
        let limit = self.node.endpoint.connect_timeout;
        Session::connect(&mysql::Endpoint { statement_limit: limit, ..self.node.endpoint.clone() }).await
    }

    /// The rebuilding statement, with the job's name in its marker.
    pub fn alter(&self) -> String {
        let found = self.table.statements.iter().find(|sql| sql.starts_with("ALTER "));
        found.map(|sql| sql.replacen(statement::PLACEHOLDER, self.job.as_str(), 1)).unwrap_or_default()
    }

    /// The marker inside it.
    pub fn marker(&self) -> String {
        let sql = self.alter();
        let from = sql.find("/*").unwrap_or(0);
        let to = sql.find("*/").map_or(sql.len(), |end| end + 2);
        sql.get(from..to).unwrap_or_default().to_owned()
    }

    /// Settings of the statement's own session.
    pub fn session_settings(&self) -> impl Iterator<Item = &str> {
        self.table.statements.iter().map(String::as_str).filter(|sql| sql.starts_with("SET SESSION "))
    }

    /// The row log limit the plan asks for, if it asks for one.
    pub fn row_log_limit(&self) -> Option<u64> {
        let prefix = "SET GLOBAL innodb_online_alter_log_max_size = ";
        self.table.statements.iter().find_map(|sql| sql.strip_prefix(prefix)?.parse().ok())
    }

    /// Partitions to rebuild; empty is the whole table.
    pub fn partitions(&self) -> &[String] {
        match &self.table.strategy {
            Strategy::Partitions { names } => names,
            _ => &[],
        }
    }

    /// Time left of the table's limit.
    pub fn left(&self) -> Duration {
        self.timeout.saturating_sub(self.clock.since(self.begun))
    }

    /// The failure of a wait that outlasted the limit.
    pub fn waited_too_long(&self, reason: &str) -> ReclaimError {
        let node = self.node.endpoint.address.clone();
        ReclaimError::WaitedTooLong { node, reason: reason.to_owned(), limit: self.timeout }
    }

    /// A gate's refusal.
    pub fn refused(&self, gate: &'static str, reason: impl Into<String>) -> ReclaimError {
        ReclaimError::Refused { gate, node: self.node.endpoint.address.clone(), reason: reason.into() }
    }

    /// True if the applier is stopped for this table.
    pub fn stops_applier(&self) -> bool {
        matches!(self.table.strategy, Strategy::Copy { stop_applier: true })
    }

    /// True if the work is about undo tablespaces and not about a table.
    pub fn is_undo(&self) -> bool {
        matches!(self.table.strategy, Strategy::Undo { .. })
    }

    /// True if the statement stays out of the binlog.
    pub fn is_local(&self) -> bool {
        self.mode == WorkMode::BinlogOff || self.is_undo()
    }
}
