//! A survey: every table that passes a filter, its nature, and what a rebuild would free.

use super::{
    Content, Rebuild, TableFacts,
    access::{FileAccess, resolve},
    budget::Budget,
    catalog::{Catalog, Index, Partition, Table},
    columns::{Column, Width},
    facts::{PartitionFacts, rebuilt, sum},
    filter::Filter,
    record::Shape,
    rows::{Look, Rows},
    sampler::{Sampled, Sampler},
    spaces::{Space, Spaces},
    statistics,
    tablespace::Tablespace,
};
use api::Method;
use mysql::{Capabilities, Session, SqlError};
use runtime::{Clock, Random};
use std::path::{Path, PathBuf};
use types::TableName;

/// Share of the data a survey may read, in thousandths.
const READ_THOUSANDTHS: u64 = 9;
/// A table so small is not worth a page: its file cannot shrink by anything that matters.
const TINY: u64 = 256 << 10;
/// Rows a stretch of the SQL sample should hold.
const STRETCH_ROWS: u64 = 24;

/// What a survey found, and what it cost.
#[derive(Debug, Clone, Default)]
pub struct Survey {
    /// Every table that passed the filter.
    pub tables: Vec<TableFacts>,
    /// Bytes read from data files, in whole blocks.
    pub file_bytes_read: u64,
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
    let catalog = Catalog::read(session, caps, filter).await?;
    let spaces = Spaces::read(session, caps).await?;
    let directory = files.directory(session).await?;
    let dirty_pages = status(session, "Innodb_buffer_pool_pages_dirty").await?;
    let history = history(session, caps).await?;
    let mut surveyor = Surveyor {
        session,
        caps,
        spaces,
        directory,
        dirty_pages,
        history,
        budget: Budget::new(0, 0),
        read: 0,
        asked: 0,
    };
    let survey = surveyor.run(&catalog).await?;
    Ok(Survey { elapsed: clock.since(start), ..survey })
}

struct Surveyor<'a> {
    session: &'a mut Session,
    caps: &'a Capabilities,
    spaces: Spaces,
    directory: Option<PathBuf>,
    dirty_pages: f64,
    history: f64,
    budget: Budget,
    read: u64,
    /// Bytes the server had to look at for rows, at most.
    asked: u64,
}

/// One tablespace of a table: the whole table or a partition.
struct Part<'a> {
    table: &'a Table,
    partition: Option<&'a Partition>,
    shape: Option<&'a Shape>,
}

impl Part<'_> {
    fn rows(&self) -> u64 {
        self.partition.map_or(self.table.rows, |partition| partition.rows)
    }

    fn data_free(&self) -> u64 {
        self.partition.map_or(self.table.data_free, |partition| partition.data_free)
    }

    fn used_bytes(&self) -> u64 {
        let whole = (self.table.data_bytes, self.table.index_bytes);
        let (data, index) = self.partition.map_or(whole, |part| (part.data_bytes, part.index_bytes));
        data + index
    }

    /// Names its tablespace may have: in clear, and in the filename charset.
    fn spellings(&self) -> (String, Option<String>) {
        let name = &self.table.name;
        let (mut plain, mut encoded) = (format!("{}/{}", name.database, name.table), self.table.encoded.clone());
        if let Some(partition) = self.partition {
            plain.push_str("#p#");
            plain.push_str(&partition.name.to_lowercase());
            if let Some(sub) = &partition.subpartition {
                plain.push_str("#sp#");
                plain.push_str(&sub.to_lowercase());
            }
            encoded = encoded.zip(partition.encoded.as_ref()).map(|(table, part)| table + part);
        }
        (plain, encoded)
    }
}

/// One global status number; 0 if there is none.
async fn status(session: &mut Session, name: &str) -> Result<f64, SqlError> {
    let row = session.row(&format!("SHOW GLOBAL STATUS LIKE '{name}'")).await?;
    Ok(row.and_then(|row| row.parse("Value")).unwrap_or(0.0))
}

/// Transactions purge has not passed; 1 where it cannot be known, so that doubt stays.
async fn history(session: &mut Session, caps: &Capabilities) -> Result<f64, SqlError> {
    if caps.is_mariadb() {
        return status(session, "Innodb_history_list_length").await;
    }
    let ask = "SELECT COUNT FROM information_schema.INNODB_METRICS WHERE NAME = 'trx_rseg_history_len'";
    match session.value(ask).await {
        Ok(value) => Ok(value.and_then(|text| text.parse().ok()).unwrap_or(1.0)),
        Err(error) if error.is_unknown_statement() || error.is_denied() => Ok(1.0),
        Err(error) => Err(error),
    }
}

