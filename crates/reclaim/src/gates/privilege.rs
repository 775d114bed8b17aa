//! Gate `privilege`: the account may do what the rebuild needs. Read from `SHOW GRANTS`; tried where trying is free.
//!
//! Asked for the node as a whole, and once more for each table: what step `arm` will do differs from table to table.

mod grants;

use super::{refuse, unanswered};
use crate::{plan::Settings, undo::Way};
use api::{GateVerdict, WorkMode};
use grants::Grants;
use mysql::{Capabilities, Session, SqlError, Version, ident, table_ident};
use types::TableName;

/// Rights of the account, and where they hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rights {
    grants: Grants,
    /// `SET SESSION sql_log_bin = 0` was accepted.
    binlog_off: bool,
    /// The account as the server knows it, quoted for a `GRANT`.
    account: String,
}

/// Reads the grants, roles in force included, and tries to leave the binlog (in this session only, and puts it back).
///
/// Only what is in force right after login counts: the job works in sessions of its own, so a role that is no default role
/// is none there.
pub async fn probe(session: &mut Session, capabilities: &Capabilities) -> Result<Rights, SqlError> {
    let mut rights = Rights { account: account(session).await?, ..Rights::default() };
    rights.grants.wildcards = !has_partial_revokes(session).await?;
    let roles = roles(session, capabilities).await?;
    for row in session.rows(&show_grants(capabilities, roles.as_deref())).await? {
        rights.grants.add(&row.only().unwrap_or_default());
    }
    rights.binlog_off = match session.run("SET SESSION sql_log_bin = 0").await {
        Ok(()) => {
            session.run("SET SESSION sql_log_bin = 1").await?;
            true
        }
        Err(error) if error.is_denied() => false,
        Err(error) => return Err(error),
    };
    Ok(rights)
}

async fn account(session: &mut Session) -> Result<String, SqlError> {
    let text = session.value("SELECT CURRENT_USER()").await?.unwrap_or_default();
    let (user, host) = text.rsplit_once('@').unwrap_or((&text, "%"));
    Ok(format!("{}@{}", ident(user), ident(host)))
}

/// With them on, MySQL takes `%` and `_` in a database's name as they stand.
async fn has_partial_revokes(session: &mut Session) -> Result<bool, SqlError> {
    let row = session.row("SHOW GLOBAL VARIABLES LIKE 'partial_revokes'").await?;
    Ok(row.is_some_and(|row| row.flag("Value") != Some(false)))
}

/// MySQL shows what a role grants only if the role is named.
async fn roles(session: &mut Session, capabilities: &Capabilities) -> Result<Option<String>, SqlError> {
    if capabilities.is_mariadb() || capabilities.version.0 < 8 {
        return Ok(None);
    }
    let roles = session.value("SELECT CURRENT_ROLE()").await?;
    Ok(roles.filter(|text| !text.is_empty() && !text.eq_ignore_ascii_case("NONE")))
}

/// MariaDB shows the role in force only if nobody is named; MySQL's list of roles comes quoted from the server.
fn show_grants(capabilities: &Capabilities, roles: Option<&str>) -> String {
    match roles {
        Some(roles) => format!("SHOW GRANTS FOR CURRENT_USER() USING {roles}"),
        None if capabilities.is_mariadb() => "SHOW GRANTS".to_owned(),
        None => "SHOW GRANTS FOR CURRENT_USER()".to_owned(),
    }
}

/// What the work to come needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Needs {
    /// How rebuilds meet the binlog.
    pub mode: WorkMode,
    /// The node is read-only, so the account must be allowed to write all the same.
    pub read_only: bool,
    /// `super_read_only` or `innodb_segment_reserve_factor` is lowered and put back.
    pub global_settings: bool,
    /// The applier is stopped and started.
    pub applier: bool,
    /// `innodb_online_alter_log_max_size` is raised and put back.
    pub row_log: bool,
    /// Undo tablespaces are made, emptied and dropped.
    pub undo: bool,
}

impl Needs {
    /// Of every table of a node.
    pub fn of_node(mode: WorkMode, read_only: bool, settings: &Settings) -> Self {
        let global_settings = settings.super_read_only || settings.lowers_reserve();
        Self { mode, read_only, global_settings, applier: false, row_log: false, undo: false }
    }

    /// Of a table alone, beside what its node needs.
    pub fn of_table(mode: WorkMode, applier: bool, row_log: bool) -> Self {
        Self { mode, read_only: false, global_settings: false, applier, row_log, undo: false }
    }

    /// Of the undo tablespaces, beside what their node needs.
    pub(crate) fn of_undo(way: Way) -> Self {
        let none = Self::of_table(WorkMode::BinlogOff, false, false);
        Self { global_settings: way == Way::Setting, undo: way == Way::Statement, ..none }
    }
}

