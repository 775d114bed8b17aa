//! A node's undo tablespaces as a piece of work beside its tables, where the request asks for it. Pure.

use super::{
    facts::{NodeFacts, name_of},
    statement::{self, Change},
    tables,
};
use crate::{
    gates::{disk, named, privilege},
    undo::{self, UndoSpace, Way},
};
use api::{Estimate, GraphNode, LockClass, Method, RecycleConfig, Strategy, TablePlan, WorkMode};

/// What stands where a table's database would; no name of a tablespace has one.
pub const DATABASE: &str = "innodb";
/// What stands where a table's name would.
pub const TABLE: &str = "undo";

/// Seconds one tablespace takes to be emptied where nothing holds it.
const SECONDS: f64 = 2.0;

/// The piece of work, or a skip with its reason; `None` if it was not asked for.
pub fn draw(node: &GraphNode, asked: &NodeFacts, config: &RecycleConfig) -> Option<TablePlan> {
    if !config.shrink_undo {
        return None;
    }
    let first = undo::first_bytes(&asked.capabilities);
    let large: Vec<&UndoSpace> = asked.undo.iter().filter(|space| space.bytes > first).collect();
    let estimate = estimate(&large, first);
    let names: Vec<String> = large.iter().map(|space| space.name.clone()).collect();
    let empty = TablePlan {
        node: name_of(node),
        database: DATABASE.into(),
        table: TABLE.into(),
        engine: "undo".into(),
        gain_per_byte: tables::gain_per_byte(&estimate),
        strategy: Strategy::Undo { names: names.clone() },
        statements: Vec::new(),
        lock: LockClass::None,
        data_bytes_needed: 0,
        tmp_bytes_needed: 0,
        predicted_seconds: 0.0,
        gates: Vec::new(),
        estimate,
    };
    Some(match workable(asked, &empty.estimate, config) {
        Err(reason) => TablePlan { strategy: Strategy::Skip { reason }, ..empty },
        Ok(way) => work(asked, way, &names, empty),
    })
}

/// Cut to a known size each, so nothing is left to chance; what grows again afterwards is new work.
fn estimate(large: &[&UndoSpace], first: u64) -> Estimate {
    let file_bytes = large.iter().map(|space| space.bytes).sum();
    let freed = large.iter().map(|space| i64::try_from(space.bytes - first).unwrap_or(i64::MAX)).sum();
    Estimate {
        file_bytes,
        predicted_freed_bytes: freed,
        predicted_low_bytes: freed,
        predicted_high_bytes: freed,
        data_free_bytes: 0,
        method: Method::Sql,
    }
}

/// How, or why not.
fn workable(asked: &NodeFacts, estimate: &Estimate, config: &RecycleConfig) -> Result<Way, String> {
    let server = &asked.capabilities;
    let Some(way) = undo::way(server) else {
        let version = &server.version_text;
        return Err(format!("{version} shrinks undo in the background only, where innodb_undo_log_truncate is ON"));
    };
    match asked.undo.len() {
        0 => {
            return Err(
                "its undo lies in the system tablespace, which never shrinks (innodb_undo_tablespaces is 0)".into()
            );
        }
        1 if way == Way::Setting => return Err("its only undo tablespace cannot be emptied: two are needed".into()),
        _ if estimate.file_bytes == 0 => {
            return Err("none of its undo tablespaces is larger than when it was made".into());
        }
        _ => {}
    }
    tables::reason_to_leave(estimate, config).map_or(Ok(way), Err)
}

