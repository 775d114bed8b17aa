//! A table's files as the server sees them: their identity and their size, never cached statistics.
//!
//! A rebuild always ends in new tablespaces, so the tablespace ids tell whether it happened, whatever became of the session
//! that asked for it.

use crate::estimate::{is_page_compressed, page_compressed};
use mysql::{Capabilities, Row, Session, SqlError, literal};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use types::TableName;

/// Tablespaces of a table: partition (empty for a whole table) to id and size.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Identity {
    /// By partition in lower case, as `p0` or `p0#sp#s1`; empty for an unpartitioned table.
    pub spaces: BTreeMap<String, (u64, u64)>,
}

impl Identity {
    /// Sum of file sizes over the partitions wanted; all if none is named.
    pub fn bytes(&self, partitions: &[String]) -> u64 {
        self.of(partitions).map(|space| space.1).sum()
    }

    /// Ids of all tablespaces.
    pub fn ids(&self) -> Vec<u64> {
        self.spaces.values().map(|space| space.0).collect()
    }

    /// Ids of the tablespaces of the partitions wanted; all if none is named.
    pub fn ids_of(&self, partitions: &[String]) -> Vec<u64> {
        self.of(partitions).map(|space| space.0).collect()
    }

    /// Sum of the sizes of the files with these ids; `None` if one of them is not the table's any more.
    pub fn bytes_of(&self, ids: &[u64]) -> Option<u64> {
        let size = |id: &u64| self.spaces.values().find(|space| space.0 == *id).map(|space| space.1);
        ids.iter().map(size).sum()
    }

    fn of<'a>(&'a self, partitions: &'a [String]) -> impl Iterator<Item = &'a (u64, u64)> {
        let wanted = |name: &str| {
            let partition = name.split("#sp#").next().unwrap_or(name);
            partitions.is_empty() || partitions.iter().any(|wanted| wanted.to_lowercase() == partition)
        };
        self.spaces.iter().filter(move |(name, _)| wanted(name)).map(|(_, space)| space)
    }

    /// True if every one of the partitions wanted (all if none is named) lies in another tablespace than before.
    pub fn renewed_since(&self, before: &Identity, partitions: &[String]) -> bool {
        let old: Vec<u64> = before.of(partitions).map(|space| space.0).collect();
        let mut now = self.of(partitions).peekable();
        now.peek().is_some() && now.all(|space| !old.contains(&space.0))
    }
}

/// True if a copied table gets a file of its own. A server that does not know the variable gives every table one.
pub(crate) async fn copies_are_own(session: &mut Session) -> Result<bool, SqlError> {
    match session.value("SELECT @@GLOBAL.innodb_file_per_table").await {
        Ok(on) => Ok(on.as_deref() == Some("1")),
        Err(SqlError::Server { code: 1193, .. }) => Ok(true),
        Err(error) => Err(error),
    }
}

/// Reads the tablespaces of a table.
///
/// MySQL 8 and later spell the view's names plainly, MariaDB in the filename encoding, which it converts itself. While
/// an in-place rebuild runs MySQL lists the new file under the table's own name as well, so identity is only asked for when
/// no statement of ours runs.
pub(crate) async fn identity(
    session: &mut Session,
    capabilities: &Capabilities,
    table: &TableName,
) -> Result<Identity, SqlError> {
    let mut identity = Identity::default();
    let holes = has_holes(session, table).await?;
    for row in session.rows(&sql(capabilities, table)).await? {
        let Some((space, name, file)) = read(&row) else { continue };
        let holes = holes || capabilities.is_mariadb() && row.parse("f").is_some_and(page_compressed);
        let bytes = if holes { row.parse("a").map_or(file, |blocks: u64| blocks.min(file)) } else { file };
        let partition = name.to_lowercase().split_once("#p#").map(|(_, part)| part.to_owned()).unwrap_or_default();
        identity.spaces.insert(partition, (space, bytes));
    }
    Ok(identity)
}

