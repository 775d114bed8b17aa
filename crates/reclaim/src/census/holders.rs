//! Holders of disk the server itself tells of: undo, system and temporary tablespaces, logs, full-text tables.

use crate::{
    estimate::spaces::{Space, Spaces},
    undo,
};
use api::CensusItem;
use mysql::{Capabilities, Row, Session, SqlError};
use std::collections::BTreeMap;

fn item(kind: &str, name: &str, bytes: u64, reclaimable_bytes: u64, advice: impl Into<String>) -> CensusItem {
    CensusItem { kind: kind.into(), name: name.into(), bytes, reclaimable_bytes, advice: advice.into() }
}

/// All of them.
pub(super) async fn all(
    session: &mut Session,
    caps: &Capabilities,
    spaces: &Spaces,
) -> Result<Vec<CensusItem>, SqlError> {
    let variables = variables(session).await?;
    let mut items = undo(caps, spaces, &variables);
    items.extend(system(session, spaces).await?);
    items.extend(temporary(spaces));
    items.extend(logs(session, "SHOW BINARY LOGS", binlogs).await?);
    items.extend(relay(session).await?);
    items.extend(redo(&variables));
    items.extend(fulltext(spaces));
    Ok(items)
}

async fn variables(session: &mut Session) -> Result<BTreeMap<String, String>, SqlError> {
    let rows = session.rows("SHOW GLOBAL VARIABLES LIKE 'innodb%'").await?;
    Ok(rows.iter().filter_map(|row| row.text("Variable_name").zip(row.text("Value"))).collect())
}

/// Undo tablespaces by name, in order.
fn undo(caps: &Capabilities, spaces: &Spaces, variables: &BTreeMap<String, String>) -> Vec<CensusItem> {
    let mut all: Vec<&Space> = spaces.0.values().filter(|space| space.undo).collect();
    all.sort_by(|one, other| one.name.cmp(&other.name));
    let (least, advice) = (undo::first_bytes(caps), undo_advice(caps, variables));
    let one = |space: &&Space| {
        item("undo", &space.name, space.file_bytes, space.file_bytes.saturating_sub(least), advice.as_str())
    };
    all.iter().map(one).collect()
}

fn undo_advice(caps: &Capabilities, variables: &BTreeMap<String, String>) -> String {
    let by_itself = if variables.get("innodb_undo_log_truncate").is_some_and(|value| value == "ON") {
        "shrinks by itself once purge has passed it and it is above innodb_max_undo_log_size"
    } else {
        "SET GLOBAL innodb_undo_log_truncate = ON lets it shrink by itself above innodb_max_undo_log_size"
    };
    match undo::way(caps) {
        Some(_) => format!("{by_itself}; a job with shrink_undo (--shrink-undo) makes it small at once"),
        None => by_itself.to_owned(),
    }
}

/// `ibdata1`: `MariaDB` lists it among tablespaces, MySQL among files.
async fn system(session: &mut Session, spaces: &Spaces) -> Result<Option<CensusItem>, SqlError> {
    let advice = "never shrinks online: tables in it move out by ALTER TABLE … FORCE under innodb_file_per_table=ON, \
                  undo by separate undo tablespaces; the file itself shrinks only by dump and reload (MariaDB 11.2+: \
                  innodb_data_file_path with :autoshrink)";
    if let Some(space) = spaces.0.get("innodb_system") {
        return Ok(Some(item("system_tablespace", "innodb_system", space.file_bytes, 0, advice)));
    }
    let ask = "SELECT SUM(TOTAL_EXTENTS * EXTENT_SIZE) AS bytes FROM information_schema.FILES \
               WHERE TABLESPACE_NAME = 'innodb_system'";
    let bytes = session.row(ask).await?.and_then(|row| row.text("bytes")).and_then(|text| text.parse::<f64>().ok());
    Ok(bytes.map(|bytes| item("system_tablespace", "innodb_system", bytes as u64, 0, advice)))
}

