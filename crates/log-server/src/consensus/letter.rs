//! A message between members as bytes. Our own form: what raft-rs would use is never given a stranger's bytes to read.
//!
//! All numbers are little-endian; texts and payloads are preceded by their length in four bytes. What does not read as a whole is `None`,
//! whatever is wrong with it.

use super::{Members, Message, members::Sum};
use bytes::{Buf, BufMut, Bytes, BytesMut};
use raft::eraftpb::{Entry, EntryType, MessageType, Snapshot};

/// A message's bytes, behind a number of whoever sends it.
pub fn write(number: u64, message: &Message) -> Bytes {
    let mut out =
        BytesMut::with_capacity(128 + message.entries.iter().map(|entry| entry.data.len() + 40).sum::<usize>());
    out.put_u64_le(number);
    out.put_u8(u8::try_from(message.get_msg_type() as i32).unwrap_or(u8::MAX));
    for number in numbers(message) {
        out.put_u64_le(number);
    }
    out.put_u8(u8::from(message.reject));
    text(&mut out, &message.context);
    out.put_u32_le(u32::try_from(message.entries.len()).unwrap_or(u32::MAX));
    for entry in &message.entries {
        put_entry(&mut out, entry);
    }
    put_snapshot(&mut out, message);
    out.freeze()
}

fn numbers(message: &Message) -> [u64; 10] {
    let priority = u64::from_le_bytes(message.priority.to_le_bytes());
    let Message { to, from, term, log_term, index, commit, commit_term, reject_hint, request_snapshot, .. } = message;
    [*to, *from, *term, *log_term, *index, *commit, *commit_term, *reject_hint, *request_snapshot, priority]
}

