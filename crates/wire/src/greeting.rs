//! The first packet of a connection and the client's reply to it.

use crate::column::COLLATION;
use crate::read::Reader;
use crate::{Plugin, Settings, WireError};

/// Capability bits, as the protocol numbers them.
mod capability {
    pub(super) const LONG_PASSWORD: u32 = 1;
    pub(super) const FOUND_ROWS: u32 = 1 << 1;
    pub(super) const LONG_FLAG: u32 = 1 << 2;
    pub(super) const CONNECT_WITH_DB: u32 = 1 << 3;
    pub(super) const PROTOCOL_41: u32 = 1 << 9;
    pub(super) const TLS: u32 = 1 << 11;
    pub(super) const TRANSACTIONS: u32 = 1 << 13;
    pub(super) const SECURE_CONNECTION: u32 = 1 << 15;
    pub(super) const PLUGIN_AUTH: u32 = 1 << 19;
    pub(super) const CONNECT_ATTRS: u32 = 1 << 20;
    pub(super) const LENENC_AUTH: u32 = 1 << 21;
    pub(super) const DEPRECATE_EOF: u32 = 1 << 24;
}
use capability::{
    CONNECT_ATTRS, CONNECT_WITH_DB, DEPRECATE_EOF, FOUND_ROWS, LENENC_AUTH, LONG_FLAG, LONG_PASSWORD, PLUGIN_AUTH,
    PROTOCOL_41, SECURE_CONNECTION, TLS, TRANSACTIONS,
};

/// What this server can do, and with a certificate [`TLS`] too.
const CAPABILITIES: u32 = LONG_PASSWORD
    | FOUND_ROWS
    | LONG_FLAG
    | CONNECT_WITH_DB
    | PROTOCOL_41
    | TRANSACTIONS
    | SECURE_CONNECTION
    | PLUGIN_AUTH
    | CONNECT_ATTRS
    | LENENC_AUTH
    | DEPRECATE_EOF;

/// `SERVER_STATUS_AUTOCOMMIT`: all we ever say of the session's state.
pub(crate) const STATUS: [u8; 2] = [2, 0];

/// The greeting. The nonce is 20 bytes without zeros.
pub(crate) fn greeting(settings: &Settings, nonce: &[u8; 20]) -> Vec<u8> {
    let tls = if settings.tls.is_some() { TLS } else { 0 };
    let capabilities = (CAPABILITIES | tls).to_le_bytes();
    let mut packet = vec![10];
    packet.extend_from_slice(settings.version.as_bytes());
    packet.push(0);
    packet.extend_from_slice(&settings.connection_id.to_le_bytes());
    packet.extend_from_slice(&nonce[..8]);
    packet.push(0);
    packet.extend_from_slice(&capabilities[..2]);
    packet.push(COLLATION);
    packet.extend_from_slice(&STATUS);
    packet.extend_from_slice(&capabilities[2..]);
    // The nonce and the zero that ends it.
    packet.push(21);
    packet.extend_from_slice(&[0; 10]);
    packet.extend_from_slice(&nonce[8..]);
    packet.push(0);
    packet.extend_from_slice(settings.plugin.name().as_bytes());
    packet.push(0);
    packet
}

/// What the client replied.
#[derive(Debug)]
pub(crate) struct Reply {
    pub user: String,
    pub database: Option<String>,
    pub token: Vec<u8>,
    pub plugin: Option<Plugin>,
    pub flags: u32,
}

/// Length of the packet that asks for TLS instead of replying.
const TLS_REQUEST: usize = 32;

/// Whether the packet asks for TLS; the reply then comes once more, encrypted.
pub(crate) fn asks_for_tls(packet: &[u8]) -> bool {
    packet.len() == TLS_REQUEST
}

/// Whether a client with these flags takes no EOF any more.
pub(crate) fn deprecates_eof(flags: u32) -> bool {
    flags & DEPRECATE_EOF != 0
}

/// Reads the reply.
pub(crate) fn reply(packet: &[u8]) -> Result<Reply, WireError> {
    let mut reader = Reader::new(packet);
    let flags = reader.u32()? & CAPABILITIES;
    let has = |bit: u32| flags & bit != 0;
    if !has(PROTOCOL_41) {
        return Err(WireError::Protocol("a client older than MySQL 4.1"));
    }
    // Packet limit, collation, filler.
    reader.take(4 + 1 + 23)?;
    let user = reader.text()?;
    let token = match (has(LENENC_AUTH), has(SECURE_CONNECTION)) {
        (true, _) => reader.counted()?.to_vec(),
        (false, true) => short_token(&mut reader)?,
        (false, false) => reader.text()?.into_bytes(),
    };
    let database = if has(CONNECT_WITH_DB) { Some(reader.text()?) } else { None };
    let plugin = plugin(&mut reader, flags)?;
    Ok(Reply { user, database: database.filter(|name| !name.is_empty()), token, plugin, flags })
}

/// Reads what follows a wish to be somebody else; the flags are those of the first reply.
pub(crate) fn change(rest: &[u8], flags: u32) -> Result<Reply, WireError> {
    let mut reader = Reader::new(rest);
    let (user, token) = (reader.text()?, short_token(&mut reader)?);
    let database = Some(reader.text()?).filter(|name| !name.is_empty());
    if reader.is_empty() {
        return Ok(Reply { user, database, token, plugin: None, flags });
    }
    // The collation.
    reader.take(2)?;
    let plugin = plugin(&mut reader, flags)?;
    Ok(Reply { user, database, token, plugin, flags })
}

fn short_token(reader: &mut Reader<'_>) -> Result<Vec<u8>, WireError> {
    let length = usize::from(reader.u8()?);
    Ok(reader.take(length)?.to_vec())
}

fn plugin(reader: &mut Reader<'_>, flags: u32) -> Result<Option<Plugin>, WireError> {
    if flags & PLUGIN_AUTH == 0 { Ok(None) } else { Ok(Plugin::of(reader.text()?.as_bytes())) }
}
