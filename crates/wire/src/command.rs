//! Commands as clients send them.

use crate::WireError;
use crate::read::Reader;

/// One request of a client that is logged in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Goodbye.
    Quit,
    /// Use a database.
    InitDb(String),
    /// A statement; bytes that are not UTF-8 are replaced.
    Query(String),
    /// Are you there.
    Ping,
    /// Log in anew on the same connection; the rest of the packet.
    ChangeUser(Vec<u8>),
    /// Keep a statement with placeholders.
    Prepare(String),
    /// Run a kept statement with values; the rest of the packet.
    Execute(Vec<u8>),
    /// A piece of one value, ahead of the run.
    LongData {
        /// The kept statement.
        statement: u32,
        /// Place of the value.
        parameter: u16,
        /// The piece.
        piece: Vec<u8>,
    },
    /// Forget a kept statement.
    Close(u32),
    /// Forget the pieces sent for a kept statement.
    Reset(u32),
    /// Forget the session's state.
    ResetConnection,
    /// Several statements at once, or not.
    SetOption,
    /// A command this server does not know, by its number.
    Unknown(u8),
}

impl Command {
    /// Reads a packet.
    pub(crate) fn read(packet: &[u8]) -> Result<Self, WireError> {
        let Some((number, rest)) = packet.split_first() else { return Err(WireError::Protocol("an empty command")) };
        let text = || String::from_utf8_lossy(rest).into_owned();
        Ok(match number {
            0x01 => Self::Quit,
            0x02 => Self::InitDb(text()),
            0x03 => Self::Query(text()),
            0x0e => Self::Ping,
            0x11 => Self::ChangeUser(rest.to_vec()),
            0x16 => Self::Prepare(text()),
            0x17 => Self::Execute(rest.to_vec()),
            0x18 => Self::long_data(rest)?,
            0x19 => Self::Close(Reader::new(rest).u32()?),
            0x1a => Self::Reset(Reader::new(rest).u32()?),
            0x1b => Self::SetOption,
            0x1f => Self::ResetConnection,
            other => Self::Unknown(*other),
        })
    }

    fn long_data(rest: &[u8]) -> Result<Self, WireError> {
        let mut reader = Reader::new(rest);
        let (statement, parameter) = (reader.u32()?, reader.u16()?);
        Ok(Self::LongData { statement, parameter, piece: reader.rest().to_vec() })
    }
}