fn text(out: &mut BytesMut, bytes: &[u8]) {
    out.put_u32_le(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
    out.put_slice(bytes);
}

fn put_entry(out: &mut BytesMut, entry: &Entry) {
    out.put_u8(u8::try_from(entry.get_entry_type() as i32).unwrap_or(u8::MAX));
    out.put_u64_le(entry.term);
    out.put_u64_le(entry.index);
    text(out, &entry.data);
    text(out, &entry.context);
}

fn put_snapshot(out: &mut BytesMut, message: &Message) {
    let Some(snapshot) = message.snapshot.as_ref() else { return out.put_u8(0) };
    out.put_u8(1);
    let about = snapshot.get_metadata();
    out.put_u64_le(about.index);
    out.put_u64_le(about.term);
    text(out, &serde_json::to_vec(&Members::of(about.get_conf_state())).unwrap_or_default());
    text(out, &snapshot.data);
}

/// Reads a number and a message, to the last byte.
pub fn read(bytes: Bytes) -> Option<(u64, Message)> {
    let mut left = Reader(bytes);
    let (number, mut message) = (left.number()?, Message::default());
    message.set_msg_type(kind(left.byte()?)?);
    message.to = left.number()?;
    message.from = left.number()?;
    message.term = left.number()?;
    message.log_term = left.number()?;
    message.index = left.number()?;
    message.commit = left.number()?;
    message.commit_term = left.number()?;
    message.reject_hint = left.number()?;
    message.request_snapshot = left.number()?;
    message.priority = i64::from_le_bytes(left.number()?.to_le_bytes());
    message.reject = left.flag()?;
    message.context = left.text()?;
    let entries = left.length()?;
    for _ in 0..entries {
        message.mut_entries().push(entry(&mut left)?);
    }
    if left.flag()? {
        message.set_snapshot(snapshot(&mut left)?);
    }
    left.0.is_empty().then_some((number, message))
}

fn entry(left: &mut Reader) -> Option<Entry> {
    let mut entry = Entry::default();
    entry.set_entry_type(match left.byte()? {
        0 => EntryType::EntryNormal,
        1 => EntryType::EntryConfChange,
        2 => EntryType::EntryConfChangeV2,
        _ => return None,
    });
    entry.term = left.number()?;
    entry.index = left.number()?;
    entry.data = left.text()?;
    entry.context = left.text()?;
    Some(entry)
}

fn snapshot(left: &mut Reader) -> Option<Snapshot> {
    let mut snapshot = Snapshot::default();
    let about = snapshot.mut_metadata();
    about.index = left.number()?;
    about.term = left.number()?;
    let members: Members = serde_json::from_slice(&left.text()?).ok()?;
    about.set_conf_state(members.wire());
    snapshot.data = left.text()?;
    Sum::read(&snapshot.data).ok()?;
    Some(snapshot)
}

/// The messages members send each other. Those a member sends itself never travel, nor does what only a leader is asked here: raft-rs panics
/// at some that no member would send.
fn kind(byte: u8) -> Option<MessageType> {
    use MessageType as M;
    let travels = [
        M::MsgAppend,
        M::MsgAppendResponse,
        M::MsgRequestVote,
        M::MsgRequestVoteResponse,
        M::MsgSnapshot,
        M::MsgHeartbeat,
        M::MsgHeartbeatResponse,
        M::MsgTimeoutNow,
        M::MsgRequestPreVote,
        M::MsgRequestPreVoteResponse,
    ];
    travels.into_iter().find(|kind| *kind as i32 == i32::from(byte))
}

struct Reader(Bytes);

impl Reader {
    fn byte(&mut self) -> Option<u8> {
        self.0.try_get_u8().ok()
    }

    fn flag(&mut self) -> Option<bool> {
        match self.byte()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    fn number(&mut self) -> Option<u64> {
        self.0.try_get_u64_le().ok()
    }

    fn length(&mut self) -> Option<usize> {
        usize::try_from(self.0.try_get_u32_le().ok()?).ok()
    }

    fn text(&mut self) -> Option<Bytes> {
        let length = self.length()?;
        (length <= self.0.len()).then(|| self.0.split_to(length))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn message() -> impl Strategy<Value = Message> {
        let entry = (any::<(u64, u64)>(), proptest::collection::vec(any::<u8>(), 0..40), 0_u8..3);
        let entries = proptest::collection::vec(entry, 0..4);
        (any::<[u64; 10]>(), any::<bool>(), entries, any::<Option<(u64, u64, Vec<u64>)>>(), 0_u8..19).prop_filter_map(
            "a message that travels",
            |(numbers, reject, entries, snapshot, which)| {
                let mut message = Message::default();
                message.set_msg_type(kind(which)?);
                (message.to, message.from, message.term) = (numbers[0], numbers[1], numbers[2]);
                (message.log_term, message.index, message.commit) = (numbers[3], numbers[4], numbers[5]);
                (message.commit_term, message.reject_hint) = (numbers[6], numbers[7]);
                (message.request_snapshot, message.reject) = (numbers[8], reject);
                message.priority = i64::from_le_bytes(numbers[9].to_le_bytes());
                message.context = Bytes::from(numbers[0].to_string());
                for ((term, index), data, change) in entries {
                    let mut entry = Entry { term, index, data: Bytes::from(data), ..Entry::default() };
                    let kinds = [EntryType::EntryNormal, EntryType::EntryConfChange, EntryType::EntryConfChangeV2];
                    entry.set_entry_type(kinds[usize::from(change)]);
                    message.mut_entries().push(entry);
                }
                if let Some((index, term, voters)) = snapshot {
                    let data = Sum::default().bytes();
                    let mut snapshot = Snapshot { data, ..Snapshot::default() };
                    let about = snapshot.mut_metadata();
                    (about.index, about.term) = (index, term);
                    about.set_conf_state(Members { voters, ..Members::default() }.wire());
                    message.set_snapshot(snapshot);
                }
                Some(message)
            },
        )
    }

    proptest! {
        #[test]
        fn a_message_is_read_as_it_was_written(message in message()) {
            prop_assert_eq!(read(write(7, &message)), Some((7, message)));
        }

        #[test]
        fn half_a_message_is_none(message in message(), cut: prop::sample::Index) {
            let bytes = write(7, &message);
            prop_assert_eq!(read(bytes.slice(..cut.index(bytes.len()))), None);
        }

        #[test]
        fn no_bytes_do_harm(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = read(Bytes::from(bytes));
        }
    }
}
