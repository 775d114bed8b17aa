//! Gate `privilege`: the account may do what the rebuild needs. Read from `SHOW GRANTS`; tried where trying is free.

use super::{refuse, unanswered};
use api::{GateVerdict, WorkMode};
use mysql::{Capabilities, Session, SqlError};
use std::collections::BTreeSet;

/// Rights of the account, upper case, and where they hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rights {
    /// On `*.*`; `ALL PRIVILEGES` stands for all.
    global: BTreeSet<String>,
    /// On some database or table.
    partial: BTreeSet<String>,
    /// `SET SESSION sql_log_bin = 0` was accepted.
    binlog_off: bool,
}

/// Reads the grants, roles in force included, and tries to leave the binlog (in this session only, and puts it back).
pub async fn probe(session: &mut Session, capabilities: &Capabilities) -> Result<Rights, SqlError> {
    let mut rights = Rights::default();
    let roles = session_roles(session, capabilities).await?;
    for row in session.rows(&show_grants(roles.as_deref())).await? {
        read_grant(&row.only().unwrap_or_default(), &mut rights);
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

/// MySQL shows what a role grants only if the role is named; MariaDB shows it by itself.
async fn session_roles(session: &mut Session, capabilities: &Capabilities) -> Result<Option<String>, SqlError> {
    if capabilities.is_mariadb() || capabilities.version.0 < 8 {
        return Ok(None);
    }
    let roles = session.value("SELECT CURRENT_ROLE()").await?;
    Ok(roles.filter(|text| !text.is_empty() && !text.eq_ignore_ascii_case("NONE")))
}

fn show_grants(roles: Option<&str>) -> String {
    let using = roles.map(|roles| format!(" USING {roles}")).unwrap_or_default();
    format!("SHOW GRANTS FOR CURRENT_USER(){using}")
}

/// `GRANT a, b (columns) ON *.* TO …`: rights before ` ON `, place after it.
fn read_grant(line: &str, rights: &mut Rights) {
    let Some(rest) = line.strip_prefix("GRANT ") else { return };
    let Some((list, place)) = rest.split_once(" ON ") else { return };
    let everywhere = place.starts_with("*.*");
    for right in list.split(',') {
        let right = right.split('(').next().unwrap_or_default().trim().to_ascii_uppercase();
        if everywhere {
            rights.global.insert(right)
        } else {
            rights.partial.insert(right)
        };
    }
}

impl Rights {
    fn everywhere(&self, names: &[&str]) -> bool {
        self.global.contains("ALL PRIVILEGES") || names.iter().any(|name| self.global.contains(*name))
    }

    fn anywhere(&self, name: &str) -> bool {
        self.everywhere(&[name]) || self.partial.contains(name) || self.partial.contains("ALL PRIVILEGES")
    }
}

/// What the work to come needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Needs {
    /// How rebuilds meet the binlog.
    pub mode: WorkMode,
    /// The node is read-only, so the account must be allowed to write all the same.
    pub read_only: bool,
    /// Global settings are changed and put back.
    pub global_settings: bool,
    /// The applier is stopped and started.
    pub applier: bool,
}

/// Names of missing rights, as `GRANT` would take them.
pub fn missing(rights: &Rights, capabilities: &Capabilities, needs: Needs) -> Vec<&'static str> {
    let mariadb = capabilities.is_mariadb();
    let mut all: Vec<&'static str> =
        ["ALTER", "CREATE", "INSERT"].into_iter().filter(|name| !rights.anywhere(name)).collect();
    if !rights.everywhere(&["PROCESS"]) {
        all.push("PROCESS");
    }
    let mut need = |wanted: bool, accepted: &[&'static str]| {
        if wanted && !rights.everywhere(accepted) {
            all.extend(accepted.first());
        }
    };
    let (read_only, global, applier): (&[&str], &[&str], &[&str]) = if mariadb {
        (&["READ ONLY ADMIN", "READ_ONLY ADMIN"], &["SUPER"], &["REPLICATION SLAVE ADMIN", "SUPER"])
    } else {
        (&["CONNECTION_ADMIN", "SUPER"], &["SYSTEM_VARIABLES_ADMIN", "SUPER"], &["REPLICATION_SLAVE_ADMIN", "SUPER"])
    };
    // Before 10.11 MariaDB's SUPER still covers writing on a read-only server.
    let old_super = mariadb && capabilities.version < mysql::Version(10, 11, 0) && rights.everywhere(&["SUPER"]);
    need(needs.read_only && !old_super, read_only);
    need(needs.global_settings, global);
    need(needs.applier, applier);
    if needs.mode == WorkMode::BinlogOff && !rights.binlog_off {
        all.push(if mariadb { "BINLOG ADMIN" } else { "SESSION_VARIABLES_ADMIN" });
    }
    all
}

/// The gate.
pub fn verdict(rights: &Result<Rights, SqlError>, capabilities: &Capabilities, needs: Needs) -> GateVerdict {
    match rights {
        Err(error) => unanswered("the account's rights", error),
        Ok(rights) => match missing(rights, capabilities, needs).as_slice() {
            [] => GateVerdict::Pass,
            names => refuse(format!("the account lacks {}; grant it on *.*", names.join(", "))),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mysql::{Flavor, Version};

    fn server(flavor: Flavor, version: Version) -> Capabilities {
        Capabilities { flavor, version, version_text: String::new(), version_comment: String::new() }
    }

    fn rights(lines: &[&str], binlog_off: bool) -> Rights {
        let mut rights = Rights { binlog_off, ..Rights::default() };
        for line in lines {
            read_grant(line, &mut rights);
        }
        rights
    }

    const NEEDS: Needs = Needs { mode: WorkMode::BinlogOff, read_only: true, global_settings: true, applier: false };

    #[test]
    fn all_privileges_are_enough() {
        let rights = rights(&["GRANT ALL PRIVILEGES ON *.* TO `d`@`%` WITH GRANT OPTION"], true);
        assert!(missing(&rights, &server(Flavor::MariaDb, Version(10, 11, 19)), NEEDS).is_empty());
    }

    #[test]
    fn each_missing_right_is_named() {
        let rights =
            rights(&["GRANT SELECT, PROCESS ON *.* TO `d`@`%`", "GRANT ALTER, CREATE ON `a`.* TO `d`@`%`"], false);
        let names = missing(&rights, &server(Flavor::MySql, Version(9, 7, 4)), NEEDS);
        assert_eq!(names, ["INSERT", "CONNECTION_ADMIN", "SYSTEM_VARIABLES_ADMIN", "SESSION_VARIABLES_ADMIN"]);
    }
}
