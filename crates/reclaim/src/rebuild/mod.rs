//! One table on one node, rebuilt: the saga gate → arm → rebuild → restore → verify, and what its steps share.

mod arm;
mod attempt;
mod back;
mod file;
mod gate;
mod look;
mod progress;
mod recheck;
mod rights;
mod spent;
mod statement;
mod undo;
mod verify;
mod work;

pub(crate) use file::{Identity, identity, orphans};
pub(crate) use look::running_any;
pub(crate) use spent::spent;
pub(crate) use verify::{Report, report};
pub(crate) use work::{NodeShare, Sink, Work, key, pays};

use api::TablePlan;
use jobs::{Journal, Step, Unit};
use std::sync::Arc;

/// The last step of a unit: once it is done, so is the unit.
pub(crate) const LAST: &str = "verify";

/// What is still to be put back of a unit, for somebody at the server.
pub(crate) fn by_hand(journal: &Journal, table: &TablePlan) -> Vec<String> {
    undo::by_hand(journal, table).into_iter().chain(arm::by_hand(journal, table)).collect()
}

/// The unit of a piece of work.
pub(crate) fn unit(work: &Arc<Work>) -> Unit {
    if work.is_undo() {
        return Unit { key: key(&work.table), steps: undo::steps(work) };
    }
    let steps: Vec<Box<dyn Step>> = vec![
        Box::new(gate::Gate(work.clone())),
        Box::new(arm::Arm(work.clone())),
        Box::new(statement::Rebuild(work.clone())),
        Box::new(arm::Restore(work.clone())),
        Box::new(verify::Verify(work.clone())),
    ];
    Unit { key: key(&work.table), steps }
}
