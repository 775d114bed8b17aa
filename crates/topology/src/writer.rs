//! The writer test: who may take writes. It fails closed: what is not known counts as a writer.

use crate::ask::{self, Variables};
use crate::facts::{Asked, Channel, Group, NodeFacts, OwnWrites};
use mysql::{Flavor, Session, SqlError};
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
    WriterVerdict { writer: true, reasons: vec![why.to_owned()] }
}

/// The rule itself, on facts.
pub fn judge(facts: &NodeFacts) -> WriterVerdict {
    let mut against = Vec::new();
    if facts.declared_primary {
        against.push("the inventory calls it primary".to_owned());
    }
    against.extend(read_only_reason(facts));
    against.extend(cluster_reason(facts));
    against.extend(own_writes_reason(&facts.own_writes));
    if !is_secondary(facts) {
        against.extend(inbound_reason(&facts.inbound));
    }
    if facts.identity.flavor == Flavor::Other {
        against.push("its engine is not one we know".to_owned());
    }
    if against.is_empty() {
        return WriterVerdict { writer: false, reasons: grounds(facts) };
    }
    WriterVerdict { writer: true, reasons: against }
}

fn read_only_reason(facts: &NodeFacts) -> Option<String> {
    match facts.read_only {
        Some(true) => None,
        Some(false) => Some("read_only is OFF".to_owned()),
        None => Some("whether it is read-only could not be read".to_owned()),
    }
}

fn own_member<'a>(facts: &NodeFacts, group: &'a Group) -> Option<&'a crate::facts::GroupMember> {
    let uuid = facts.identity.server_uuid.as_deref()?;
    group.members.iter().find(|member| member.uuid.eq_ignore_ascii_case(uuid))
}

fn cluster_reason(facts: &NodeFacts) -> Option<String> {
    match &facts.galera {
        Ok(told) if told.value.is_some() => {
            return Some("it is a Galera member, and all of those take writes".to_owned());
        }
        Err(untold) => return Some(format!("its Galera state could not be read: {}", untold.error)),
        Ok(_) => {}
    }
    let group = match &facts.group {
        Ok(told) => told.value.as_ref()?,
        Err(untold) => return Some(format!("its group membership could not be read: {}", untold.error)),
    };
    match own_member(facts, group) {
        None => Some("its group does not list it".to_owned()),
        Some(member) if member.state != "ONLINE" => Some(format!("it is {} in its group", member.state)),
        Some(member) if member.role == "SECONDARY" => None,
        Some(member) => Some(format!("its role in the group is {}", member.role)),
    }
}

/// A group's secondary is fed by the group, not by a channel.
fn is_secondary(facts: &NodeFacts) -> bool {
    let group = facts.group.as_ref().ok().and_then(|told| told.value.as_ref());
    let member = group.and_then(|group| own_member(facts, group));
    member.is_some_and(|member| member.state == "ONLINE" && member.role == "SECONDARY")
}

fn own_writes_reason(writes: &OwnWrites) -> Option<String> {
    match writes {
        OwnWrites::Quiet | OwnWrites::NotKept => None,
        OwnWrites::Advanced(set) => Some(format!("it wrote transactions of its own just now: {set}")),
        OwnWrites::Unknown(why) => Some(format!("whether it writes by itself could not be read: {why}")),
    }
}

fn inbound_reason(inbound: &Asked<Vec<Channel>>) -> Option<String> {
    let channels = match inbound {
        Ok(told) => &told.value,
        Err(untold) => return Some(format!("its replication status could not be read: {}", untold.error)),
    };
    if channels.iter().any(Channel::is_healthy) {
        return None;
    }
    let state = |channel: &Channel| format!("`{}` I/O {}, SQL {}", channel.name, channel.io, channel.sql);
    let states: Vec<String> = channels.iter().map(state).collect();
    if states.is_empty() {
        Some("it has no inbound replication channel".to_owned())
    } else {
        Some(format!("no inbound channel is healthy: {}", states.join("; ")))
    }
}

fn grounds(facts: &NodeFacts) -> Vec<String> {
    let mut grounds = vec!["read_only is ON".to_owned()];
    if is_secondary(facts) {
        grounds.push("it is a secondary of its group".to_owned());
    }
    if let Ok(told) = &facts.inbound {
        let healthy = told.value.iter().filter(|channel| channel.is_healthy());
        grounds.extend(healthy.map(|c| format!("it replicates from {}:{}", c.source_host, c.source_port)));
    }
    if facts.own_writes == OwnWrites::Quiet {
        grounds.push("it wrote nothing of its own between two samples".to_owned());
    }
    grounds
}
