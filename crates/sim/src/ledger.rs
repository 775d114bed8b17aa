//! What must hold of all members together, whatever happens: the safety of the log, checked as it grows.

use bytes::Bytes;
use log_server::consensus::{Command, Group, Machine};
use std::collections::BTreeMap;
use types::{Epoch, Lsn};

/// What anybody ever saw agreed on.
#[derive(Default)]
pub struct Ledger {
    /// Place to term and content.
    agreed: BTreeMap<u64, (u64, Bytes)>,
    /// Records that a client was told of.
    pub acked: BTreeMap<Lsn, Bytes>,
    /// Ends of epochs that a client was told of.
    pub sealed: BTreeMap<Epoch, Lsn>,
    /// Who led in which term.
    leaders: BTreeMap<u64, u64>,
}

impl Ledger {
    /// One leader a term.
    pub fn saw(&mut self, replica: u64, group: &Group) {
        let standing = group.standing();
        if standing.leads {
            let first = *self.leaders.entry(standing.term).or_insert(replica);
            assert_eq!(first, replica, "two leaders in term {}", standing.term);
        }
        assert!(standing.applied <= standing.commit, "{standing:?}");
    }

    /// What a member applied since it was last looked at is what all others did, and never changes.
    pub fn applied(&mut self, replica: u64, group: &Group, from: u64) {
        let to = group.standing().applied;
        let entries = group.log().entries(from + 1, to + 1, usize::MAX).expect("what was applied can be read");
        for entry in entries {
            let seen = (entry.term, entry.payload.clone());
            let agreed = self.agreed.entry(entry.index).or_insert_with(|| seen.clone());
            assert_eq!(*agreed, seen, "replica {replica} applied something else at {}", entry.index);
            assert_eq!(group.log().term(entry.index), Some(entry.term));
        }
    }

    /// All that clients were told holds of what was agreed on, and counts by what it adds up to.
    pub fn settle(&self, machine: &Machine) {
        for (lsn, payload) in &self.acked {
            let Some((_, bytes)) = self.agreed.get(&lsn.0) else { panic!("nothing at {lsn}, which was acknowledged") };
            let Some(Command::Record(epoch, found)) = Command::read(bytes) else { panic!("no record at {lsn}") };
            assert_eq!(&found, payload, "at {lsn}");
            assert!(machine.accepts(epoch, *lsn), "{lsn} of epoch {epoch} counts no longer");
            let late = self.sealed.iter().find(|(sealed, end)| **sealed >= epoch && **end < *lsn);
            assert_eq!(late, None, "{lsn} of epoch {epoch} lies behind its end");
        }
    }

    /// Places agreed on.
    pub fn len(&self) -> usize {
        self.agreed.len()
    }
}
