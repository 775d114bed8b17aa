//! What a server answers: done, rows, or an error.

use crate::Rows;
use crate::column::Format;
use crate::greeting::STATUS;
use crate::write::length;

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
        Self::Error(ErrorAnswer::new(code, state, message))
    }

    /// Its packets, in order.
    pub(crate) fn packets(&self, format: Format, deprecate_eof: bool) -> Vec<Vec<u8>> {
        match self {
            Self::Done { affected } => vec![done(0x00, *affected)],
            Self::Error(error) => vec![error.packet()],
            Self::Rows(rows) => rows.packets(format, deprecate_eof),
        }
    }
}

/// An OK packet; with header 0xFE it ends rows for clients that take EOF no more.
pub(crate) fn done(header: u8, affected: u64) -> Vec<u8> {
    let mut packet = vec![header];
    length(&mut packet, affected);
    packet.push(0);
    packet.extend_from_slice(&STATUS);
    packet.extend_from_slice(&[0, 0]);
    packet
}

/// The end of something, for clients that still take EOF.
pub(crate) fn eof() -> Vec<u8> {
    vec![0xFE, 0, 0, STATUS[0], STATUS[1]]
}

impl ErrorAnswer {
    /// From its parts.
    pub fn new(code: u16, state: &str, message: impl Into<String>) -> Self {
        Self { code, state: state.to_owned(), message: message.into() }
    }

    pub(crate) fn packet(&self) -> Vec<u8> {
        let mut packet = vec![0xFF];
        packet.extend_from_slice(&self.code.to_le_bytes());
        packet.push(b'#');
        packet.extend(self.state.bytes().chain(*b"00000").take(5));
        packet.extend_from_slice(self.message.as_bytes());
        packet
    }

    /// Before the greeting nothing is agreed on, the five characters neither.
    pub(crate) fn bare_packet(&self) -> Vec<u8> {
        let mut packet = vec![0xFF];
        packet.extend_from_slice(&self.code.to_le_bytes());
        packet.extend_from_slice(self.message.as_bytes());
        packet
    }
}