/// Rights on the table itself. `CREATE` and `INSERT`, which manuals name, are asked for by no server we have tried.
const ON_TABLE: [&str; 2] = ["SELECT", "ALTER"];

/// For each thing to do, the rights of which one is enough; the first is the one to grant.
fn accepted(capabilities: &Capabilities, needs: Needs) -> Vec<&'static [&'static str]> {
    let (version, mariadb) = (capabilities.version, capabilities.is_mariadb());
    // Before these releases one right stood for all of them.
    let only_super = if mariadb { version < Version(10, 5, 2) } else { version.0 < 8 };
    let (write, settings, applier): (&[_], &[_], &[_]) = match (only_super, mariadb) {
        (true, _) => (&["SUPER"], &["SUPER"], &["SUPER"]),
        // From 10.11 on SUPER no longer covers writing on a read-only server.
        (false, true) if version < Version(10, 11, 0) => {
            (&["READ_ONLY ADMIN", "READ ONLY ADMIN", "SUPER"], &["SUPER"], &["REPLICATION SLAVE ADMIN", "SUPER"])
        }
        (false, true) => (&["READ_ONLY ADMIN", "READ ONLY ADMIN"], &["SUPER"], &["REPLICATION SLAVE ADMIN", "SUPER"]),
        (false, false) => (
            &["CONNECTION_ADMIN", "SUPER"],
            &["SYSTEM_VARIABLES_ADMIN", "SUPER"],
            &["REPLICATION_SLAVE_ADMIN", "SUPER"],
        ),
    };
    let wanted = [
        (true, &["PROCESS"] as &[_]),
        (needs.read_only, write),
        (needs.global_settings || needs.row_log, settings),
        (needs.applier, applier),
        (needs.undo, &["CREATE TABLESPACE"]),
    ];
    wanted.into_iter().filter_map(|(wanted, names)| wanted.then_some(names)).collect()
}

/// Names of missing rights, as `GRANT … ON *.*` would take them.
pub fn missing(rights: &Rights, capabilities: &Capabilities, needs: Needs) -> Vec<&'static str> {
    let grants = &rights.grants;
    let held = |names: &&[&str]| names.iter().any(|name| grants.everywhere(name));
    let mut all: Vec<&'static str> = ON_TABLE.into_iter().filter(|name| !grants.anywhere(name)).collect();
    let lacking = accepted(capabilities, needs).into_iter().filter(|names| !held(names));
    all.extend(lacking.filter_map(|names| names.first().copied()));
    if needs.mode == WorkMode::BinlogOff && !rights.binlog_off {
        all.push(binlog_right(capabilities));
    }
    all.dedup();
    all
}

fn binlog_right(capabilities: &Capabilities) -> &'static str {
    match (capabilities.is_mariadb(), capabilities.version) {
        (true, version) if version >= Version(10, 5, 2) => "BINLOG ADMIN",
        (false, version) if version >= Version(8, 0, 14) => "SESSION_VARIABLES_ADMIN",
        (false, version) if version.0 >= 8 => "SYSTEM_VARIABLES_ADMIN",
        _ => "SUPER",
    }
}

impl Rights {
    fn lacking(&self, names: &[&str], place: &str) -> GateVerdict {
        let names = names.join(", ");
        let roles = if self.grants.has_roles { "; a role counts only if it is a default role" } else { "" };
        let unread = match self.grants.unread {
            0 => String::new(),
            lines => format!("; {lines} of its grants could not be read and were not counted"),
        };
        refuse(format!("the account lacks {names}: GRANT {names} ON {place} TO {}{roles}{unread}", self.account))
    }
}

/// The gate for a node as a whole.
pub fn verdict(rights: &Result<Rights, SqlError>, capabilities: &Capabilities, needs: Needs) -> GateVerdict {
    match rights {
        Err(error) => unanswered("the account's rights", error),
        Ok(rights) => match missing(rights, capabilities, needs).as_slice() {
            [] => GateVerdict::Pass,
            names => rights.lacking(names, "*.*"),
        },
    }
}

/// The gate for one table: rights on it, and what only its rebuild needs.
pub fn table_verdict(
    rights: &Result<Rights, SqlError>,
    capabilities: &Capabilities,
    table: &TableName,
    needs: Needs,
) -> GateVerdict {
    let Ok(rights) = rights else { return verdict(rights, capabilities, needs) };
    let on_table: Vec<&str> = ON_TABLE.into_iter().filter(|right| !rights.grants.on(right, table)).collect();
    if on_table.is_empty() {
        verdict(&Ok(rights.clone()), capabilities, needs)
    } else {
        rights.lacking(&on_table, &table_ident(table))
    }
}

#[cfg(test)]
pub(crate) use tests::{all_rights, rights};

#[cfg(test)]
mod tests;
