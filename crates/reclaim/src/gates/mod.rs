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
use types::Code;

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

/// How the reason ends where a gate could not look for want of a right.
const GRANT: &str = "grant the right";

/// The code under which a gate that says never is told outside; `None` if its kind has none of its own.
pub fn code_of(gate: &str, reason: &str) -> Option<Code> {
    match gate {
        "writer" | "errant_gtid" => Some(Code::PrimaryCheckFailed),
        "lease" => Some(Code::Busy),
        _ if gate == "privilege" || reason.ends_with(GRANT) => Some(Code::Forbidden),
        _ => None,
    }
}

/// The verdict when the question itself failed: a missing right needs the operator, anything else may pass by itself.
pub(crate) fn unanswered(what: &str, error: &SqlError) -> GateVerdict {
    if error.is_denied() {
        refuse(format!("{what} cannot be read: {error}; {GRANT}"))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gate_that_may_not_look_is_told_as_a_missing_right() {
        let denied = |code| {
            let address = types::Address::new("h", 1);
            SqlError::Server { address, code, state: String::new(), message: "denied".to_owned() }
        };
        let GateVerdict::Refuse { reason } = unanswered("the history list", &denied(1227)) else { panic!("it waits") };
        assert_eq!(code_of("history_list", &reason), Some(Code::Forbidden), "{reason}");
        assert_eq!(code_of("history_list", "2000000 undo logs"), None);
        assert_eq!(code_of("writer", &reason), Some(Code::PrimaryCheckFailed), "unknown counts as a writer");
        assert!(matches!(unanswered("the history list", &denied(1040)), GateVerdict::Wait { .. }));
    }
}
