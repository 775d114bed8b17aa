//! Gate `errant_gtid`, asked afterwards: the node has not become the author of transactions its source lacks.

use super::refuse;
use api::GateVerdict;
use mysql::{Capabilities, Session, SqlError, literal};
use types::{
    GtidSet,
    gtid::{Gtid, Intervals, Origin},
};

/// Transactions a node wrote itself. Those it received are not in it.
pub async fn own(session: &mut Session, capabilities: &Capabilities) -> Result<GtidSet, SqlError> {
    let (sql, mariadb) = if capabilities.is_mariadb() {
        ("SELECT @@gtid_binlog_state AS g, @@server_id AS o", true)
    } else {
        ("SELECT @@GLOBAL.gtid_executed AS g, @@server_uuid AS o", false)
    };
    let row = session.row(sql).await?;
    let text = |column: &str| row.as_ref().and_then(|row| row.text(column));
    read(text("g"), text("o"), mariadb).map_err(|column| SqlError::Shape {
        address: session.address().clone(),
        column: column.to_owned(),
        statement: sql.to_owned(),
    })
}

/// What of a set has the server's own origin. What cannot be read is no empty set: two of those would look alike.
fn read(set: Option<String>, origin: Option<String>, mariadb: bool) -> Result<GtidSet, &'static str> {
    let set: GtidSet = set.ok_or("g")?.replace(['\n', ' '], "").parse().map_err(|_| "g")?;
    let origin = origin.ok_or("o")?;
    if mariadb {
        return Ok(set.of_server(origin.parse().map_err(|_| "o")?));
    }
    Ok(set.of_uuid(&origin.parse::<uuid::Uuid>().map_err(|_| "o")?))
}

/// The gate: what the node wrote itself must be what it was before. MariaDB keeps one number per origin, so there only a
/// higher one is new.
pub fn verdict(before: &GtidSet, after: &GtidSet) -> GateVerdict {
    let new = after.subtract(before);
    let grown = |origin: &Origin, highest: u64| match origin {
        Origin::MySql { .. } => true,
        Origin::MariaDb { .. } => before.iter().find(|entry| entry.0 == origin).is_none_or(|e| highest > e.1.highest()),
    };
    if new.iter().any(|(origin, numbers)| grown(origin, numbers.highest())) {
        return refuse(format!(
            "the node has written transactions of its own during the rebuild: {new}; see who wrote there, and inject \
             empty transactions on the primary or rebuild the replica before it is ever promoted"
        ));
    }
    GateVerdict::Pass
}

/// What makes a MariaDB replica forget what its recovery logged, as its operator would type it. It costs the node its
/// binary logs, so it is told and never done. The position of what was applied is that of the primary, without the rest.
/// By way of a variable: MariaDB 10.11.14 hangs for ever where one of the two is set to the other in one statement.
pub const CURE: &str = "STOP ALL SLAVES; SET @applied = @@GLOBAL.gtid_slave_pos; RESET MASTER; \
                        SET GLOBAL gtid_binlog_state = @applied; START ALL SLAVES";

/// Binary logs looked into, newest first, and events at the head of each: what recovery logs stands at a log's very
/// beginning, and every start begins a log.
const LOGS: usize = 8;
const HEAD: u32 = 12;

/// True if a server's newest own transaction is the statement that bears the marker, written by its recovery.
///
/// MariaDB (seen with 10.11.14) ends a DDL statement that a crash cut off after its commit by writing it to the binary
/// log, although it ran under `sql_log_bin = 0`: its log of unfinished DDL holds the text and not that setting.
pub async fn is_logged_by_recovery(session: &mut Session, new: &GtidSet, marker: &str) -> Result<bool, SqlError> {
    let logs = session.rows("SHOW BINARY LOGS").await?;
    let mut found = GtidSet::new();
    for log in logs.iter().rev().take(LOGS).filter_map(|row| row.text("Log_name")) {
        let events = session.rows(&format!("SHOW BINLOG EVENTS IN {} LIMIT {HEAD}", literal(&log))).await?;
        let infos: Vec<String> = events.iter().map(|row| row.text("Info").unwrap_or_default()).collect();
        found = found.union(&marked(&infos, marker));
    }
    let newest = |(origin, numbers): (&Origin, &Intervals)| {
        found.contains(&Gtid { origin: origin.clone(), number: numbers.highest() })
    };
    Ok(!new.is_empty() && new.iter().all(newest))
}

/// Transactions whose statement bears the marker, from the texts of a binary log's events.
fn marked(infos: &[String], marker: &str) -> GtidSet {
    let mut found = GtidSet::new();
    for pair in infos.windows(2).filter(|pair| pair[1].contains(marker)) {
        if let Some(Ok(gtid)) = pair[0].rsplit(' ').next().map(str::parse::<GtidSet>) {
            found = found.union(&gtid);
        }
    }
    found
}

/// The refusal with its cause, if that is known to be the server's own recovery.
pub async fn explained(session: &mut Session, new: &GtidSet, marker: &str, reason: String) -> String {
    match is_logged_by_recovery(session, new, marker).await {
        Ok(true) => format!(
            "the server itself wrote this job's statement into its binary log as {new} when it recovered from a crash, \
             although it ran with sql_log_bin = 0 (a defect of MariaDB). The table is rebuilt and its rows are the \
             primary's, but replication may stop there and the node must not be promoted as it is. If no replica reads \
             from it and its binary logs may go, run there: {CURE} -- otherwise rebuild the replica"
        ),
        Ok(false) | Err(_) => reason,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_is_no_empty_set() {
        let read = |set: Option<&str>, origin: Option<&str>, mariadb| {
            read(set.map(str::to_owned), origin.map(str::to_owned), mariadb)
        };
        let uuid = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
        assert_eq!(read(Some(""), Some(uuid), false), Ok(GtidSet::new()));
        assert_eq!(read(Some(""), Some("12"), true), Ok(GtidSet::new()));
        assert_eq!(read(Some("0-12-5,0-13-6"), Some("12"), true).map(|set| set.to_string()), Ok("0-12-5".into()));
        assert_eq!(read(Some("?"), Some(uuid), false), Err("g"));
        assert_eq!(read(None, Some("12"), true), Err("g"));
        assert_eq!(read(Some("0-12-5"), Some("x"), true), Err("o"));
        assert_eq!(read(Some(""), None, false), Err("o"));
    }

    #[test]
    fn a_statement_is_known_by_its_marker_and_its_transaction_by_the_event_before() {
        let infos =
            ["[0-1-7]", "GTID 0-2-8", "alter /* drydock job-1 x */ table t.a force", "GTID 0-2-9", "alter table b"];
        let infos = infos.map(str::to_owned);
        assert_eq!(marked(&infos, "/* drydock job-1 x */").to_string(), "0-2-8");
        assert_eq!(marked(&infos, "/* drydock job-2 x */").to_string(), "");
    }

    #[test]
    fn only_new_transactions_count() {
        let uuid = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
        let one: GtidSet = format!("{uuid}:1-5").parse().expect("a set");
        let two: GtidSet = format!("{uuid}:1-6").parse().expect("a set");
        assert_eq!(verdict(&one, &one), GateVerdict::Pass);
        assert!(matches!(verdict(&one, &two), GateVerdict::Refuse { .. }));
        let (five, six): (GtidSet, GtidSet) = ("0-12-5".parse().expect("set"), "0-12-6".parse().expect("set"));
        assert_eq!(verdict(&five, &five), GateVerdict::Pass);
        assert!(matches!(verdict(&five, &six), GateVerdict::Refuse { .. }));
    }
}
