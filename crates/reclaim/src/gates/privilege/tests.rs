//! Which right each engine and version wants, by rule.

use super::*;
use mysql::Flavor;

fn server(flavor: Flavor, version: Version) -> Capabilities {
    Capabilities { flavor, version, version_text: String::new(), version_comment: String::new() }
}

/// Of an account with those lines of `SHOW GRANTS`.
pub(crate) fn rights(lines: &[&str], binlog_off: bool) -> Rights {
    let mut rights = Rights { binlog_off, account: "`d`@`%`".into(), ..Rights::default() };
    for line in lines {
        rights.grants.add(line);
    }
    rights
}

/// Of an account that may do all.
pub(crate) fn all_rights() -> Rights {
    rights(&["GRANT ALL PRIVILEGES ON *.* TO `d`@`%` WITH GRANT OPTION"], true)
}

const NEEDS: Needs = Needs {
    mode: WorkMode::BinlogOff,
    read_only: true,
    global_settings: true,
    applier: true,
    row_log: true,
    undo: false,
};

#[test]
fn all_privileges_are_enough() {
    for (flavor, version) in [(Flavor::MariaDb, Version(10, 11, 19)), (Flavor::MySql, Version(9, 7, 4))] {
        assert!(missing(&all_rights(), &server(flavor, version), NEEDS).is_empty());
    }
}

#[test]
fn each_missing_right_is_named_as_the_version_knows_it() {
    let weak = rights(&["GRANT SELECT ON *.* TO `d`@`%`", "GRANT ALTER ON `a`.* TO `d`@`%`"], false);
    let named = |flavor, version| missing(&weak, &server(flavor, version), NEEDS);
    assert_eq!(
        named(Flavor::MySql, Version(9, 7, 4)),
        ["PROCESS", "CONNECTION_ADMIN", "SYSTEM_VARIABLES_ADMIN", "REPLICATION_SLAVE_ADMIN", "SESSION_VARIABLES_ADMIN"]
    );
    assert_eq!(
        named(Flavor::MariaDb, Version(10, 11, 14)),
        ["PROCESS", "READ_ONLY ADMIN", "SUPER", "REPLICATION SLAVE ADMIN", "BINLOG ADMIN"]
    );
    assert_eq!(named(Flavor::MySql, Version(5, 7, 44)), ["PROCESS", "SUPER"]);
    assert_eq!(named(Flavor::MariaDb, Version(10, 4, 30)), ["PROCESS", "SUPER"]);
}

#[test]
fn only_what_is_to_be_done_is_asked_for() {
    let quiet = Needs { mode: WorkMode::BinlogOn, ..Needs::of_table(WorkMode::BinlogOn, false, false) };
    let plain = rights(&["GRANT SELECT, PROCESS, ALTER ON *.* TO `d`@`%`"], false);
    let mariadb = server(Flavor::MariaDb, Version(10, 11, 14));
    assert!(missing(&plain, &mariadb, quiet).is_empty());
    assert_eq!(missing(&plain, &mariadb, Needs { row_log: true, ..quiet }), ["SUPER"]);
    assert_eq!(missing(&plain, &mariadb, Needs { applier: true, ..quiet }), ["REPLICATION SLAVE ADMIN"]);
}

#[test]
fn the_grant_to_type_next_is_said() {
    let table = TableName::new("shop", "or`ders");
    let mysql = server(Flavor::MySql, Version(9, 7, 4));
    let partly =
        Ok(rights(&["GRANT SELECT, PROCESS, ALTER ON *.* TO `d`@`%`", "REVOKE ALTER ON `shop`.* FROM `d`@`%`"], true));
    let needs = Needs::of_table(WorkMode::BinlogOff, false, false);
    assert_eq!(verdict(&partly, &mysql, needs), GateVerdict::Pass);
    let GateVerdict::Refuse { reason } = table_verdict(&partly, &mysql, &table, needs) else { panic!("no refusal") };
    assert!(reason.ends_with("GRANT ALTER ON `shop`.`or``ders` TO `d`@`%`"), "{reason}");
}
