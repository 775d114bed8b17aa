//! Frames: three bytes of length, one of sequence, the payload; 16 MiB - 1 and more go in several.

use crate::WireError;
use crate::transport::Transport;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// A full frame; one more follows it, an empty one if nothing is left.
const FULL: usize = 0xFF_FFFF;

/// A stream cut into packets, which keeps the sequence numbers.
pub(crate) struct Frames<S> {
    stream: S,
    sequence: u8,
    limit: usize,
    pending: Vec<u8>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Frames<S> {
    /// Packets of at most `limit` bytes from the client.
    pub(crate) fn new(stream: S, limit: usize) -> Self {
        Self { stream, sequence: 0, limit, pending: Vec::new() }
    }

    /// Other limits from here on, once it is known who is at the other end.
    pub(crate) fn allow(&mut self, limit: usize) {
        self.limit = limit;
    }

    /// A new command begins a new count.
    pub(crate) fn restart(&mut self) {
        self.sequence = 0;
    }

    /// The next packet; `None` if the client hung up between packets.
    pub(crate) async fn read(&mut self) -> Result<Option<Vec<u8>>, WireError> {
        let mut payload = Vec::new();
        loop {
            let mut head = [0; 4];
            if let Err(error) = self.stream.read_exact(&mut head).await {
                let hung_up = error.kind() == std::io::ErrorKind::UnexpectedEof && payload.is_empty();
                return if hung_up { Ok(None) } else { Err(error.into()) };
            }
            if head[3] != self.sequence {
                return Err(WireError::Protocol("packets out of order"));
            }
            self.sequence = self.sequence.wrapping_add(1);
            let length = usize::from(head[0]) | usize::from(head[1]) << 8 | usize::from(head[2]) << 16;
            if payload.len() + length > self.limit {
                return Err(WireError::TooLarge { limit: self.limit });
            }
            // Grows with what comes, not with what is announced: four bytes must not cost 16 MiB.
            let came = (&mut self.stream).take(length as u64).read_to_end(&mut payload).await?;
            if came < length {
                return Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof).into());
            }
            if length < FULL {
                return Ok(Some(payload));
            }
        }
    }

    /// Queues a packet; [`Frames::flush`] sends all that is queued.
    pub(crate) fn write(&mut self, payload: &[u8]) {
        for chunk in payload.chunks(FULL) {
            self.frame(chunk);
        }
        if payload.len().is_multiple_of(FULL) {
            self.frame(&[]);
        }
    }

    fn frame(&mut self, chunk: &[u8]) {
        let length = u32::try_from(chunk.len()).unwrap_or(0).to_le_bytes();
        self.pending.extend_from_slice(&length[..3]);
        self.pending.push(self.sequence);
        self.pending.extend_from_slice(chunk);
        self.sequence = self.sequence.wrapping_add(1);
    }

    /// Sends what is queued.
    pub(crate) async fn flush(&mut self) -> Result<(), WireError> {
        self.stream.write_all(&self.pending).await?;
        self.stream.flush().await?;
        self.pending.clear();
        Ok(())
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Frames<Transport<S>> {
    /// Goes on over TLS; the sequence goes on too. Nothing was read ahead, so nobody can slip a command in before the encryption.
    pub(crate) async fn encrypt(self, config: Arc<rustls::ServerConfig>) -> Result<Self, WireError> {
        let Self { stream, sequence, limit, pending } = self;
        Ok(Self { stream: stream.encrypt(config).await?, sequence, limit, pending })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn long_packets_are_split_and_joined() {
        for length in [0, 1, FULL - 1, FULL, FULL + 1] {
            let (ours, theirs) = tokio::io::duplex(1 << 16);
            let (mut sender, mut receiver) = (Frames::new(ours, 64), Frames::new(theirs, 1 << 26));
            let sent = vec![7; length];
            sender.write(&sent);
            let (written, got) = tokio::join!(sender.flush(), receiver.read());
            written.unwrap();
            assert_eq!(got.unwrap().unwrap(), sent, "{length}");
        }
    }

    #[tokio::test]
    async fn a_packet_beyond_the_limit_is_refused_before_it_is_read() {
        let (mut ours, theirs) = tokio::io::duplex(64);
        let mut receiver = Frames::new(theirs, 100);
        ours.write_all(&[101, 0, 0, 0]).await.unwrap();
        assert!(matches!(receiver.read().await, Err(WireError::TooLarge { limit: 100 })));
    }
}