/// True if the table's pages are compressed and holes punched into its files: what it takes is blocks, not lengths.
async fn has_holes(session: &mut Session, table: &TableName) -> Result<bool, SqlError> {
    let (database, name) = (literal(&table.database), literal(&table.table));
    let sql = format!(
        "SELECT CREATE_OPTIONS AS o FROM information_schema.TABLES WHERE TABLE_SCHEMA = {database} AND TABLE_NAME = {name}"
    );
    let options = session.row(&sql).await?.and_then(|row| row.text("o")).unwrap_or_default();
    Ok(is_page_compressed(&options))
}

/// Rows `(id, name, size)` of a table's tablespaces; during a MySQL in-place rebuild the new file's row as well.
pub(crate) async fn spaces(
    session: &mut Session,
    capabilities: &Capabilities,
    table: &TableName,
) -> Result<Vec<(u64, String, u64)>, SqlError> {
    let rows = session.rows(&sql(capabilities, table)).await?;
    Ok(rows.iter().filter_map(read).collect())
}

fn read(row: &Row) -> Option<(u64, String, u64)> {
    Some((row.parse("i")?, row.text("n")?, row.parse("b")?))
}

fn sql(capabilities: &Capabilities, table: &TableName) -> String {
    let (database, name) = (literal(&table.database), literal(&table.table));
    let (view, full) = if capabilities.is_mariadb() {
        let encoded = |text: &str| format!("CONVERT(CONVERT({text} USING filename) USING binary)");
        ("INNODB_SYS_TABLESPACES", format!("CONCAT({}, '/', {})", encoded(&database), encoded(&name)))
    } else {
        ("INNODB_TABLESPACES", format!("CONVERT(CONCAT({database}, '/', {name}) USING binary)"))
    };
    // Compared as bytes: the view's own collation takes `T` for `t`.
    format!(
        "SELECT SPACE AS i, NAME AS n, FILE_SIZE AS b, ALLOCATED_SIZE AS a, FLAG AS f FROM information_schema.{view} \
         WHERE CONVERT(NAME USING binary) = {full} \
         OR LEFT(CONVERT(NAME USING binary), LENGTH({full}) + 3) IN (CONCAT({full}, '#p#'), CONCAT({full}, '#P#'))"
    )
}

/// Temporary tablespaces of rebuilds, `database/#sql…`, with their sizes: orphans if no rebuild runs.
pub(crate) async fn orphans(
    session: &mut Session,
    capabilities: &Capabilities,
) -> Result<Vec<(String, u64)>, SqlError> {
    let view = if capabilities.is_mariadb() { "INNODB_SYS_TABLESPACES" } else { "INNODB_TABLESPACES" };
    let sql = format!(
        "SELECT NAME AS n, FILE_SIZE AS b FROM information_schema.{view} WHERE NAME LIKE '%/#sql%' OR NAME LIKE '#sql%'"
    );
    let rows = session.rows(&sql).await?;
    Ok(rows.iter().filter_map(|row| Some((row.text("n")?, row.parse("b")?))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(spaces: &[(&str, u64, u64)]) -> Identity {
        Identity { spaces: spaces.iter().map(|(name, id, size)| ((*name).to_owned(), (*id, *size))).collect() }
    }

    #[test]
    fn a_rebuild_is_told_by_new_tablespaces() {
        let before = identity(&[("", 5, 100)]);
        assert!(!before.renewed_since(&before, &[]));
        assert!(identity(&[("", 6, 100)]).renewed_since(&before, &[]));
        assert!(!Identity::default().renewed_since(&before, &[]));
    }

    #[test]
    fn only_the_named_partitions_count() {
        let before = identity(&[("p0", 5, 100), ("p1", 6, 50), ("p1#sp#a", 7, 25)]);
        let after = identity(&[("p0", 8, 10), ("p1", 6, 50), ("p1#sp#a", 7, 25)]);
        let names = vec!["P0".to_owned()];
        assert!(after.renewed_since(&before, &names));
        assert!(!after.renewed_since(&before, &[]));
        assert_eq!((before.bytes(&names), after.bytes(&names)), (100, 10));
        assert_eq!(before.bytes(&["p1".to_owned()]), 75);
    }
}
