//! Clusters that are more than a chain of binlogs: Group Replication and Galera.

use super::{Variables, place, untold};
use crate::facts::{Asked, Galera, Group, GroupMember, Told};
use mysql::{Row, Session, SqlError};
use std::collections::HashMap;

const MEMBERS: &str = "SELECT * FROM performance_schema.replication_group_members";
/// 5.7 tells the primary here and nowhere else; empty in multi-primary mode.
const PRIMARY: &str = "SHOW GLOBAL STATUS LIKE 'group_replication_primary_member'";
const QUEUE: &str = "SELECT m.MEMBER_STATE AS state, s.COUNT_TRANSACTIONS_REMOTE_IN_APPLIER_QUEUE AS queued \
     FROM performance_schema.replication_group_members m \
     LEFT JOIN performance_schema.replication_group_member_stats s ON s.MEMBER_ID = m.MEMBER_ID \
     WHERE m.MEMBER_ID = @@server_uuid";
const WSREP: &str = "SHOW GLOBAL STATUS LIKE 'wsrep%'";

/// Asks for the group; `None` if the server is in none (the plugin may be loaded and idle).
pub(super) async fn group(session: &mut Session) -> Result<Asked<Option<Group>>, SqlError> {
    let answer = match session.rows(MEMBERS).await {
        Err(error) if error.is_unknown_statement() => Ok(None),
        Err(error) => Err(error),
        Ok(rows) => members(session, &rows).await,
    };
    untold(MEMBERS, answer.map(|value| Told { value, statement: MEMBERS.to_owned() }))
}

async fn members(session: &mut Session, rows: &[Row]) -> Result<Option<Group>, SqlError> {
    let mut members: Vec<GroupMember> = rows.iter().map(member).filter(|member| member.state != "OFFLINE").collect();
    members.retain(|member| !member.uuid.is_empty());
    if members.is_empty() {
        return Ok(None);
    }
    if members.iter().all(|member| member.role.is_empty()) {
        let primary = session.row(PRIMARY).await?.and_then(|row| row.text("Value")).unwrap_or_default();
        for member in &mut members {
            let leads = primary.is_empty() || member.uuid.eq_ignore_ascii_case(&primary);
            member.role = String::from(if leads { "PRIMARY" } else { "SECONDARY" });
        }
    }
    Ok(Some(Group { members }))
}

fn member(row: &Row) -> GroupMember {
    let text = |name: &str| row.text(name).unwrap_or_default();
    GroupMember {
        uuid: text("MEMBER_ID").to_ascii_lowercase(),
        host: text("MEMBER_HOST"),
        port: row.parse("MEMBER_PORT").unwrap_or(0),
        state: text("MEMBER_STATE"),
        role: text("MEMBER_ROLE"),
    }
}

/// What a group's member has received and not applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ApplierQueue {
    /// It is in no group.
    NoGroup,
    /// Transactions, the one being applied included.
    Holds(u64),
    /// It is not online in its group, or does not tell (5.7).
    Unknown,
}

/// Asks how much the group's applier has before it.
pub(crate) async fn applier_queue(session: &mut Session) -> Result<ApplierQueue, SqlError> {
    let row = match session.row(QUEUE).await {
        Ok(row) => row,
        // An engine without groups, or an older one that has groups and does not count.
        Err(error) if error.is_unknown_statement() => {
            let none = group(session).await?.is_ok_and(|told| told.value.is_none());
            return Ok(if none { ApplierQueue::NoGroup } else { ApplierQueue::Unknown });
        }
        Err(SqlError::Server { .. }) => return Ok(ApplierQueue::Unknown),
        Err(error) => return Err(error),
    };
    Ok(match row.as_ref().map(|row| (row.text("state").unwrap_or_default(), row.parse("queued"))) {
        None => ApplierQueue::NoGroup,
        Some((state, _)) if state == "OFFLINE" => ApplierQueue::NoGroup,
        Some((state, Some(queued))) if state == "ONLINE" => ApplierQueue::Holds(queued),
        Some(_) => ApplierQueue::Unknown,
    })
}

/// Asks for Galera where `wsrep_on` says so.
pub(super) async fn galera(session: &mut Session, variables: &Variables) -> Result<Asked<Option<Galera>>, SqlError> {
    if variables.flag("wsrep_on") != Some(true) {
        return Ok(Ok(Told { value: None, statement: "@@wsrep_on".to_owned() }));
    }
    let told = session.rows(WSREP).await.map(|rows| Told { value: Some(wsrep(&rows)), statement: WSREP.to_owned() });
    untold(WSREP, told)
}

fn wsrep(rows: &[Row]) -> Galera {
    let pair = |row: &Row| Some((row.text("Variable_name")?.to_ascii_lowercase(), row.text("Value")?));
    let status: HashMap<String, String> = rows.iter().filter_map(pair).collect();
    let text = |name: &str| status.get(name).cloned().unwrap_or_default();
    Galera {
        cluster: text("wsrep_cluster_state_uuid"),
        state: text("wsrep_local_state_comment"),
        size: text("wsrep_cluster_size").trim().parse().unwrap_or(0),
        members: text("wsrep_incoming_addresses").split(',').filter_map(place).collect(),
    }
}
