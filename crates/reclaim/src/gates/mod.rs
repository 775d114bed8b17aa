//! Gates: each says go, not now, or never; what cannot be known is treated as the dangerous case.
//!
//! Every file here is one gate: a pure verdict on what was read, and beside it the reading. A gate is asked when the
//! plan is made and again right before the statement.

pub mod backup_lock;
pub mod budget;
pub mod data_loss_bug;
pub mod disk;
pub mod errant;
pub mod history_list;
pub mod lag;
pub mod lease;
pub mod long_transaction;
pub mod metadata_lock;
pub mod privilege;
pub mod row_log;
pub mod window;
pub mod writer;

use api::{Gate, GateVerdict};
use mysql::SqlError;

/// A verdict under its gate's name.
pub fn named(name: &str, verdict: GateVerdict) -> Gate {
    Gate { name: name.to_owned(), verdict }
}

/// Not now.
pub(crate) fn wait(reason: impl Into<String>) -> GateVerdict {
    GateVerdict::Wait { reason: reason.into() }
}

/// Never, without the operator.
pub(crate) fn refuse(reason: impl Into<String>) -> GateVerdict {
    GateVerdict::Refuse { reason: reason.into() }
}

/// The verdict when the question itself failed: a missing right needs the operator, anything else may pass by itself.
pub(crate) fn unanswered(what: &str, error: &SqlError) -> GateVerdict {
    if error.is_denied() {
        refuse(format!("{what} cannot be read: {error}; grant the right"))
    } else {
        wait(format!("{what} cannot be read: {error}"))
    }
}

/// The graver of two: refuse before wait before pass.
pub fn graver(a: GateVerdict, b: GateVerdict) -> GateVerdict {
    let weight = |verdict: &GateVerdict| match verdict {
        GateVerdict::Pass => 0,
        GateVerdict::Wait { .. } => 1,
        GateVerdict::Refuse { .. } => 2,
    };
    if weight(&b) > weight(&a) { b } else { a }
}
