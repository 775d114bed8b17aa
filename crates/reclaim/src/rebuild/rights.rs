//! The privilege gate asked again right before a table's work begins: rights may have gone since the plan was made.

use super::{Work, look};
use crate::{
    gates::{
        privilege::{self, Needs, Rights},
        row_log, unanswered,
    },
    plan::{Settings, settings},
    undo,
};
use api::{GateVerdict, Strategy};
use mysql::{Capabilities, Session, SqlError};

/// What the account may do on the node, and what decides what it needs.
pub(super) struct Asked {
    rights: Rights,
    capabilities: Capabilities,
    settings: Settings,
    read_only: bool,
}

/// Reads it.
pub(super) async fn ask(session: &mut Session) -> Result<Asked, SqlError> {
    let capabilities = Capabilities::probe(session).await?;
    let settings = settings(session, &capabilities).await?;
    let read_only = look::is_read_only(session.value(look::READ_ONLY).await?.as_deref());
    let rights = privilege::probe(session, &capabilities).await?;
    Ok(Asked { rights, capabilities, settings, read_only })
}

/// The gate, for everything step `arm` and the statement will do by what is known before the row log was measured.
pub(super) fn verdict(work: &Work, asked: &Result<Asked, SqlError>) -> GateVerdict {
    let asked = match asked {
        Err(error) => return unanswered("the account's rights", error),
        Ok(asked) => asked,
    };
    let needs = Needs::of_node(work.mode, asked.read_only, &asked.settings);
    match privilege::verdict(&Ok(asked.rights.clone()), &asked.capabilities, needs) {
        GateVerdict::Pass => asked.of_table(work, work.row_log_limit().is_some()),
        refusal => refusal,
    }
}

/// The gate once more, if the row log was measured to need more than its limit in force.
pub(super) fn verdict_for_log(work: &Work, asked: &Result<Asked, SqlError>, measured: u64) -> GateVerdict {
    let Ok(asked) = asked else { return verdict(work, asked) };
    let raises =
        work.table.strategy == Strategy::InPlace && row_log::raised(measured, asked.settings.row_log_limit).is_some();
    if raises { asked.of_table(work, true) } else { GateVerdict::Pass }
}

impl Asked {
    fn of_table(&self, work: &Work, raises_log: bool) -> GateVerdict {
        if let (Strategy::Undo { .. }, Some(way)) = (&work.table.strategy, undo::way(&self.capabilities)) {
            return privilege::verdict(&Ok(self.rights.clone()), &self.capabilities, Needs::of_undo(way));
        }
        let needs = Needs::of_table(work.mode, work.stops_applier(), raises_log);
        privilege::table_verdict(&Ok(self.rights.clone()), &self.capabilities, &work.name(), needs)
    }
}
