//! Asks one server: the newest spelling first, an older one only where the server does not know the newer.

mod downstream;
mod identity;
mod inbound;
mod membership;
mod shell;

use crate::facts::{Asked, NodeFacts, Observation, OwnWrites, Told, Untold};
use crate::writer::{OwnSample, sample};
use mysql::{Row, Session, SqlError};
use std::net::IpAddr;

pub(crate) use identity::{Variables, variables};
pub use inbound::inbound;
pub(crate) use membership::{ApplierQueue, applier_queue};

/// Runs the first spelling the server knows. A missing right is an answer, not a reason to try the next one.
async fn first_known(session: &mut Session, spellings: &[&str]) -> Result<Told<Vec<Row>>, SqlError> {
    let mut unknown = None;
    for statement in spellings {
        match session.rows(statement).await {
            Ok(value) => return Ok(Told { value, statement: (*statement).to_owned() }),
            Err(error) if error.is_unknown_statement() => unknown = Some(error),
            Err(error) => return Err(error),
        }
    }
    let address = session.address().clone();
    Err(unknown.unwrap_or(SqlError::Shape { address, column: "*".into(), statement: String::new() }))
}

/// Sorts what went wrong: the server's refusal is an `Untold`; a broken session is an error of the whole visit.
fn untold<T>(statement: &str, outcome: Result<Told<T>, SqlError>) -> Result<Asked<T>, SqlError> {
    match outcome {
        Ok(told) => Ok(Ok(told)),
        Err(error @ (SqlError::Server { .. } | SqlError::Shape { .. })) => {
            let denied = error.is_denied();
            let words = match error {
                SqlError::Server { code, message, .. } => format!("{message} ({code})"),
                other => other.to_string(),
            };
            Ok(Err(Untold { statement: statement.to_owned(), error: words, denied }))
        }
        Err(error) => Err(error),
    }
}

/// `host:port`, an IPv6 host in brackets.
fn place(text: &str) -> Option<(String, u16)> {
    let (host, port) = text.trim().rsplit_once(':')?;
    Some((host.trim_matches(['[', ']']).to_owned(), port.parse().ok()?))
}

/// What the writer test needs, own writes aside.
pub(crate) async fn node_facts(session: &mut Session, variables: &Variables) -> Result<NodeFacts, SqlError> {
    Ok(NodeFacts {
        identity: variables.identity(session.address())?,
        read_only: variables.read_only(),
        super_read_only: variables.flag("super_read_only"),
        inbound: inbound(session).await?,
        group: membership::group(session).await?,
        galera: membership::galera(session, variables).await?,
        own_writes: OwnWrites::NotKept,
        declared_primary: false,
    })
}

/// All we want to know of one member, in one session.
pub(crate) async fn observe(session: &mut Session, ips: Vec<IpAddr>) -> Result<Observation, SqlError> {
    let variables = variables(session).await?;
    let before = sample(session, &variables).await?;
    let mut facts = node_facts(session, &variables).await?;
    let registered = downstream::registered(session).await?;
    let dumps = downstream::dumps(session, &variables).await?;
    let shell = shell::metadata(session, &facts.identity).await?;
    let after = sample(session, &variables).await?;
    facts.own_writes = OwnSample::compare(&before, &after);
    Ok(Observation { facts, registered, dumps, shell, ips })
}
