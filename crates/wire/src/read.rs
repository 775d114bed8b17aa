//! Reads the protocol's integers and texts out of a packet; a short packet is an error, never a panic.

use crate::WireError;

/// A packet and how much of it is read.
pub(crate) struct Reader<'a>(&'a [u8]);

const SHORT: WireError = WireError::Protocol("a packet shorter than it says");

impl<'a> Reader<'a> {
    pub(crate) fn new(packet: &'a [u8]) -> Self {
        Self(packet)
    }

    /// The next `count` bytes.
    pub(crate) fn take(&mut self, count: usize) -> Result<&'a [u8], WireError> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(SHORT)?;
        self.0 = rest;
        Ok(taken)
    }

    /// One byte.
    pub(crate) fn u8(&mut self) -> Result<u8, WireError> {
        Ok(self.take(1)?[0])
    }

    /// A number of two bytes, lowest first.
    pub(crate) fn u16(&mut self) -> Result<u16, WireError> {
        let bytes = self.take(2)?;
        Ok(u16::from_le_bytes([bytes[0], bytes[1]]))
    }

    /// A number of four bytes, lowest first.
    pub(crate) fn u32(&mut self) -> Result<u32, WireError> {
        let bytes = self.take(4)?;
        Ok(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }

    /// A number of up to eight bytes, lowest first.
    pub(crate) fn number(&mut self, width: usize) -> Result<u64, WireError> {
        Ok(self.take(width)?.iter().rev().fold(0_u64, |number, byte| number << 8 | u64::from(*byte)))
    }

    /// What is not read yet.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.0
    }

    /// Whether all is read.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Bytes after a length-encoded count of them.
    pub(crate) fn counted(&mut self) -> Result<&'a [u8], WireError> {
        let length = match self.u8()? {
            short @ 0..=250 => u64::from(short),
            0xFC => self.number(2)?,
            0xFD => self.number(3)?,
            0xFE => self.number(8)?,
            _ => return Err(WireError::Protocol("a length that is none")),
        };
        self.take(usize::try_from(length).map_err(|_| SHORT)?)
    }

    /// Text up to a zero byte or the end.
    pub(crate) fn text(&mut self) -> Result<String, WireError> {
        let end = self.0.iter().position(|byte| *byte == 0);
        let bytes = self.take(end.unwrap_or(self.0.len()))?;
        if end.is_some() {
            self.take(1)?;
        }
        Ok(String::from_utf8_lossy(bytes).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn counts_of_every_width_are_read() {
        let mut reader = Reader::new(&[2, b'a', b'b', 0xFC, 1, 0, b'c', b'd', 0, b'e']);
        assert_eq!(reader.counted().unwrap(), b"ab");
        assert_eq!(reader.counted().unwrap(), b"c");
        assert_eq!((reader.text().unwrap(), reader.text().unwrap()), ("d".to_owned(), "e".to_owned()));
        assert!(reader.u8().is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..80), kind in any::<u8>()) {
            let _ = crate::greeting::reply(&bytes);
            let _ = crate::greeting::change(&bytes, u32::MAX);
            let _ = crate::Command::read(&bytes);
            let _ = crate::Value::read(&mut Reader::new(&bytes), (kind, bytes.len().is_multiple_of(2)));
        }
    }
}
