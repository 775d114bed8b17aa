//! What can stop a reclaim, precise here and folded into the seed's codes outside.

use mysql::SqlError;
use std::time::Duration;
use types::{Address, Code, Failure};

/// Why a plan could not be made or a piece of work was not done. No text holds a password.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ReclaimError {
    /// A server could not be asked.
    #[error(transparent)]
    Sql(#[from] SqlError),
    /// Another room refused, discovery for instance.
    #[error("{0}")]
    Other(Failure),
    /// A named database is on none of the planned nodes.
    #[error("there is no database `{0}` on the planned nodes")]
    NoSuchDatabase(String),
    /// A named table is on none of the planned nodes.
    #[error("there is no table `{0}` on the planned nodes")]
    NoSuchTable(String),
    /// The target may take writes and writers are excluded.
    #[error("{node} may take writes ({reasons}) and there is no replica under it to work on")]
    TargetIsWriter {
        /// `host:port`.
        node: String,
        /// What the writer test said.
        reasons: String,
    },
    /// The target is a Galera member: every one of them takes writes, and leave to touch writers does not help.
    #[error("{node} is never rebuilt ({reasons})")]
    TargetIsGalera {
        /// `host:port`.
        node: String,
        /// What the writer test said.
        reasons: String,
    },
    /// A logged rebuild was asked for where it would begin at a writer that is excluded.
    #[error("binlog-on begins at {node}, which may take writes ({reasons}), and writers are excluded")]
    LoggedOnWriter {
        /// `host:port`.
        node: String,
        /// What the writer test said.
        reasons: String,
    },
    /// A logged rebuild on a replica would give it a transaction its primary never had.
    #[error("binlog-on on {node}, a replica with GTIDs, would write a transaction that its primary does not have")]
    WouldBeErrant {
        /// `host:port`.
        node: String,
    },
    /// The target itself could not be reached during discovery.
    #[error("{node} could not be asked: {reason}")]
    TargetUnreachable {
        /// `host:port`.
        node: String,
        /// Why.
        reason: String,
    },
    /// A gate says never.
    #[error("the {gate} gate refuses on {node}: {reason}")]
    Refused {
        /// Which gate.
        gate: &'static str,
        /// Where.
        node: Address,
        /// Why, with what to do next.
        reason: String,
    },
    /// A gate said "not now" until the limit ran out.
    #[error("waited {} s on {node} for: {reason}", limit.as_secs())]
    WaitedTooLong {
        /// Where.
        node: Address,
        /// What was waited for at the end.
        reason: String,
        /// The table's limit.
        limit: Duration,
    },
    /// The statement itself ran too long and was stopped.
    #[error("the rebuild on {node} did not end within {} s ({}) and was stopped; the table is whole", limit.as_secs(), of.name())]
    RanTooLong {
        /// Where.
        node: Address,
        /// How long it might.
        limit: Duration,
        /// By which limit.
        of: Limit,
    },
    /// The server refused or broke off the rebuild; the table is whole.
    #[error("the rebuild failed on {node}, the table is whole: {code} {message}")]
    RebuildFailed {
        /// Where.
        node: Address,
        /// The server's error number.
        code: u16,
        /// The server's words.
        message: String,
    },
    /// Another Drydock works on a server of this fleet.
    #[error("another Drydock holds {node}: connection {connection} from {host}")]
    Held {
        /// Which server.
        node: Address,
        /// The holder's connection id there.
        connection: u64,
        /// The holder's host, as the process list shows it.
        host: String,
    },
    /// The lease on a server was lost and could not be had again.
    #[error("the lease on {node} was lost: {reason}")]
    LeaseLost {
        /// Which server.
        node: Address,
        /// Why.
        reason: String,
    },
    /// The session does not keep its statements out of the binlog although it was told to.
    #[error("the session on {0} still writes the binlog after SET SESSION sql_log_bin = 0")]
    BinlogStillOn(Address),
    /// The table is not what it was when it was planned.
    #[error("{table} on {node} {what}")]
    TableChanged {
        /// Where.
        node: Address,
        /// Which.
        table: String,
        /// What is different.
        what: String,
    },
    /// The server did not come back.
    #[error("{node} did not come back within {} s: {reason}", limit.as_secs())]
    NotBack {
        /// Where.
        node: Address,
        /// Last error.
        reason: String,
        /// How long was waited.
        limit: Duration,
    },
    /// What was lowered for a rebuild could not be put back yet.
    #[error("{node} still has to get back what was changed for a rebuild: {reason}")]
    NotRestored {
        /// Where.
        node: Address,
        /// Last error.
        reason: String,
    },
    /// A replica did not catch up with its source in time.
    #[error("{node} did not catch up within {} s: {reason}", limit.as_secs())]
    NotCaughtUp {
        /// Where.
        node: Address,
        /// What it said last.
        reason: String,
        /// How long was waited.
        limit: Duration,
    },
    /// The job's document cannot be read.
    #[error("the stored job cannot be read: {0}")]
    BadDocument(String),
    /// No password is known for the job's servers.
    #[error("no password is known for {user} at {node}")]
    NoCredentials {
        /// Account.
        user: String,
        /// Where.
        node: String,
    },
}

/// Which limit a rebuild can run into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// The job's, for one table with its waits.
    Table,
    /// The process's, for one statement under way.
    Statement,
}

impl Limit {
    /// As the settings call it.
    fn name(self) -> &'static str {
        match self {
            Limit::Table => "timeout",
            Limit::Statement => "worker_timeout",
        }
    }
}

