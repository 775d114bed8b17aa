//! Tablespaces: which file holds what, how large it is, and which indexes lie in it.

use super::SURVEY_LIMIT;
use mysql::{Capabilities, Row, Session, SqlError};
use std::collections::HashMap;

/// One tablespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Space {
    pub id: u64,
    /// `database/table`, `database/table#p#part`, or a tablespace's own name, as the server spells it.
    pub name: String,
    pub file_bytes: u64,
    pub allocated_bytes: u64,
    /// Page size in the file.
    pub page_bytes: u32,
    /// Page size in memory.
    pub logical_bytes: u32,
    /// As the server gives it, usually below the data directory.
    pub path: Option<String>,
    pub encrypted: bool,
    /// `ROW_FORMAT=COMPRESSED`.
    pub compressed: bool,
    /// Pages are compressed and holes punched, by MariaDB's flags; MySQL notes it with the table only.
    pub page_compressed: bool,
    pub row_versions: u64,
    /// Holds undo logs.
    pub undo: bool,
    /// Index id and whether it is clustered.
    pub indexes: HashMap<u64, bool>,
}

/// All tablespaces by name.
#[derive(Debug, Default)]
pub(crate) struct Spaces(pub HashMap<String, Space>);

const PAGE_IN_MEMORY: &str = "SELECT @@innodb_page_size AS bytes";

/// The new spelling of a view, or the one before MySQL 8, which `MariaDB` keeps.
async fn view(session: &mut Session, name: &str) -> Result<Vec<Row>, SqlError> {
    match session.rows_within(SURVEY_LIMIT, &format!("SELECT * FROM information_schema.INNODB_{name}")).await {
        Err(error) if error.is_unknown_statement() => {
            session.rows_within(SURVEY_LIMIT, &format!("SELECT * FROM information_schema.INNODB_SYS_{name}")).await
        }
        answer => answer,
    }
}

/// A view not every server has.
async fn optional(session: &mut Session, name: &str) -> Result<Vec<Row>, SqlError> {
    match view(session, name).await {
        Err(error) if error.is_unknown_statement() => Ok(Vec::new()),
        answer => answer,
    }
}

impl Spaces {
    /// Reads all; needs the `PROCESS` privilege. A server without these views has none.
    pub async fn read(session: &mut Session, caps: &Capabilities) -> Result<Self, SqlError> {
        let in_memory = match session.row(PAGE_IN_MEMORY).await {
            Ok(row) => row.and_then(|row| row.parse("bytes")).unwrap_or(16384),
            // A server without InnoDB does not know it, and has no tablespaces either.
            Err(SqlError::Server { .. }) => 16384,
            Err(error) => return Err(error),
        };
        let rows = optional(session, "TABLESPACES").await?;
        let mut spaces: HashMap<u64, Space> =
            rows.iter().map(|row| space(row, caps, in_memory)).map(|s| (s.id, s)).collect();
        let missing = spaces.values().any(|space| space.path.is_none());
        let files = if missing { optional(session, "DATAFILES").await? } else { Vec::new() };
        for row in files {
            if let Some(space) = row.parse("SPACE").and_then(|id: u64| spaces.get_mut(&id)) {
                space.path = row.text("PATH");
            }
        }
        for row in optional(session, "INDEXES").await? {
            let (id, kind) = (row.parse("INDEX_ID"), row.parse::<u64>("TYPE"));
            if let (Some(space), Some(id), Some(kind)) = (of(&mut spaces, &row), id, kind) {
                space.indexes.insert(id, kind & 1 == 1);
            }
        }
        for row in optional(session, "TABLES").await? {
            if let Some(space) = of(&mut spaces, &row) {
                space.row_versions = row.parse("TOTAL_ROW_VERSIONS").unwrap_or(0);
            }
        }
        if caps.is_mariadb() {
            for row in optional(session, "TABLESPACES_ENCRYPTION").await? {
                if let Some(space) = of(&mut spaces, &row) {
                    space.encrypted = row.parse::<u64>("ENCRYPTION_SCHEME").is_some_and(|scheme| scheme != 0);
                }
            }
        }
        Ok(Self(spaces.into_values().map(|space| (space.name.clone(), space)).collect()))
    }

    /// The tablespace of a table, or of one of its partitions; `encoded` is the spelling in the filename charset.
    pub fn find(&self, plain: &str, encoded: Option<&str>) -> Option<&Space> {
        encoded.and_then(|name| self.0.get(name)).or_else(|| self.0.get(plain))
    }
}

fn of<'a>(spaces: &'a mut HashMap<u64, Space>, row: &Row) -> Option<&'a mut Space> {
    spaces.get_mut(&row.parse("SPACE")?)
}

fn space(row: &Row, caps: &Capabilities, in_memory: u32) -> Space {
    let zip: u32 = row.parse("ZIP_PAGE_SIZE").unwrap_or(0);
    let page: u32 = row.parse("PAGE_SIZE").unwrap_or(in_memory);
    let compressed = zip != 0 || row.text("ROW_FORMAT").is_some_and(|format| format == "Compressed");
    let file: u64 = row.parse("FILE_SIZE").unwrap_or_default();
    Space {
        id: row.parse("SPACE").unwrap_or_default(),
        name: row.text("NAME").unwrap_or_default(),
        file_bytes: file,
        allocated_bytes: row.parse("ALLOCATED_SIZE").unwrap_or(file),
        page_bytes: if zip == 0 { page } else { zip },
        // MariaDB tells the size of a compressed page in the file where MySQL tells the one in memory.
        logical_bytes: if compressed { page.max(in_memory) } else { page },
        path: row.text("FILENAME"),
        encrypted: row.flag("ENCRYPTION").or_else(|| row.text("ENCRYPTION").map(|word| word == "Y")).unwrap_or(false),
        compressed,
        page_compressed: caps.is_mariadb() && row.parse("FLAG").is_some_and(page_compressed),
        row_versions: 0,
        undo: row.text("SPACE_TYPE").is_some_and(|kind| kind == "Undo")
            || row.text("NAME").is_some_and(|name| name.starts_with("innodb_undo")),
        indexes: HashMap::new(),
    }
}

/// MariaDB's flags come in two forms, told apart by bit 4: one with the algorithm in three bits, and one with a single bit.
pub(crate) fn page_compressed(flags: u32) -> bool {
    if flags & 0x10 != 0 { flags & 0xE0 != 0 } else { flags & 1 << 16 != 0 }
}

#[cfg(test)]
mod tests {
    use super::page_compressed;

    #[test]
    fn page_compression_is_read_from_both_kinds_of_flags() {
        assert!(!page_compressed(0x15) && page_compressed(0x15 | 1 << 5), "full_crc32");
        assert!(!page_compressed(0x21) && page_compressed(0x21 | 1 << 16), "the form before");
    }
}
