//! What the server's dictionary says of the tables, read in a handful of statements however many tables there are.

use super::{SURVEY_LIMIT, columns::Column, filter::Filter};
use mysql::{Capabilities, Row, Session, SqlError, Version};
use std::collections::HashMap;
use types::TableName;

/// One row of `information_schema.TABLES`.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    pub name: TableName,
    pub engine: String,
    pub row_format: String,
    pub create_options: String,
    pub rows: u64,
    pub data_bytes: u64,
    pub index_bytes: u64,
    pub data_free: u64,
    /// System-versioned (MariaDB): it holds rows that a plain `SELECT` does not show.
    pub versioned: bool,
    /// `database/table` as tablespace names spell it, in the server's filename charset.
    pub encoded: Option<String>,
}

/// One row of `information_schema.PARTITIONS`.
#[derive(Debug, Clone)]
pub(crate) struct Partition {
    pub name: String,
    pub subpartition: Option<String>,
    pub rows: u64,
    pub data_bytes: u64,
    pub index_bytes: u64,
    pub data_free: u64,
    pub encoded: Option<String>,
}

/// One index as the dictionary defines it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Index {
    pub name: String,
    pub kind: String,
    pub unique: bool,
    /// Column and prefix length in characters; a part over an expression has no column.
    pub parts: Vec<(Option<String>, Option<u64>)>,
}

/// Everything about the tables that pass a filter.
#[derive(Debug, Default)]
pub(crate) struct Catalog {
    pub tables: Vec<Table>,
    pub partitions: HashMap<TableName, Vec<Partition>>,
    pub columns: HashMap<TableName, Vec<Column>>,
    pub indexes: HashMap<TableName, Vec<Index>>,
    pub foreign: Vec<TableName>,
}

fn name(row: &Row) -> TableName {
    TableName::new(row.text("TABLE_SCHEMA").unwrap_or_default(), row.text("TABLE_NAME").unwrap_or_default())
}

/// Columns that spell names the way tablespaces do. MySQL 8 dropped the charset and spells tablespaces in clear.
fn encoded(caps: &Capabilities, columns: &[(&str, &str)]) -> String {
    if !caps.is_mariadb() && caps.version >= Version(8, 0, 0) {
        return String::new();
    }
    let part =
        |(column, alias): &(&str, &str)| format!(", CAST(CONVERT({column} USING filename) AS BINARY) AS {alias}");
    columns.iter().map(part).collect()
}

impl Catalog {
    /// Reads it. On MySQL 8 the session stops using cached statistics (session scope, allowed on read-only servers).
    pub async fn read(session: &mut Session, caps: &Capabilities, filter: &Filter) -> Result<Self, SqlError> {
        uncached(session).await?;
        let condition = filter.condition();
        let mut catalog = Self::default();
        catalog.read_tables(session, caps, &condition).await?;
        catalog.read_partitions(session, caps, &condition).await?;
        catalog.read_columns(session, &condition).await?;
        catalog.read_indexes(session, &condition).await?;
        catalog.read_foreign(session, &condition).await?;
        Ok(catalog)
    }

    async fn read_tables(&mut self, session: &mut Session, caps: &Capabilities, only: &str) -> Result<(), SqlError> {
        let names = encoded(caps, &[("TABLE_SCHEMA", "encoded_schema"), ("TABLE_NAME", "encoded_table")]);
        let ask = format!(
            "SELECT TABLE_SCHEMA, TABLE_NAME, ENGINE, ROW_FORMAT, CREATE_OPTIONS, TABLE_ROWS, \
             DATA_LENGTH, INDEX_LENGTH, DATA_FREE, TABLE_TYPE{names} FROM information_schema.TABLES \
             WHERE TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED') AND {only}"
        );
        self.tables = session.rows_within(SURVEY_LIMIT, &ask).await?.iter().map(table).collect();
        Ok(())
    }

    async fn read_partitions(
        &mut self,
        session: &mut Session,
        caps: &Capabilities,
        only: &str,
    ) -> Result<(), SqlError> {
        if !self.tables.iter().any(|table| table.create_options.contains("partitioned")) {
            return Ok(());
        }
        let names = encoded(caps, &[("PARTITION_NAME", "encoded_part"), ("SUBPARTITION_NAME", "encoded_sub")]);
        let ask = format!(
            "SELECT TABLE_SCHEMA, TABLE_NAME, PARTITION_NAME, SUBPARTITION_NAME, TABLE_ROWS, DATA_LENGTH, INDEX_LENGTH, \
             DATA_FREE{names} FROM information_schema.PARTITIONS WHERE PARTITION_NAME IS NOT NULL AND {only} \
             ORDER BY TABLE_SCHEMA, TABLE_NAME, PARTITION_ORDINAL_POSITION, SUBPARTITION_ORDINAL_POSITION"
        );
        for row in session.rows_within(SURVEY_LIMIT, &ask).await? {
            self.partitions.entry(name(&row)).or_default().push(partition(&row));
        }
        Ok(())
    }

