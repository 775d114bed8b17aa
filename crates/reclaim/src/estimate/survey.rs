//! A survey: every table that passes a filter, its nature, and what a rebuild would free.

mod look;
mod part;
mod server;

use super::{
    Content, Rebuild, TableFacts,
    access::{FileAccess, own_directory},
    budget::Budget,
    catalog::{Catalog, Index, Partition, Table},
    columns::Column,
    facts::{PartitionFacts, rebuilt, sum},
    filter::Filter,
    record::Shape,
    spaces::{Space, Spaces},
};
use mysql::{Capabilities, Session, SqlError};
use part::Part;
use runtime::Clock;
use server::{Opened, Unwritten};
use std::path::PathBuf;
use types::TableName;

/// Share of the data a survey may read, in thousandths.
const READ_THOUSANDTHS: u64 = 9;

/// What a survey found, and what it cost.
#[derive(Debug, Clone, Default)]
pub struct Survey {
    /// Every table that passed the filter.
    pub tables: Vec<TableFacts>,
    /// Bytes read from data files, in whole blocks.
    pub file_bytes_read: u64,
    /// Bytes the server read, at most, to open tables it was asked to list and had not opened before.
    pub opening_bytes: u64,
    /// Bytes of data files looked at.
    pub data_bytes: u64,
    /// Time it took.
    pub elapsed: std::time::Duration,
}

/// Every base table that passes the filter; system schemas never do. Reads only; needs `SELECT` on the tables and
/// `PROCESS`. On MySQL 8 the session's `information_schema_stats_expiry` is 0 afterwards.
pub async fn survey(
    session: &mut Session,
    caps: &Capabilities,
    filter: &Filter,
    files: &FileAccess,
    clock: &Clock,
) -> Result<Vec<TableFacts>, SqlError> {
    Ok(survey_for(session, caps, filter, files, clock).await?.tables)
}

/// The same with what it cost.
pub async fn survey_for(
    session: &mut Session,
    caps: &Capabilities,
    filter: &Filter,
    files: &FileAccess,
    clock: &Clock,
) -> Result<Survey, SqlError> {
    let start = clock.instant();
    let opened = Opened::before(session).await?;
    let catalog = Catalog::read(session, caps, filter).await?;
    let spaces = Spaces::read(session, caps).await?;
    let opening_bytes = opened.bytes_since(session, caps, catalog.tables.len()).await?;
    let (directory, read) = own_directory(session, files, &spaces).await?;
    let unwritten = Unwritten::read(session, caps).await?;
    let mut surveyor =
        Surveyor { session, caps, spaces, directory, unwritten, budget: Budget::new(0, 0, 0), read, asked: 0 };
    let survey = surveyor.run(&catalog, opening_bytes).await?;
    Ok(Survey { elapsed: clock.since(start), ..survey })
}

struct Surveyor<'a> {
    session: &'a mut Session,
    caps: &'a Capabilities,
    spaces: Spaces,
    directory: Option<PathBuf>,
    unwritten: Unwritten,
    budget: Budget,
    read: u64,
    /// Bytes the server had to look at for rows, at most.
    asked: u64,
}