impl Surveyor<'_> {
    async fn run(&mut self, catalog: &Catalog) -> Result<Survey, SqlError> {
        let data: u64 = catalog.tables.iter().map(|table| self.size(catalog, table)).sum();
        self.budget = Budget::new(data, READ_THOUSANDTHS);
        let mut order: Vec<&Table> = catalog.tables.iter().collect();
        // Small ones first: what they leave of their share goes to the large ones, where it counts.
        order.sort_by_key(|table| self.size(catalog, table));
        let mut tables = Vec::new();
        for table in order {
            tables.push(self.table(catalog, table).await?);
        }
        tables.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(Survey { tables, file_bytes_read: self.read, data_bytes: data, elapsed: std::time::Duration::ZERO })
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

    async fn content(&mut self, part: &Part<'_>, space: &Space) -> Result<Content, SqlError> {
        let allowance = self.budget.share(space.file_bytes);
        let before = self.read + self.asked;
        let seen = self.by_pages(part, space, allowance).await;
        let content = match seen {
            Some((content, true)) => content,
            // Not to be trusted: rows by SQL are better, but where none can be afforded a doubtful look beats none.
            doubtful => {
                let rows = self.by_sql(part, space, allowance).await?;
                doubtful.map(|(content, _)| content).filter(|_| rows.method == Method::None).unwrap_or(rows)
            }
        };
        self.budget.spend(space.file_bytes, self.read + self.asked - before);
        Ok(content)
    }

    async fn by_pages(&mut self, part: &Part<'_>, space: &Space, allowance: u64) -> Option<(Content, bool)> {
        if space.encrypted || space.file_bytes < TINY || allowance < super::budget::BLOCK {
            return None;
        }
        let path = resolve(self.directory.as_deref()?, space.path.as_deref()?);
        let (owned, table) = (space.clone(), part.table.name.clone());
        let sampled = tokio::task::spawn_blocking(move || sample(&path, &owned, allowance)).await.ok()?;
        let (sampled, read) = sampled.inspect_err(|doubt| tracing::debug!(%table, "not by its file: {doubt}")).ok()?;
        self.read += read;
        let file_pages = space.file_bytes as f64 / f64::from(space.page_bytes);
        // Pages changed in memory and not yet in the file: what was read of them is old.
        let stale = self.dirty_pages.min(sampled.used_pages as f64) / file_pages;
        // Deleted rows that purge has not taken away look alive on a page; the server's count leaves them out at once.
        let marked = self.history > 0.0 && sampled.records > 1.15 * part.rows() as f64;
        if sampled.unreadable > 0.25 {
            return None;
        }
        let content = Content {
            file_bytes: space.file_bytes,
            data_free_bytes: part.data_free(),
            method: Method::Pages,
            page_bytes: space.page_bytes,
            logical_bytes: space.logical_bytes,
            indexes: sampled.indexes,
            punched_bytes: None,
            doubt: stale
                + sampled.unreadable / 2.0
                + if space.compressed { 0.1 } else { 0.0 }
                + if marked { 0.5 } else { 0.0 },
        };
        Some((content, stale <= 0.05 && !marked))
    }

    async fn by_sql(&mut self, part: &Part<'_>, space: &Space, allowance: u64) -> Result<Content, SqlError> {
        let unknown = Content::unknown(space.file_bytes, part.data_free());
        let stretches = allowance / (2 * u64::from(space.logical_bytes));
        let Some(shape) = part.shape.filter(|_| stretches > 0) else { return Ok(unknown) };
        let look = Look {
            name: &part.table.name,
            partition: part.partition.map(|part| part.subpartition.as_deref().unwrap_or(&part.name)),
            shape,
            versioned: part.table.versioned,
            expected: part.rows() as f64,
            stretches: stretches.min(2000),
            rows: STRETCH_ROWS,
            random: Random::seeded(space.id),
        };
        let rows = match look.run(self.session).await {
            Ok(rows) => rows,
            // One table that cannot be asked (no SELECT, dropped meanwhile, odd type) must not end the survey.
            Err(error @ SqlError::Server { .. }) => {
                tracing::debug!(table = %part.table.name, "no rows: {error}");
                return Ok(unknown);
            }
            Err(error) => return Err(error),
        };
        self.asked += 2 * u64::from(space.logical_bytes) * stretches;
        Ok(assemble(part, space, shape, &rows).unwrap_or(unknown))
    }
}

fn assemble(part: &Part<'_>, space: &Space, shape: &Shape, rows: &Rows) -> Option<Content> {
    let count = statistics::row_count(part.rows() as f64, &rows.totals);
    let pointer = 10.0 + key_bytes(shape);
    let indexes = match statistics::indexes(rows, count, shape.logical_page, pointer) {
        Some(indexes) => indexes,
        None if part.rows() == 0 => Vec::new(),
        None => return None,
    };
    Some(Content {
        file_bytes: space.file_bytes,
        data_free_bytes: part.data_free(),
        method: Method::Sql,
        page_bytes: space.page_bytes,
        logical_bytes: space.logical_bytes,
        indexes,
        punched_bytes: None,
        // How well rows compress cannot be seen from outside.
        doubt: if space.compressed { 0.5 } else { 0.0 },
    })
}

fn key_bytes(shape: &Shape) -> f64 {
    let width = |(at, _): &(usize, Option<u64>)| match shape.columns[*at].width {
        Width::Fixed(width) => width as f64,
        Width::Variable { most, .. } => (most as f64 / 4.0).clamp(8.0, 40.0),
        _ => 16.0,
    };
    shape.key.iter().map(width).sum()
}

fn sample(path: &Path, space: &Space, allowance: u64) -> Result<(Sampled, u64), super::tablespace::Doubt> {
    let mut tablespace = Tablespace::open(path, space)?;
    let sampled = Sampler {
        tablespace: &mut tablespace,
        clustered: &space.indexes,
        logical_page: space.logical_bytes,
        compressed: space.compressed,
        allowance,
        random: Random::seeded(space.id),
    }
    .run()?;
    Ok((sampled, tablespace.read))
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
