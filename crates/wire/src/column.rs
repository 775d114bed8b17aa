//! What a column is called and what kind of value it holds, as clients are told.

/// Kind of a column's values. Every value is kept as text; the kind says how binary rows carry it and how clients align it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ColumnKind {
    /// `VARCHAR`.
    #[default]
    Text,
    /// `INT` by name. Its values may need 64 bits all the same, so binary rows carry it as `BIGINT`.
    Long,
    /// `BIGINT`.
    LongLong,
}

/// A column of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub kind: ColumnKind,
}

impl Column {
    /// A column of a kind.
    pub fn new(name: impl Into<String>, kind: ColumnKind) -> Self {
        Self { name: name.into(), kind }
    }
}

impl From<String> for Column {
    fn from(name: String) -> Self {
        Self::new(name, ColumnKind::default())
    }
}

impl From<&str> for Column {
    fn from(name: &str) -> Self {
        name.to_owned().into()
    }
}

/// How rows are written: as text for a statement, in binary for a prepared one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Text,
    Binary,
}

/// `MYSQL_TYPE_LONG`.
const LONG: u8 = 0x03;
/// `MYSQL_TYPE_LONGLONG`.
pub(crate) const LONGLONG: u8 = 0x08;
/// `MYSQL_TYPE_VAR_STRING`.
pub(crate) const VAR_STRING: u8 = 0xFD;
/// `utf8mb4_general_ci`.
pub(crate) const COLLATION: u8 = 45;
/// The collation of numbers: none.
const BINARY: u8 = 63;

impl ColumnKind {
    /// Type, collation and widest value in bytes.
    fn told(self, format: Format) -> (u8, u8, u32) {
        match (self, format) {
            (Self::Text, _) => (VAR_STRING, COLLATION, 1024),
            (Self::Long, Format::Text) => (LONG, BINARY, 11),
            (Self::Long | Self::LongLong, _) => (LONGLONG, BINARY, 20),
        }
    }
}

/// Catalog, database, table, original table, name, original name; then twelve bytes of fixed fields.
pub(crate) fn definition(column: &Column, format: Format) -> Vec<u8> {
    let (kind, collation, width) = column.kind.told(format);
    let mut packet = Vec::new();
    for part in ["def", "", "", "", &column.name, ""] {
        crate::write::counted(&mut packet, part.as_bytes());
    }
    packet.extend_from_slice(&[12, collation, 0]);
    packet.extend_from_slice(&width.to_le_bytes());
    packet.extend_from_slice(&[kind, 0, 0, 0, 0, 0]);
    packet
}
