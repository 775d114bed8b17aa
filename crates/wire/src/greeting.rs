//! The first packet of a connection and the client's reply to it.

use crate::read::Reader;
use crate::{Plugin, WireError};

/// Capability bits, as the protocol numbers them.
mod capability {
    pub(super) const LONG_PASSWORD: u32 = 1;
    pub(super) const FOUND_ROWS: u32 = 1 << 1;
    pub(super) const LONG_FLAG: u32 = 1 << 2;
    pub(super) const CONNECT_WITH_DB: u32 = 1 << 3;
    pub(super) const PROTOCOL_41: u32 = 1 << 9;
    pub(super) const TRANSACTIONS: u32 = 1 << 13;
    pub(super) const SECURE_CONNECTION: u32 = 1 << 15;
    pub(super) const PLUGIN_AUTH: u32 = 1 << 19;
    pub(super) const CONNECT_ATTRS: u32 = 1 << 20;
    pub(super) const LENENC_AUTH: u32 = 1 << 21;
    pub(super) const DEPRECATE_EOF: u32 = 1 << 24;
}
use capability::{
    CONNECT_ATTRS, CONNECT_WITH_DB, DEPRECATE_EOF, FOUND_ROWS, LENENC_AUTH, LONG_FLAG, LONG_PASSWORD, PLUGIN_AUTH,
    PROTOCOL_41, SECURE_CONNECTION, TRANSACTIONS,
};

/// What this server can do. No TLS yet, so a request for it is refused before any password is sent.
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
/// `utf8mb4_general_ci`.
pub(crate) const COLLATION: u8 = 45;

/// The greeting. The nonce is 20 bytes without zeros.
pub(crate) fn greeting(version: &str, connection_id: u32, nonce: &[u8; 20], plugin: Plugin) -> Vec<u8> {
    let capabilities = CAPABILITIES.to_le_bytes();
    let mut packet = vec![10];
    packet.extend_from_slice(version.as_bytes());
    packet.push(0);
    packet.extend_from_slice(&connection_id.to_le_bytes());
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
    packet.extend_from_slice(plugin.name().as_bytes());
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
    pub deprecate_eof: bool,
}

/// Length of the packet that asks for TLS instead of replying.
const TLS_REQUEST: usize = 32;

/// Reads the reply.
pub(crate) fn reply(packet: &[u8]) -> Result<Reply, WireError> {
    if packet.len() == TLS_REQUEST {
        return Err(WireError::Login("it asked for TLS, which this server does not offer"));
    }
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
        (false, true) => {
            let length = usize::from(reader.u8()?);
            reader.take(length)?.to_vec()
        }
        (false, false) => reader.text()?.into_bytes(),
    };
    let database = if has(CONNECT_WITH_DB) { Some(reader.text()?) } else { None };
    let plugin = if has(PLUGIN_AUTH) { Plugin::of(reader.text()?.as_bytes()) } else { None };
    let database = database.filter(|name| !name.is_empty());
    Ok(Reply { user, database, token, plugin, deprecate_eof: has(DEPRECATE_EOF) })
}