fn temporary(spaces: &Spaces) -> Option<CensusItem> {
    let space = spaces.0.get("innodb_temporary")?;
    let advice = "is made anew, small, when the server restarts; bound it by max in innodb_temp_data_file_path";
    Some(item("temporary_tablespace", &space.name, space.file_bytes, 0, advice))
}

/// Runs a statement about logs; switched off or unknown is nothing, a missing right is said.
async fn logs(
    session: &mut Session,
    ask: &str,
    read: impl Fn(&[Row]) -> Option<CensusItem>,
) -> Result<Option<CensusItem>, SqlError> {
    match session.rows(ask).await {
        Ok(rows) => Ok(read(&rows)),
        // 1381: the binlog is off.
        Err(error) if error.is_unknown_statement() || error.code() == Some(1381) => Ok(None),
        Err(error) if error.is_denied() => {
            Ok(Some(item("binlog", "unknown", 0, 0, format!("not allowed to look: {error}"))))
        }
        Err(error) => Err(error),
    }
}

fn binlogs(rows: &[Row]) -> Option<CensusItem> {
    let bytes: u64 = rows.iter().filter_map(|row| row.parse::<u64>("File_size")).sum();
    let last = rows.last()?.text("Log_name")?;
    let advice = format!(
        "PURGE BINARY LOGS TO '{last}' once every replica and every backup has read them; keep fewer by \
         binlog_expire_logs_seconds (expire_logs_days)"
    );
    Some(item("binlog", &format!("{} files", rows.len()), bytes, 0, advice))
}

/// Relay logs over all channels.
async fn relay(session: &mut Session) -> Result<Option<CensusItem>, SqlError> {
    let read = |rows: &[Row]| {
        let bytes: u64 = rows.iter().filter_map(|row| row.parse::<u64>("Relay_Log_Space")).sum();
        let advice = "goes as the applier catches up; relay_log_purge must be ON";
        (!rows.is_empty()).then(|| item("relay_log", &format!("{} channels", rows.len()), bytes, 0, advice))
    };
    for ask in ["SHOW ALL SLAVES STATUS", "SHOW REPLICA STATUS", "SHOW SLAVE STATUS"] {
        if let Some(found) = logs(session, ask, read).await? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

fn redo(variables: &BTreeMap<String, String>) -> Option<CensusItem> {
    let number = |name: &str| variables.get(name).and_then(|text| text.parse::<u64>().ok());
    let files = number("innodb_log_files_in_group").unwrap_or(1);
    let old = number("innodb_log_file_size").map(|size| size * files);
    let bytes = number("innodb_redo_log_capacity").or(old)?;
    let advice = "sized by innodb_redo_log_capacity (MySQL 8.0.30+) or innodb_log_file_size: smaller costs write speed";
    Some(item("redo", "innodb redo log", bytes, 0, advice))
}

/// Auxiliary tables of full-text indexes: `database/fts_<table id>_…`.
pub(super) fn is_fulltext(name: &str) -> bool {
    name.split_once('/').is_some_and(|(_, table)| table.get(..4).is_some_and(|head| head.eq_ignore_ascii_case("fts_")))
}

fn fulltext(spaces: &Spaces) -> Vec<CensusItem> {
    let mut sums: BTreeMap<String, u64> = BTreeMap::new();
    for space in spaces.0.values().filter(|space| is_fulltext(&space.name)) {
        let table = space.name.splitn(3, '_').take(2).collect::<Vec<_>>().join("_");
        *sums.entry(table).or_default() += space.file_bytes;
    }
    let advice = "SET GLOBAL innodb_optimize_fulltext_only = ON; OPTIMIZE TABLE its table; repeat; set it back: drops \
                  deleted words, the files keep their size until the index is rebuilt";
    sums.into_iter().map(|(name, bytes)| item("fulltext", &name, bytes, 0, advice)).collect()
}
