//! The first bytes of a segment: whose it is.

/// Bytes of a segment before its first record.
pub(crate) const SIZE: usize = 64;
const MAGIC: [u8; 8] = *b"ddlog001";

/// Whose segment a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    /// Of the cluster that made it.
    pub cluster: u128,
    /// The log.
    pub shard: u64,
    /// The member's copy of it.
    pub replica: u64,
    /// Counts the segments of a replica; the next one is one higher.
    pub number: u64,
    /// Tells its records from those of the file's earlier life.
    pub salt: u16,
}

impl Header {
    pub(crate) fn bytes(&self) -> [u8; SIZE] {
        let mut bytes = [0; SIZE];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..24].copy_from_slice(&self.cluster.to_le_bytes());
        for (at, number) in [(24, self.shard), (32, self.replica), (40, self.number)] {
            bytes[at..at + 8].copy_from_slice(&number.to_le_bytes());
        }
        bytes[48..50].copy_from_slice(&self.salt.to_le_bytes());
        let crc = crc32c::crc32c(&bytes[..60]);
        bytes[60..].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// `None` if these are not the first bytes of a segment.
    pub(crate) fn read(bytes: &[u8]) -> Option<Header> {
        let bytes: &[u8; SIZE] = bytes.get(..SIZE)?.try_into().ok()?;
        let crc = u32::from_le_bytes(bytes[60..].try_into().ok()?);
        let number = |at: usize| bytes[at..at + 8].try_into().map(u64::from_le_bytes);
        (bytes[..8] == MAGIC && crc32c::crc32c(&bytes[..60]) == crc).then_some(())?;
        Some(Header {
            cluster: u128::from_le_bytes(bytes[8..24].try_into().ok()?),
            shard: number(24).ok()?,
            replica: number(32).ok()?,
            number: number(40).ok()?,
            salt: u16::from_le_bytes(bytes[48..50].try_into().ok()?),
        })
    }
}
