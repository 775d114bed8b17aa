//! A look at rebuilt tables some time later: what of the space given back their files have taken again.
//!
//! It reads only, and measures as `verify` did after the rebuild. What cannot be compared is told as such, never guessed: a
//! table that was rebuilt, truncated or made anew since lies in tablespaces with other ids.

use crate::rebuild::{Identity, identity, running_any};
use api::TableResult;
use mysql::{Capabilities, Endpoint, Session, SqlError, table_ident};
use types::TableName;

/// What a look at one table came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// Bytes its files are larger than right after the rebuild; negative if smaller.
    Grown(i64),
    /// It can never be told, and why.
    Untold(String),
    /// It cannot be told now, and why; another look may.
    NotNow(String),
}

/// Longest a look waits for a table somebody holds, in seconds.
const PATIENCE: u32 = 2;

/// Looks at tables a job rebuilt on one node (`host:port`), through the way in to the job's target; one answer per table, in
/// order. An error is of the node: none of its tables could be looked at.
pub async fn look(target: &Endpoint, node: &str, tables: &[&TableResult]) -> Result<Vec<Seen>, SqlError> {
    let Some(address) = crate::trade::address(node) else {
        return Ok(vec![Seen::Untold(format!("{node} is no address")); tables.len()]);
    };
    let mut session = Session::connect(&target.at(address)).await?;
    let capabilities = Capabilities::probe(&mut session).await?;
    session.run(&format!("SET SESSION lock_wait_timeout = {PATIENCE}")).await?;
    let mut seen = Vec::new();
    for table in tables {
        seen.push(look_at(&mut session, &capabilities, table).await?);
    }
    session.close().await;
    Ok(seen)
}

async fn look_at(session: &mut Session, capabilities: &Capabilities, table: &TableResult) -> Result<Seen, SqlError> {
    match measure(session, capabilities, table).await {
        Ok(seen) => Ok(seen),
        Err(error) if error.is_of_the_way() => Err(error),
        Err(error) if is_gone(&error) => Ok(Seen::Untold("the table is gone: dropped or renamed".to_owned())),
        Err(error) => Ok(Seen::NotNow(error.to_string())),
    }
}

async fn measure(session: &mut Session, capabilities: &Capabilities, table: &TableResult) -> Result<Seen, SqlError> {
    let name = TableName::new(&table.database, &table.table);
    // Opened first: after a restart MariaDB lists the files of a table from its first use on.
    session.run(&format!("SELECT 1 FROM {} LIMIT 1", table_ident(&name))).await?;
    // While a rebuild runs MySQL lists old and new files under one name: sizes count only if none ran before or after.
    let before = running_any(session).await?;
    let now = identity(session, capabilities, &name).await?;
    if before || running_any(session).await? {
        return Ok(Seen::NotNow("a rebuild runs on this node".to_owned()));
    }
    Ok(compare(&now, table))
}

/// Partitions added since are not among the files measured and do not count.
fn compare(now: &Identity, table: &TableResult) -> Seen {
    match (now.bytes_of(&table.tablespaces), table.file_bytes_after) {
        (Some(bytes), Some(after)) => Seen::Grown(bytes.cast_signed() - after.cast_signed()),
        (None, _) if now.spaces.is_empty() => Seen::Untold("the table has no file of its own any more".to_owned()),
        (None, _) => {
            Seen::Untold("the table lies in other files by now: rebuilt, truncated or made anew since".to_owned())
        }
        (_, None) => Seen::Untold("its size after the rebuild is not known".to_owned()),
    }
}

/// No such table, no such database.
fn is_gone(error: &SqlError) -> bool {
    matches!(error.code(), Some(1146 | 1049))
}

#[cfg(test)]
mod tests;
