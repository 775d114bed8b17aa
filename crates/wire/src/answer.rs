//! What a server answers: done, rows, or an error.

use crate::greeting::{COLLATION, STATUS};

/// The answer to one statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Done, without rows.
    Done {
        /// How many rows it changed.
        affected: u64,
    },
    /// Rows.
    Rows(Rows),
    /// Refused.
    Error(ErrorAnswer),
}

/// Text rows: every value as text, `None` for NULL.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rows {
    /// Column names.
    pub columns: Vec<String>,
    /// Values, each row as long as `columns`.
    pub rows: Vec<Vec<Option<String>>>,
}

/// An error as clients know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorAnswer {
    /// Error number, such as 1064.
    pub code: u16,
    /// Five characters, such as `42000`.
    pub state: String,
    /// Words.
    pub message: String,
}

impl Answer {
    /// An error.
    pub fn error(code: u16, state: &str, message: impl Into<String>) -> Self {
        Self::Error(ErrorAnswer { code, state: state.to_owned(), message: message.into() })
    }

    /// Its packets, in order.
    pub(crate) fn packets(&self, deprecate_eof: bool) -> Vec<Vec<u8>> {
        match self {
            Self::Done { affected } => vec![done(0x00, *affected)],
            Self::Error(error) => vec![error.packet()],
            Self::Rows(rows) => rows.packets(deprecate_eof),
        }
    }
}

/// An OK packet; with header 0xFE it ends rows for clients that take EOF no more.
fn done(header: u8, affected: u64) -> Vec<u8> {
    let mut packet = vec![header];
    length(&mut packet, affected);
    packet.push(0);
    packet.extend_from_slice(&STATUS);
    packet.extend_from_slice(&[0, 0]);
    packet
}

fn eof() -> Vec<u8> {
    vec![0xFE, 0, 0, STATUS[0], STATUS[1]]
}

/// A length-encoded number.
fn length(packet: &mut Vec<u8>, number: u64) {
    let bytes = number.to_le_bytes();
    let (head, width) = match number {
        0..=250 => return packet.push(bytes[0]),
        251..=0xFFFF => (0xFC, 2),
        0x1_0000..=0xFF_FFFF => (0xFD, 3),
        _ => (0xFE, 8),
    };
    packet.push(head);
    packet.extend_from_slice(&bytes[..width]);
}

impl ErrorAnswer {
    fn packet(&self) -> Vec<u8> {
        let mut packet = vec![0xFF];
        packet.extend_from_slice(&self.code.to_le_bytes());
        packet.push(b'#');
        packet.extend(self.state.bytes().chain(*b"00000").take(5));
        packet.extend_from_slice(self.message.as_bytes());
        packet
    }
}

impl Rows {
    /// Rows from their parts.
    pub fn new(columns: &[&str], rows: Vec<Vec<Option<String>>>) -> Self {
        Self { columns: columns.iter().map(|name| (*name).to_owned()).collect(), rows }
    }

    fn packets(&self, deprecate_eof: bool) -> Vec<Vec<u8>> {
        let mut count = Vec::new();
        length(&mut count, self.columns.len() as u64);
        let mut packets = vec![count];
        packets.extend(self.columns.iter().map(|name| definition(name)));
        if !deprecate_eof {
            packets.push(eof());
        }
        packets.extend(self.rows.iter().map(|row| text_row(row)));
        packets.push(if deprecate_eof { done(0xFE, 0) } else { eof() });
        packets
    }
}

/// `MYSQL_TYPE_VAR_STRING`: every value goes as text.
const VAR_STRING: u8 = 0xFD;

/// Catalog, database, table, original table, name, original name; then twelve bytes of fixed fields.
fn definition(name: &str) -> Vec<u8> {
    let mut packet = Vec::new();
    for part in ["def", "", "", "", name, ""] {
        length(&mut packet, part.len() as u64);
        packet.extend_from_slice(part.as_bytes());
    }
    packet.extend_from_slice(&[12, COLLATION, 0, 0, 4, 0, 0, VAR_STRING, 0, 0, 0, 0, 0]);
    packet
}

fn text_row(row: &[Option<String>]) -> Vec<u8> {
    let mut packet = Vec::new();
    for value in row {
        match value {
            None => packet.push(0xFB),
            Some(text) => {
                length(&mut packet, text.len() as u64);
                packet.extend_from_slice(text.as_bytes());
            }
        }
    }
    packet
}
