//! Gate `errant_gtid`, asked afterwards: the node has not become the author of transactions its source lacks.

use super::refuse;
use api::GateVerdict;
use mysql::{Capabilities, Session, SqlError};
use types::{GtidSet, gtid::Origin};

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