    async fn read_columns(&mut self, session: &mut Session, only: &str) -> Result<(), SqlError> {
        let ask = format!(
            "SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, IS_NULLABLE, DATA_TYPE, COLUMN_TYPE, \
             CHARACTER_MAXIMUM_LENGTH, CHARACTER_OCTET_LENGTH, NUMERIC_PRECISION, NUMERIC_SCALE, DATETIME_PRECISION, \
             EXTRA FROM information_schema.COLUMNS WHERE {only} ORDER BY TABLE_SCHEMA, TABLE_NAME, ORDINAL_POSITION"
        );
        for row in session.rows_within(SURVEY_LIMIT, &ask).await? {
            self.columns.entry(name(&row)).or_default().push(Column::read(&row));
        }
        Ok(())
    }

    async fn read_indexes(&mut self, session: &mut Session, only: &str) -> Result<(), SqlError> {
        let ask = format!(
            "SELECT TABLE_SCHEMA, TABLE_NAME, INDEX_NAME, NON_UNIQUE, INDEX_TYPE, COLUMN_NAME, SUB_PART \
             FROM information_schema.STATISTICS WHERE {only} \
             ORDER BY TABLE_SCHEMA, TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX"
        );
        for row in session.rows_within(SURVEY_LIMIT, &ask).await? {
            let indexes = self.indexes.entry(name(&row)).or_default();
            let part = (row.text("COLUMN_NAME"), row.parse("SUB_PART"));
            let index = row.text("INDEX_NAME").unwrap_or_default();
            match indexes.last_mut().filter(|last| last.name == index) {
                Some(last) => last.parts.push(part),
                None => indexes.push(Index {
                    name: index,
                    kind: row.text("INDEX_TYPE").unwrap_or_default(),
                    unique: row.flag("NON_UNIQUE") == Some(false),
                    parts: vec![part],
                }),
            }
        }
        Ok(())
    }

    async fn read_foreign(&mut self, session: &mut Session, only: &str) -> Result<(), SqlError> {
        let ask = format!(
            "SELECT TABLE_SCHEMA, TABLE_NAME, REFERENCED_TABLE_SCHEMA, REFERENCED_TABLE_NAME \
             FROM information_schema.KEY_COLUMN_USAGE WHERE REFERENCED_TABLE_NAME IS NOT NULL AND {only}"
        );
        for row in session.rows_within(SURVEY_LIMIT, &ask).await? {
            self.foreign.push(name(&row));
            let (database, table) = (row.text("REFERENCED_TABLE_SCHEMA"), row.text("REFERENCED_TABLE_NAME"));
            self.foreign.push(TableName::new(database.unwrap_or_default(), table.unwrap_or_default()));
        }
        Ok(())
    }
}

/// MySQL 8 answers table statistics from a cache a day old unless told not to; others do not know the variable.
pub(crate) async fn uncached(session: &mut Session) -> Result<(), SqlError> {
    match session.run("SET SESSION information_schema_stats_expiry = 0").await {
        Err(error) if !error.is_unknown_statement() => Err(error),
        _ => Ok(()),
    }
}

fn table(row: &Row) -> Table {
    let both = row.text("encoded_schema").zip(row.text("encoded_table"));
    Table {
        name: name(row),
        engine: row.text("ENGINE").unwrap_or_default(),
        row_format: row.text("ROW_FORMAT").unwrap_or_default(),
        create_options: row.text("CREATE_OPTIONS").unwrap_or_default(),
        rows: row.parse("TABLE_ROWS").unwrap_or_default(),
        data_bytes: row.parse("DATA_LENGTH").unwrap_or_default(),
        index_bytes: row.parse("INDEX_LENGTH").unwrap_or_default(),
        data_free: row.parse("DATA_FREE").unwrap_or_default(),
        versioned: row.text("TABLE_TYPE").is_some_and(|kind| kind == "SYSTEM VERSIONED"),
        encoded: both.map(|(database, table)| format!("{database}/{table}")),
    }
}

fn partition(row: &Row) -> Partition {
    let sub = row.text("encoded_sub").map(|sub| format!("#SP#{sub}")).unwrap_or_default();
    Partition {
        name: row.text("PARTITION_NAME").unwrap_or_default(),
        subpartition: row.text("SUBPARTITION_NAME"),
        rows: row.parse("TABLE_ROWS").unwrap_or_default(),
        data_bytes: row.parse("DATA_LENGTH").unwrap_or_default(),
        index_bytes: row.parse("INDEX_LENGTH").unwrap_or_default(),
        data_free: row.parse("DATA_FREE").unwrap_or_default(),
        encoded: row.text("encoded_part").map(|part| format!("#P#{part}{sub}")),
    }
}
