//! Gate `errant_gtid`, asked afterwards: the node has not become the author of transactions its source lacks.

use super::refuse;
use api::GateVerdict;
use mysql::{Capabilities, Session, SqlError};
use types::{GtidSet, gtid::Origin};

/// Transactions a node wrote itself. Those it received are not in it.
pub async fn own(session: &mut Session, capabilities: &Capabilities) -> Result<GtidSet, SqlError> {
    if capabilities.is_mariadb() {
        let row = session.row("SELECT @@gtid_binlog_state AS g, @@server_id AS s").await?;
        let id = row.as_ref().and_then(|row| row.parse("s")).unwrap_or(0);
        return Ok(set(row.and_then(|row| row.text("g"))).of_server(id));
    }
    let row = session.row("SELECT @@GLOBAL.gtid_executed AS g, @@server_uuid AS u").await?;
    let uuid = row.as_ref().and_then(|row| row.text("u")).and_then(|text| text.parse::<uuid::Uuid>().ok());
    let all = set(row.and_then(|row| row.text("g")));
    Ok(uuid.map_or_else(GtidSet::new, |uuid| all.of_uuid(&uuid)))
}

fn set(text: Option<String>) -> GtidSet {
    text.and_then(|text| text.replace(['\n', ' '], "").parse().ok()).unwrap_or_default()
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
