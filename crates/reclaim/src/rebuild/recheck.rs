//! What a plan was made with and may have changed since: asked once more in the session that rebuilds, right before it does.

use super::{Work, file};
use crate::{ReclaimError, gates::data_loss_bug};
use api::{GateVerdict, Strategy};
use mysql::{Capabilities, Session};

/// Refuses a copy that would go into the system tablespace, from where nothing comes back: the setting may have changed since
/// the plan was made.
pub(super) async fn own_file(work: &Work, session: &mut Session) -> Result<(), ReclaimError> {
    if work.table.strategy == Strategy::InPlace || work.is_undo() || file::copies_are_own(session).await? {
        return Ok(());
    }
    let at = session.address();
    let reason = format!(
        "innodb_file_per_table is OFF on {at} now, so a copy would move the table into the system tablespace for good; SET \
         GLOBAL innodb_file_per_table = ON, then start the job again"
    );
    Err(work.refused("own_file", reason))
}

/// Refuses an online rebuild on a build that may lose rows by it: the server may have been changed since the plan was made.
pub(super) fn trusted(work: &Work, session: &Session, capabilities: &Capabilities) -> Result<(), ReclaimError> {
    let online = work.table.strategy == Strategy::InPlace;
    match data_loss_bug::verdict(capabilities.flavor, capabilities.version, online) {
        GateVerdict::Refuse { reason } => {
            let next = "the server is of another version than when the plan was made; make a new plan";
            Err(work.refused("data_loss_bug", format!("{}: {reason}; {next}", session.address())))
        }
        _ => Ok(()),
    }
}