impl ReclaimError {
    /// The seed's code and the next thing to do.
    fn outer(&self) -> (Code, &'static str) {
        match self {
            Self::Sql(_) | Self::Other(_) => (Code::ConnectFailed, ""),
            Self::NoSuchDatabase(_) | Self::NoSuchTable(_) => {
                (Code::InvalidArgument, "check the spelling; SHOW DATABASES and SHOW TABLES list what there is")
            }
            Self::TargetIsWriter { .. } => (
                Code::PrimaryCheckFailed,
                "name a replica, or a primary that has replicas; exclude_primary=false allows the primary itself",
            ),
            Self::TargetIsGalera { .. } => (
                Code::PrimaryCheckFailed,
                "rebuild it by hand under wsrep_OSU_method = RSU on a member that takes no traffic, or name a replica \
                 outside of the cluster",
            ),
            Self::LoggedOnWriter { .. } => (
                Code::PrimaryCheckFailed,
                "use mode binlog-off to rebuild the replicas, or exclude_primary=false to rebuild through the primary",
            ),
            Self::WouldBeErrant { .. } => (
                Code::PrimaryCheckFailed,
                "use mode binlog-off, or name the primary with exclude_primary=false so that the statement starts there",
            ),
            Self::TargetUnreachable { .. } => (Code::ConnectFailed, "check host, port, account and that it is up"),
            Self::Refused { gate, reason, .. } => (
                crate::gates::code_of(gate, reason).unwrap_or(Code::JobState),
                "do what the reason says, then start the job again",
            ),
            Self::RanTooLong { of: Limit::Statement, .. } => (
                Code::TimedOut,
                "raise recycling.concurrency.worker_timeout and restart the server, then start the job again",
            ),
            Self::WaitedTooLong { .. } | Self::RanTooLong { of: Limit::Table, .. } | Self::NotCaughtUp { .. } => {
                (Code::TimedOut, "see what holds the server, or raise the timeout")
            }
            Self::RebuildFailed { code, .. } => rebuild_failed(*code),
            Self::Held { .. } => (Code::Busy, "wait until the other job is done, or stop it there"),
            Self::LeaseLost { .. } => (Code::Busy, "see who killed the session or holds the lock, then start again"),
            Self::BinlogStillOn(_) => (Code::Forbidden, "grant the account the right to set sql_log_bin"),
            Self::TableChanged { .. } => (Code::JobState, "make a new plan"),
            Self::NotBack { .. } => (Code::ConnectFailed, "bring the server up; the job goes on when it is run again"),
            Self::NotRestored { .. } => {
                (Code::ConnectFailed, "do what the reason says; the job goes on putting it back by itself")
            }
            Self::BadDocument(_) => (Code::JobState, "the job was written by another version; create it again"),
            Self::NoCredentials { .. } => {
                (Code::Forbidden, "set RECYCLER_DB_PASSWORD or configure the cluster, then start the server again")
            }
        }
    }
}

/// A rebuild that the server broke off, by its error number.
fn rebuild_failed(code: u16) -> (Code, &'static str) {
    match code {
        // Disk full in its several words: file, table, write error, temporary file.
        3 | 28 | 1021 | 1026 | 1030 | 1114 | 3019 => {
            (Code::Busy, "make room on the node's disk, then start the job again")
        }
        1799 => (Code::Busy, "start the job again at an hour with fewer writes; the row log ran over"),
        1317 => (Code::JobState, "somebody killed the statement on the server; ask who, then start the job again"),
        1290 => (Code::JobState, "the server was made read-only during the job; see who did, then start the job again"),
        code if [1142, 1143, 1227].contains(&code) => {
            (Code::Forbidden, "grant the missing right, then start the job again")
        }
        _ => (Code::JobState, "see the server's words and its error log, then start the job again"),
    }
}

impl From<ReclaimError> for Failure {
    fn from(error: ReclaimError) -> Failure {
        let (code, next) = error.outer();
        match &error {
            ReclaimError::Sql(sql) => sql.clone().into(),
            ReclaimError::Other(failure) => failure.clone(),
            ReclaimError::NoSuchDatabase(name) => {
                Failure::new(code, &error, next).with("field", "databases").with("database", name.clone())
            }
            ReclaimError::NoSuchTable(name) => {
                Failure::new(code, &error, next).with("field", "tables").with("table", name.clone())
            }
            ReclaimError::Held { node, connection, host } => Failure::new(code, &error, next)
                .at(node)
                .with("holder_connection", *connection)
                .with("holder_host", host.clone()),
            ReclaimError::RebuildFailed { node, code: number, .. } => {
                Failure::new(code, &error, next).at(node).with("mysql_error", *number)
            }
            ReclaimError::Refused { gate, node, .. } => Failure::new(code, &error, next).at(node).with("gate", *gate),
            ReclaimError::WaitedTooLong { node, .. }
            | ReclaimError::RanTooLong { node, .. }
            | ReclaimError::LeaseLost { node, .. }
            | ReclaimError::BinlogStillOn(node)
            | ReclaimError::TableChanged { node, .. }
            | ReclaimError::NotBack { node, .. }
            | ReclaimError::NotRestored { node, .. }
            | ReclaimError::NotCaughtUp { node, .. } => Failure::new(code, &error, next).at(node),
            _ => Failure::new(code, &error, next),
        }
    }
}

impl From<Failure> for ReclaimError {
    fn from(failure: Failure) -> Self {
        Self::Other(failure)
    }
}