impl Surveyor<'_> {
    async fn run(&mut self, catalog: &Catalog, opening_bytes: u64) -> Result<Survey, SqlError> {
        let data: u64 = catalog.tables.iter().map(|table| self.size(catalog, table)).sum();
        self.budget = Budget::new(data, READ_THOUSANDTHS, opening_bytes);
        let mut order: Vec<&Table> = catalog.tables.iter().collect();
        // Small ones first: what they leave of their share goes to the large ones, where it counts.
        order.sort_by_key(|table| self.size(catalog, table));
        let mut tables = Vec::new();
        for table in order {
            tables.push(self.table(catalog, table).await?);
        }
        tables.sort_by(|one, other| one.name.cmp(&other.name));
        let elapsed = std::time::Duration::ZERO;
        Ok(Survey { tables, file_bytes_read: self.read, opening_bytes, data_bytes: data, elapsed })
    }

    fn parts<'a>(catalog: &'a Catalog, table: &'a Table, shape: Option<&'a Shape>) -> Vec<Part<'a>> {
        match catalog.partitions.get(&table.name) {
            Some(all) => all.iter().map(|part| Part { table, partition: Some(part), shape }).collect(),
            None => vec![Part { table, partition: None, shape }],
        }
    }

    fn space(&self, part: &Part<'_>) -> Option<&Space> {
        let (plain, encoded) = part.spellings();
        self.spaces.find(&plain, encoded.as_deref())
    }

    fn size(&self, catalog: &Catalog, table: &Table) -> u64 {
        let parts = Self::parts(catalog, table, None);
        parts.iter().map(|part| self.space(part).map_or_else(|| part.used_bytes(), |space| space.file_bytes)).sum()
    }

    async fn table(&mut self, catalog: &Catalog, table: &Table) -> Result<TableFacts, SqlError> {
        let none = Vec::new();
        let indexes = catalog.indexes.get(&table.name).unwrap_or(&none);
        let mut columns = catalog.columns.get(&table.name).cloned().unwrap_or_default();
        if table.versioned {
            // Where the table names them itself they are counted twice: 14 bytes.
            columns.extend(["row_start", "row_end"].map(Column::row_bound));
        }
        let virtuals: Vec<String> = columns.iter().filter(|c| c.is_virtual).map(|c| c.name.clone()).collect();
        let innodb = table.engine.eq_ignore_ascii_case("InnoDB");
        let parts = Self::parts(catalog, table, None);
        let own: Vec<Option<Space>> = parts.iter().map(|part| self.space(part).cloned()).collect();
        let logical = own.iter().flatten().map(|space| space.logical_bytes).next().unwrap_or(16384);
        let shape = Shape::new(columns, indexes, &table.row_format, logical, self.caps.is_mariadb());
        let mut contents = Vec::new();
        let holes =
            is_page_compressed(&table.create_options) || own.iter().flatten().any(|space| space.page_compressed);
        for (part, space) in Self::parts(catalog, table, Some(&shape)).iter().zip(&own) {
            contents.push(match space {
                Some(space) if innodb => Content {
                    punched_bytes: holes.then_some(space.allocated_bytes.min(space.file_bytes)),
                    ..self.content(part, space).await?
                },
                _ => Content::unknown(part.used_bytes(), part.data_free()),
            });
        }
        let shared = innodb && own.iter().any(Option::is_none);
        let facts = self.facts(table, indexes, contents, shared);
        let partitions = self.partition_facts(catalog, &facts);
        Ok(TableFacts {
            page_compressed: holes,
            encrypted: facts.encrypted || own.iter().flatten().any(|space| space.encrypted),
            instant_row_versions: own.iter().flatten().map(|space| space.row_versions).max().unwrap_or(0),
            has_indexed_virtual: indexes.iter().any(|index| covers(index, &virtuals)),
            has_foreign_key: catalog.foreign.contains(&table.name),
            partitions,
            ..facts
        })
    }

    fn facts(&self, table: &Table, indexes: &[Index], contents: Vec<Content>, shared: bool) -> TableFacts {
        let rebuild = Rebuild::ours(self.caps);
        let estimate = sum(contents.iter().map(|content| rebuild.estimate(content)), shared);
        let has = |kind: &str| indexes.iter().any(|index| index.kind.eq_ignore_ascii_case(kind));
        let option = |key: &str| option(&table.create_options, key);
        TableFacts {
            name: table.name.clone(),
            engine: table.engine.clone(),
            row_format: table.row_format.clone(),
            create_options: table.create_options.clone(),
            compressed_kib: option("key_block_size").and_then(|size| size.parse().ok()),
            page_compressed: is_page_compressed(&table.create_options),
            encrypted: option("encryption").is_some_and(|on| on.eq_ignore_ascii_case("y"))
                || option("encrypted").is_some_and(|on| on.eq_ignore_ascii_case("yes")),
            has_fulltext: has("FULLTEXT"),
            has_spatial: has("SPATIAL") || has("RTREE"),
            has_indexed_virtual: false,
            has_primary_key: indexes.iter().any(|index| index.name == "PRIMARY"),
            has_foreign_key: false,
            shared_tablespace: shared,
            instant_row_versions: 0,
            rows: table.rows,
            index_bytes: table.index_bytes,
            rebuilt_bytes: rebuilt(&estimate),
            estimate,
            partitions: Vec::new(),
            contents,
        }
    }

    fn partition_facts(&self, catalog: &Catalog, facts: &TableFacts) -> Vec<PartitionFacts> {
        let Some(partitions) = catalog.partitions.get(&facts.name) else { return Vec::new() };
        let rebuild = Rebuild::ours(self.caps);
        let one = |(partition, content): (&Partition, &Content)| {
            let estimate = sum(std::iter::once(rebuild.estimate(content)), facts.shared_tablespace);
            PartitionFacts {
                name: partition.name.clone(),
                subpartition: partition.subpartition.clone(),
                rows: partition.rows,
                rebuilt_bytes: rebuilt(&estimate),
                estimate,
            }
        };
        partitions.iter().zip(&facts.contents).map(one).collect()
    }
}

fn covers(index: &Index, columns: &[String]) -> bool {
    index.parts.iter().any(|(part, _)| part.as_ref().is_none_or(|part| columns.contains(part)))
}

/// The value of `key=value` in `CREATE_OPTIONS`, quotes of all three kinds taken off.
fn option(options: &str, key: &str) -> Option<String> {
    options.split_whitespace().find_map(|word| {
        let (name, value) = word.split_once('=')?;
        let bare = |text: &str| text.trim_matches(['`', '"', '\'']).to_owned();
        bare(name).eq_ignore_ascii_case(key).then(|| bare(value))
    })
}

/// True if a table's options say that its pages are compressed and holes punched.
pub(crate) fn is_page_compressed(options: &str) -> bool {
    option(options, "compression").is_some_and(|kind| !kind.eq_ignore_ascii_case("none"))
        || option(options, "page_compressed").is_some_and(|on| on != "0")
}

/// The name of a table as facts carry it.
impl TableFacts {
    /// `database.table`.
    pub fn full_name(&self) -> &TableName {
        &self.name
    }
}
