//! The trade of recycle jobs: carries out a stored plan, node by node, from wherever its journal stands.
//!
//! A job that has begun mends first: what an earlier run left lowered is put back on each node by itself. A node that does
//! not answer keeps only its own share waiting, and with it the end of the job.
//!
//! How a job ends: `Cancelled` if it was asked to stop; `Failed` if a node was given up (its writer test refused, its lease was
//! lost, it could not be reached) or if no table could be rebuilt; `Completed` otherwise, failed tables counted and
//! named in it.

mod board;
mod crew;
mod eta;
mod fleet;
mod lane;
mod locks;
mod looks;
mod mend;

pub(crate) use fleet::address;
pub use looks::Looks;

use crate::{
    ReclaimError,
    gates::{budget::Budget, window::Window},
    rebuild,
};
use api::{DatabaseTarget, RecycleDocument, TablePlan};
use async_trait::async_trait;
use jobs::{JobOutcome, JobRecord, Journal, RunningJob, Trade};
use mysql::Endpoint;
use runtime::Clock;
use serde_json::Value;
use std::{sync::Arc, time::Duration};
use topology::Heartbeat;
use types::Failure;

/// The kind under which recycle jobs are stored.
pub const KIND: &str = "recycle";

/// Where passwords come from: they are never in a job's document.
#[async_trait]
pub trait Credentials: Send + Sync {
    /// How to reach the job's target: address, account, password, channel. `None` if no password is known here.
    async fn endpoint(&self, target: &DatabaseTarget) -> Option<Endpoint>;

    /// Whether this process is the jobs' home: one whose password is not known fails here and says so. Elsewhere (a
    /// command that runs one job of its own) it is left for the home to find.
    fn is_home(&self) -> bool {
        false
    }
}

/// What a process may choose about carrying out jobs.
#[derive(Debug, Clone)]
pub struct TradeOptions {
    /// How far discovery goes when a job begins.
    pub discover: Looks,
    /// Daily maintenance window, if there is one.
    pub window: Option<Window>,
    /// What rebuilding may cost each node.
    pub budget: Budget,
    /// The heartbeat lag is also measured by, if one is kept.
    pub heartbeat: Option<Heartbeat>,
    /// Seconds from which an open transaction is waited for.
    pub long_transaction_seconds: u64,
    /// Limit for one rebuilding statement under way; waits before it are the job's own limit's business.
    pub longest: Option<Duration>,
    /// Rhythm of looking while waiting or rebuilding.
    pub beat: Duration,
    /// How long a server that does not answer, or does not take back what was lowered, is tried before that is left
    /// until the job is run again.
    pub away_limit: Duration,
    /// How long after a request to stop a job stays open for settings that cannot be put back; then it ends and says
    /// what is to be done by hand.
    pub cancel_limit: Duration,
}

impl Default for TradeOptions {
    fn default() -> Self {
        Self {
            discover: Looks::default(),
            window: None,
            budget: Budget::default(),
            heartbeat: None,
            long_transaction_seconds: crate::gates::long_transaction::LIMIT_SECONDS,
            longest: None,
            beat: Duration::from_millis(500),
            away_limit: Duration::from_mins(1),
            cancel_limit: Duration::from_mins(10),
        }
    }
}

/// Recycle jobs.
pub struct RecycleTrade {
    credentials: Arc<dyn Credentials>,
    options: TradeOptions,
    clock: Clock,
}

impl RecycleTrade {
    /// The trade of a process.
    pub fn new(credentials: Arc<dyn Credentials>, options: TradeOptions, clock: Clock) -> Self {
        Self { credentials, options, clock }
    }

    async fn begin(&self, document: &RecycleDocument) -> Result<Endpoint, ReclaimError> {
        let target = &document.job.config.target;
        self.credentials.endpoint(target).await.ok_or_else(|| ReclaimError::NoCredentials {
            user: target.username.clone(),
            node: format!("{}:{}", target.host, target.port),
        })
    }
}

/// Reads a stored body.
fn read(body: &Value) -> Result<RecycleDocument, ReclaimError> {
    serde_json::from_value(body.clone()).map_err(|error| ReclaimError::BadDocument(error.to_string()))
}

/// A job that never touched a server fails; one that did stays, because something may still have to be put back there.
async fn not_begun(job: &RunningJob, document: Option<RecycleDocument>, error: ReclaimError) -> JobOutcome {
    if job.journal.units().is_empty() {
        return JobOutcome::Failed { body: job.record.body.clone(), failure: error.into() };
    }
    tracing::warn!(%error, job = %job.record.id, "job parked: what it began cannot be gone on with here");
    if let Some(mut document) = document {
        let note = format!("waiting to go on: {error}");
        if !document.job.notes.contains(&note) {
            document.job.notes.push(note);
            let body = serde_json::to_value(&document).unwrap_or_else(|_| job.record.body.clone());
            if let Err(error) = job.report(job.record.progress, body).await {
                tracing::warn!(%error, job = %job.record.id, "the note could not be saved");
            }
        }
    }
    JobOutcome::Parked
}

#[async_trait]
impl Trade for RecycleTrade {
    fn kind(&self) -> &'static str {
        KIND
    }

    async fn run(&self, job: RunningJob) -> JobOutcome {
        let document = match read(&job.record.body) {
            Ok(document) => document,
            Err(error) => return not_begun(&job, None, error).await,
        };
        match self.begin(&document).await {
            Ok(endpoint) => crew::Crew::new(job, document, endpoint, self.options.clone(), self.clock).run().await,
            Err(error) => not_begun(&job, Some(document), error).await,
        }
    }

    async fn accepts(&self, job: &JobRecord) -> bool {
        match read(&job.body) {
            Ok(document) => {
                self.credentials.is_home() || self.credentials.endpoint(&document.job.config.target).await.is_some()
            }
            // Unreadable: let it be taken, so that it fails with the reason instead of waiting for ever.
            Err(_) => true,
        }
    }

    /// A job that needs two people waits for the second. One that cannot be read does nothing but fail.
    fn is_held(&self, job: &JobRecord) -> bool {
        read(&job.body).is_ok_and(|document| document.job.awaits_approval())
    }

    fn document(&self, record: &JobRecord, failure: Option<&Failure>) -> Value {
        let Ok(mut document) = read(&record.body) else { return record.body.clone() };
        board::stamp(&mut document.job, record, failure);
        serde_json::to_value(&document).unwrap_or_else(|_| record.body.clone())
    }

    fn left(&self, record: &JobRecord, journal: &Journal) -> Vec<String> {
        let Ok(document) = read(&record.body) else { return Vec::new() };
        let open = |table: &&TablePlan| jobs::is_open(journal, &rebuild::key(table), rebuild::LAST);
        let by_hand = |table: &TablePlan| format!("{}: {}", table.node, rebuild::by_hand(journal, table).join("; "));
        document.plan.work().filter(open).map(by_hand).collect()
    }
}

#[cfg(test)]
mod tests;
