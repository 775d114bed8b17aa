//! What is proposed to a shard: one byte that says what it is, then its numbers, then the record.

use bytes::{BufMut, Bytes, BytesMut};
use types::{Epoch, Lsn};

/// Something all members do in the same order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Append a record, if the epoch is the one in force.
    Record(Epoch, Bytes),
    /// End an epoch and all before it.
    Seal(Epoch),
    /// Let go of what lies up to a place.
    Truncate(Lsn),
}

const RECORD: u8 = 1;
const SEAL: u8 = 2;
const TRUNCATE: u8 = 3;
/// Bytes in front of a record.
const HEAD: usize = 9;

impl Command {
    /// As it is proposed.
    pub fn bytes(&self) -> Bytes {
        let (tag, number, payload) = match self {
            Command::Record(epoch, payload) => (RECORD, epoch.0, payload.as_ref()),
            Command::Seal(epoch) => (SEAL, epoch.0, [].as_slice()),
            Command::Truncate(through) => (TRUNCATE, through.0, [].as_slice()),
        };
        let mut bytes = BytesMut::with_capacity(HEAD + payload.len());
        bytes.put_u8(tag);
        bytes.put_u64_le(number);
        bytes.put_slice(payload);
        bytes.freeze()
    }

    /// `None` for what no version of this program proposed.
    pub fn read(bytes: &Bytes) -> Option<Command> {
        let number = u64::from_le_bytes(bytes.get(1..HEAD)?.try_into().ok()?);
        match bytes[0] {
            RECORD => Some(Command::Record(Epoch(number), bytes.slice(HEAD..))),
            SEAL if bytes.len() == HEAD => Some(Command::Seal(Epoch(number))),
            TRUNCATE if bytes.len() == HEAD => Some(Command::Truncate(Lsn(number))),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_read_as_it_was_written() {
        let record = Command::Record(Epoch(7), Bytes::from_static(b"a record"));
        for command in
            [record, Command::Record(Epoch(0), Bytes::new()), Command::Seal(Epoch(3)), Command::Truncate(Lsn(9))]
        {
            assert_eq!(Command::read(&command.bytes()), Some(command));
        }
        for odd in [&b""[..], b"\x01", b"\x09\0\0\0\0\0\0\0\0", b"\x02\0\0\0\0\0\0\0\0x"] {
            assert_eq!(Command::read(&Bytes::copy_from_slice(odd)), None);
        }
    }
}
