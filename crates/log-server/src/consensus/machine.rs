//! What a shard's log adds up to: who may append, and where it begins. Everything else is the log itself.

use super::command::Command;
use log::{LogError, Reign, Sealed, check_seal};
use serde::{Deserialize, Serialize};
use types::{Epoch, Lsn};

/// The state all members of a shard reach by the same log.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    reign: Reign,
    truncated: Lsn,
    applied: Lsn,
}

/// What a command came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The record counts, at this place.
    Appended(Lsn),
    /// How the epoch ended.
    Sealed(Sealed),
    /// Everything up to here is gone.
    Truncated(Lsn),
    /// It changed nothing.
    Refused(LogError),
}

impl Machine {
    /// Everything up to here may be let go of.
    pub fn truncated(&self) -> Lsn {
        self.truncated
    }

    /// The epoch in force.
    pub fn epoch(&self) -> Epoch {
        self.reign.current()
    }

    /// The last place that was applied.
    pub fn applied(&self) -> Lsn {
        self.applied
    }

    /// Of a log that holds nothing yet, though its places up to an index are taken.
    pub(super) fn begun(index: u64) -> Machine {
        Machine { applied: Lsn(index), ..Machine::default() }
    }

    /// As it would stand if what lies behind an index had not been applied, and all up to there had been truncated.
    pub(super) fn until(&self, index: u64) -> Machine {
        Machine { reign: self.reign.until(Lsn(index)), truncated: Lsn(index), applied: Lsn(index) }
    }

    /// Whether a record that lies at a place counts.
    pub fn accepts(&self, epoch: Epoch, lsn: Lsn) -> bool {
        self.reign.accepts(epoch, lsn)
    }

    /// Applies what lies at the next place; nothing there is a leader's mark or a change of members.
    pub fn apply(&mut self, lsn: Lsn, command: Option<&Command>) -> Option<Outcome> {
        debug_assert!(lsn > self.applied, "{lsn} was applied before");
        self.applied = lsn;
        Some(match command? {
            Command::Record(epoch, _) => {
                self.reign.admit(*epoch).map_or_else(Outcome::Refused, |()| Outcome::Appended(lsn))
            }
            Command::Seal(epoch) => match check_seal(*epoch) {
                Ok(()) => {
                    let (end, first) = self.reign.seal(*epoch, lsn);
                    Outcome::Sealed(Sealed { end, epoch: self.reign.current(), first })
                }
                Err(why) => Outcome::Refused(why),
            },
            Command::Truncate(through) => self.truncate(*through, lsn),
        })
    }

    fn truncate(&mut self, through: Lsn, lsn: Lsn) -> Outcome {
        if through >= lsn {
            // The end as it was before this: its own place says nothing to whoever asked.
            return Outcome::Refused(LogError::Beyond { asked: through, end: Lsn(lsn.0.saturating_sub(1)) });
        }
        self.truncated = self.truncated.max(through);
        Outcome::Truncated(self.truncated)
    }
}
