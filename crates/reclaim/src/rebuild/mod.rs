//! One table on one node, rebuilt: the saga gate → arm → rebuild → restore → verify, and what its steps share.

mod arm;
mod attempt;
mod back;
mod file;
mod gate;
mod look;
mod progress;
mod rights;
mod statement;
mod verify;
mod work;

pub(crate) use arm::by_hand;
pub(crate) use file::orphans;
pub(crate) use look::running_any;
pub(crate) use verify::{Report, report};
pub(crate) use work::{NodeShare, Sink, Work, key};

use jobs::{Step, Unit};
use std::sync::Arc;

/// The last step of a unit: once it is done, so is the unit.
pub(crate) const LAST: &str = "verify";

/// The unit of a piece of work.
pub(crate) fn unit(work: &Arc<Work>) -> Unit {
    let steps: Vec<Box<dyn Step>> = vec![
        Box::new(gate::Gate(work.clone())),
        Box::new(arm::Arm(work.clone())),
        Box::new(statement::Rebuild(work.clone())),
        Box::new(arm::Restore(work.clone())),
        Box::new(verify::Verify(work.clone())),
    ];
    Unit { key: key(&work.table), steps }
}
