//! Frames: a length, a check, then what is said. Four bytes each, little-endian; the check is CRC-32C.

use super::AnyStream;
use bytes::{Buf, BufMut, Bytes, BytesMut};
use std::io;
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf};

/// Bytes of a frame's content, at most: an append of the largest kind and what goes with it.
const LARGEST: usize = 48 << 20;
const HEAD: usize = 8;
/// Bytes read at once, at least.
const CHUNK: usize = 64 << 10;
/// Bytes that are gathered before they are sent.
const GATHERED: usize = 1 << 20;

/// The side frames come from.
pub struct Inlet {
    from: ReadHalf<AnyStream>,
    buffer: BytesMut,
}

/// The side frames go to. Nothing is sent before [`Outlet::flush`], unless it is much.
pub struct Outlet {
    to: WriteHalf<AnyStream>,
    buffer: BytesMut,
}

/// The two sides of a connection.
pub fn split(stream: AnyStream) -> (Inlet, Outlet) {
    let (from, to) = tokio::io::split(stream);
    (Inlet { from, buffer: BytesMut::with_capacity(CHUNK) }, Outlet { to, buffer: BytesMut::with_capacity(CHUNK) })
}

fn odd(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

impl Inlet {
    /// The next frame; `None` where the other side ended between two of them.
    pub async fn next(&mut self) -> io::Result<Option<Bytes>> {
        loop {
            if let Some(frame) = self.whole()? {
                return Ok(Some(frame));
            }
            self.buffer.reserve(CHUNK);
            if self.from.read_buf(&mut self.buffer).await? == 0 {
                return if self.buffer.is_empty() { Ok(None) } else { Err(odd("the connection ended in mid-frame")) };
            }
        }
    }

    /// A frame that is here already.
    pub fn ready(&mut self) -> io::Result<Option<Bytes>> {
        self.whole()
    }

    fn whole(&mut self) -> io::Result<Option<Bytes>> {
        let Some(head) = self.buffer.first_chunk::<HEAD>() else { return Ok(None) };
        let number = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        let (length, check) = (usize::try_from(number(0)).unwrap_or(usize::MAX), number(4));
        if length > LARGEST {
            return Err(odd("a frame is longer than any may be: the other side speaks another protocol"));
        }
        if self.buffer.len() < HEAD + length {
            self.buffer.reserve(HEAD + length - self.buffer.len());
            return Ok(None);
        }
        self.buffer.advance(HEAD);
        let content = self.buffer.split_to(length).freeze();
        if crc32c::crc32c(&content) == check { Ok(Some(content)) } else { Err(odd("a frame was changed on its way")) }
    }
}

impl Outlet {
    /// Adds a frame to what is sent next.
    pub async fn put(&mut self, content: &[u8]) -> io::Result<()> {
        let length = u32::try_from(content.len()).ok().filter(|_| content.len() <= LARGEST);
        let length = length.ok_or_else(|| odd("a frame would be longer than any may be"))?;
        self.buffer.reserve(HEAD + content.len());
        self.buffer.put_u32_le(length);
        self.buffer.put_u32_le(crc32c::crc32c(content));
        self.buffer.put_slice(content);
        if self.buffer.len() >= GATHERED { self.flush().await } else { Ok(()) }
    }

    /// Sends what was gathered.
    pub async fn flush(&mut self) -> io::Result<()> {
        self.to.write_all_buf(&mut self.buffer).await?;
        self.to.flush().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn passed(contents: &[&[u8]], harm: impl Fn(&mut Vec<u8>)) -> io::Result<Vec<Bytes>> {
        let (here, mut there) = tokio::io::duplex(1 << 20);
        let (inlet, mut outlet) = split(Box::new(here));
        for content in contents {
            outlet.put(content).await.unwrap();
        }
        outlet.flush().await.unwrap();
        drop((inlet, outlet));
        let mut bytes = Vec::new();
        there.read_to_end(&mut bytes).await.unwrap();
        harm(&mut bytes);
        let (mut near, far) = tokio::io::duplex(1 << 20);
        near.write_all(&bytes).await.unwrap();
        drop(near);
        let (mut inlet, _outlet) = split(Box::new(far));
        let mut frames = Vec::new();
        while let Some(frame) = inlet.next().await? {
            frames.push(frame);
        }
        Ok(frames)
    }

    #[tokio::test]
    async fn frames_come_as_they_went() {
        let large = vec![7; 200_000];
        let contents: [&[u8]; 3] = [b"one", b"", &large];
        assert_eq!(passed(&contents, |_| {}).await.unwrap(), contents);
    }

    #[tokio::test]
    async fn what_is_not_whole_is_refused() {
        for (harm, word) in [
            ((|bytes: &mut Vec<u8>| bytes[9] ^= 1) as fn(&mut Vec<u8>), "changed on its way"),
            (|bytes| bytes.truncate(10), "in mid-frame"),
            (|bytes| bytes[3] = 0xff, "another protocol"),
        ] {
            let error = passed(&[b"one"], harm).await.unwrap_err();
            assert!(error.to_string().contains(word), "{error}");
        }
    }
}
