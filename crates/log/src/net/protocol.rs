//! What a client asks a store, and what it is answered. Each travels in a frame, behind the number of its question.

use crate::{Batch, LogError, Positions, Record, Sealed};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use types::{Epoch, Lsn};

/// A question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Request {
    /// Append records to a shard.
    Append(u64, Epoch, Vec<Bytes>),
    /// Read a shard from a place on, at most so many records and bytes.
    Read(u64, Lsn, u64, u64),
    /// Wait until the end of a shard lies behind a place, so many milliseconds at most.
    Tail(u64, Lsn, u64),
    /// Let go of what lies up to a place of a shard.
    Truncate(u64, Lsn),
    /// End an epoch of a shard.
    Seal(u64, Epoch),
    /// Where a shard stands.
    Positions(u64),
    /// Something of the cluster's own, as JSON.
    Control(Bytes),
}

/// What an answer to [`Request::Read`] carries of a record.
type Carried = (Lsn, Epoch, Bytes);

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reply {
    /// A place: of the last record appended, of the end, of what was truncated.
    Lsn(Lsn),
    /// Records, and where to read on.
    Batch(Vec<Carried>, Lsn),
    /// How the epoch ended.
    Sealed(Lsn, Epoch, bool),
    /// Truncated, end, epoch.
    Positions(Lsn, Lsn, Epoch),
    /// As JSON.
    Control(Bytes),
    /// It cannot be.
    Refused(LogError),
    /// Nothing was done here: another store leads, by this address if it is known.
    Elsewhere(Option<String>, String),
}

impl From<Batch> for Reply {
    fn from(batch: Batch) -> Reply {
        Reply::Batch(
            batch.records.into_iter().map(|record| (record.lsn, record.epoch, record.payload)).collect(),
            batch.next,
        )
    }
}

impl From<Sealed> for Reply {
    fn from(sealed: Sealed) -> Reply {
        Reply::Sealed(sealed.end, sealed.epoch, sealed.first)
    }
}

impl From<Positions> for Reply {
    fn from(positions: Positions) -> Reply {
        Reply::Positions(positions.truncated, positions.end, positions.epoch)
    }
}

fn odd(reply: &Reply) -> LogError {
    match reply {
        Reply::Refused(error) => error.clone(),
        other => LogError::Unknown(format!("the answer is to another question: {other:?}")),
    }
}

impl Reply {
    /// A place, if that is what it is.
    pub fn lsn(self) -> Result<Lsn, LogError> {
        if let Reply::Lsn(lsn) = self { Ok(lsn) } else { Err(odd(&self)) }
    }

    /// Records.
    pub fn batch(self) -> Result<Batch, LogError> {
        let Reply::Batch(records, next) = self else { return Err(odd(&self)) };
        let record = |(lsn, epoch, payload)| Record { lsn, epoch, payload };
        Ok(Batch { records: records.into_iter().map(record).collect(), next })
    }

    /// How an epoch ended.
    pub fn sealed(self) -> Result<Sealed, LogError> {
        if let Reply::Sealed(end, epoch, first) = self { Ok(Sealed { end, epoch, first }) } else { Err(odd(&self)) }
    }

    /// Where a log stands.
    pub fn positions(self) -> Result<Positions, LogError> {
        let Reply::Positions(truncated, end, epoch) = self else { return Err(odd(&self)) };
        Ok(Positions { truncated, end, epoch })
    }

    /// JSON.
    pub fn control(self) -> Result<Bytes, LogError> {
        if let Reply::Control(text) = self { Ok(text) } else { Err(odd(&self)) }
    }
}

/// A question or an answer as a frame's content.
pub fn write<T: Serialize>(number: u64, said: &T) -> Vec<u8> {
    // Not `to_extend`: it adds byte by byte.
    postcard::to_allocvec(&(number.to_le_bytes(), said)).unwrap_or_default()
}

/// What a frame's content says; `None` if it is nothing that is ever said.
pub fn read<T: for<'a> Deserialize<'a>>(content: &[u8]) -> Option<(u64, T)> {
    let (number, rest) = content.split_first_chunk::<8>()?;
    Some((u64::from_le_bytes(*number), postcard::from_bytes(rest).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bytes() -> impl Strategy<Value = Bytes> {
        proptest::collection::vec(any::<u8>(), 0..50).prop_map(Bytes::from)
    }

    proptest! {
        #[test]
        fn a_question_is_read_as_it_was_asked(
            number in any::<u64>(),
            (shard, epoch, records) in (any::<u64>(), any::<u64>(), proptest::collection::vec(bytes(), 0..4)),
        ) {
            let asked = Request::Append(shard, Epoch(epoch), records);
            prop_assert_eq!(read(&write(number, &asked)), Some((number, asked)));
        }

        #[test]
        fn an_answer_is_read_as_it_was_given(number in any::<u64>(), lsn in any::<u64>(), payload in bytes()) {
            let batch = Batch { records: vec![Record { lsn: Lsn(lsn), epoch: Epoch(3), payload }], next: Lsn(9) };
            let (back, reply) = read::<Reply>(&write(number, &Reply::from(batch.clone()))).unwrap();
            prop_assert_eq!((back, reply.batch()), (number, Ok(batch)));
        }

        #[test]
        fn no_bytes_do_harm(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let _ = (read::<Request>(&bytes), read::<Reply>(&bytes));
        }
    }

    #[test]
    fn an_error_comes_as_it_went() {
        let refused = Reply::Refused(LogError::Fenced { asked: Epoch(1), current: Epoch(2) });
        let (_, reply) = read::<Reply>(&write(1, &refused)).unwrap();
        assert_eq!(reply.lsn(), Err(LogError::Fenced { asked: Epoch(1), current: Epoch(2) }));
    }
}
