//! The writer test: who may take writes. It fails closed: what is not known counts as a writer.

mod judge;

pub use judge::judge;

use crate::ask::{self, Variables};
use crate::facts::OwnWrites;
use mysql::{Session, SqlError};
use runtime::Clock;
use std::time::Duration;
use types::gtid::GtidSet;

/// What the test found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriterVerdict {
    /// Whether the node must be treated as one that takes writes.
    pub writer: bool,
    /// Why, most telling first; for a node that is none, what shows it.
    pub reasons: Vec<String>,
    /// Why it is to be left alone even where work on writers is allowed: its cluster would not bear it.
    pub barred: Option<String>,
}

/// A server's own transactions at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OwnSample {
    /// All it ever wrote under its own name.
    Kept(GtidSet),
    /// It names no transactions.
    NotKept,
    /// It could not be read.
    Unknown(String),
}

impl OwnSample {
    /// What happened between two samples of one server.
    pub fn compare(before: &OwnSample, after: &OwnSample) -> OwnWrites {
        match (before, after) {
            (OwnSample::Kept(before), OwnSample::Kept(after)) if after.is_subset(before) => OwnWrites::Quiet,
            (OwnSample::Kept(before), OwnSample::Kept(after)) => OwnWrites::Advanced(after.subtract(before)),
            (OwnSample::NotKept, OwnSample::NotKept) => OwnWrites::NotKept,
            (OwnSample::Unknown(why), _) | (_, OwnSample::Unknown(why)) => OwnWrites::Unknown(why.clone()),
            _ => OwnWrites::Unknown("GTIDs were switched on or off meanwhile".to_owned()),
        }
    }
}

/// How far apart [`writer_test`] takes its two samples.
const GAP: Duration = Duration::from_millis(200);

/// Reads what the server has written under its own name, for [`writer_test_since`].
pub async fn sample_own_writes(session: &mut Session) -> Result<OwnSample, SqlError> {
    let variables = ask::variables(session).await?;
    sample(session, &variables).await
}

/// By uuid on MySQL, by server id on MariaDB.
pub(crate) async fn sample(session: &mut Session, variables: &Variables) -> Result<OwnSample, SqlError> {
    let Ok(identity) = variables.identity(session.address()) else {
        return Ok(OwnSample::Unknown("the server does not say who it is".to_owned()));
    };
    let uuid = identity.server_uuid.as_deref().and_then(|text| uuid::Uuid::parse_str(text).ok());
    let (statement, kept) = if uuid.is_some() {
        ("SELECT @@GLOBAL.gtid_executed", variables.text("gtid_mode").is_some_and(|mode| mode != "OFF"))
    } else {
        ("SELECT @@GLOBAL.gtid_binlog_state", variables.flag("log_bin") == Some(true))
    };
    if !kept {
        return Ok(OwnSample::NotKept);
    }
    let text = match session.value(statement).await {
        Ok(text) => text.unwrap_or_default(),
        Err(SqlError::Server { message, .. }) => return Ok(OwnSample::Unknown(message)),
        Err(error) => return Err(error),
    };
    Ok(match (text.parse::<GtidSet>(), uuid) {
        (Ok(set), Some(uuid)) => OwnSample::Kept(set.of_uuid(&uuid)),
        (Ok(set), None) => OwnSample::Kept(set.of_server(identity.server_id)),
        (Err(error), _) => OwnSample::Unknown(error.to_string()),
    })
}

/// Runs the writer test in this very session; takes about 200 ms, the distance between its two samples.
///
/// # Errors
/// Only a broken session; treat it as a writer. Whatever the server refuses to tell makes it a writer, not an error.
pub async fn writer_test(session: &mut Session) -> Result<WriterVerdict, SqlError> {
    let variables = ask::variables(session).await?;
    let before = sample(session, &variables).await?;
    Clock::real().sleep(GAP).await;
    writer_test_since(session, &before).await
}

/// The same against a sample taken earlier in this job, by this or another session: no waiting, and the longer ago
/// the sample, the sharper the test.
pub async fn writer_test_since(session: &mut Session, before: &OwnSample) -> Result<WriterVerdict, SqlError> {
    let variables = ask::variables(session).await?;
    let mut facts = match ask::node_facts(session, &variables).await {
        Err(SqlError::Shape { column, .. }) => return Ok(unknown(&format!("the server does not tell its {column}"))),
        other => other?,
    };
    let after = sample(session, &variables).await?;
    facts.own_writes = OwnSample::compare(before, &after);
    Ok(judge(&facts))
}

fn unknown(why: &str) -> WriterVerdict {
    WriterVerdict { writer: true, reasons: vec![why.to_owned()], barred: Some(why.to_owned()) }
}