fn work(asked: &NodeFacts, way: Way, names: &[String], empty: TablePlan) -> TablePlan {
    let (server, first) = (&asked.capabilities, undo::first_bytes(&asked.capabilities));
    // The spare, and a new file beside the one that is emptied.
    let needed = if way == Way::Statement { 2 * first } else { first };
    let seconds = SECONDS * names.len() as f64;
    let changes = statement::changes(&asked.settings, &empty.strategy, None);
    let mut statements: Vec<String> = changes.iter().map(Change::arm).collect();
    statements.extend(statement::session(server, WorkMode::BinlogOff, seconds));
    statements.extend(undo::statements(way, names));
    statements.extend(changes.iter().rev().map(Change::restore));
    let needs = privilege::Needs::of_undo(way);
    let gates = vec![
        named("privilege", privilege::verdict(&asked.rights, server, needs)),
        named("disk", disk::verdict(&asked.disks, needed, 0)),
    ];
    TablePlan { statements, data_bytes_needed: needed, predicted_seconds: seconds, gates, ..empty }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        gates::privilege::all_rights,
        plan::{facts::UndoSettings, fixtures},
    };
    use mysql::{Flavor, Version};

    fn asked(flavor: Flavor, version: Version, sizes: &[u64]) -> NodeFacts {
        let space = |(place, mb): (usize, &u64)| UndoSpace { name: format!("u{place}"), bytes: mb << 20 };
        let mut asked = fixtures::asked(vec![]);
        asked.capabilities.flavor = flavor;
        asked.capabilities.version = version;
        asked.rights = Ok(all_rights());
        asked.settings.undo =
            (flavor == Flavor::MariaDb).then_some(UndoSettings { truncates: false, limit: 100 << 20 });
        asked.undo = sizes.iter().enumerate().map(space).collect();
        asked
    }

    fn drawn(asked: &NodeFacts) -> TablePlan {
        let config = RecycleConfig { shrink_undo: true, ..fixtures::config() };
        draw(&fixtures::node("a", 1, false), asked, &config).expect("it was asked for")
    }

    #[test]
    fn nothing_is_drawn_unless_it_is_asked_for() {
        let asked = asked(Flavor::MySql, Version(8, 4, 0), &[500, 500]);
        assert_eq!(draw(&fixtures::node("a", 1, false), &asked, &fixtures::config()), None);
    }

    #[test]
    fn only_the_large_ones_are_worked_on() {
        let plan = drawn(&asked(Flavor::MySql, Version(8, 4, 0), &[16, 500]));
        assert_eq!(plan.strategy, Strategy::Undo { names: vec!["u1".into()] });
        assert_eq!((plan.estimate.file_bytes, plan.estimate.predicted_freed_bytes), (500 << 20, 484 << 20));
        assert!(plan.statements.iter().any(|sql| sql == "SET SESSION sql_log_bin = 0"), "{plan:#?}");
        assert!(!plan.statements.iter().any(|sql| sql.contains("u0")), "{plan:#?}");
    }

    #[test]
    fn mariadb_is_told_by_settings_that_are_put_back() {
        let plan = drawn(&asked(Flavor::MariaDb, Version(10, 11, 0), &[10, 500]));
        let ours = |sql: &&String| sql.contains("undo");
        let about: Vec<&String> = plan.statements.iter().filter(ours).collect();
        assert_eq!(
            about,
            [
                "SET GLOBAL innodb_max_undo_log_size = 10485760",
                "SET GLOBAL innodb_undo_log_truncate = ON",
                "SET GLOBAL innodb_undo_log_truncate = OFF",
                "SET GLOBAL innodb_max_undo_log_size = 104857600"
            ]
        );
    }

    #[test]
    fn each_reason_to_leave_it_is_named() {
        let (mysql, mariadb) = ((Flavor::MySql, Version(8, 0, 14)), (Flavor::MariaDb, Version(10, 11, 0)));
        let cases: [((Flavor, Version), &[u64], &str); 6] = [
            ((Flavor::MySql, Version(8, 0, 13)), &[500, 500], "in the background only"),
            (mariadb, &[], "system tablespace"),
            (mariadb, &[500], "two are needed"),
            (mysql, &[16, 16], "none of its undo"),
            (mysql, &[16, 40], "below the thresholds"),
            (mariadb, &[10, 50], "below the thresholds"),
        ];
        for ((flavor, version), sizes, word) in cases {
            let Strategy::Skip { reason } = drawn(&asked(flavor, version, sizes)).strategy else { panic!("{word}") };
            assert!(reason.contains(word), "{reason}");
        }
    }
}
