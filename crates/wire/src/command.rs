//! Commands as clients send them.

use crate::WireError;

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
            0x1b => Self::SetOption,
            0x1f => Self::ResetConnection,
            other => Self::Unknown(*other),
        })
    }
}
