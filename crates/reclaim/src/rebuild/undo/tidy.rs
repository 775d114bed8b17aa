//! Puts back what a shrink that did not end has left: tablespaces that are not in use, the spare, settings.

use super::{begun, shrink::hold};
use crate::{
    ReclaimError,
    rebuild::{Work, arm, attempt, back},
    undo::{self, SPARE, Way},
};
use jobs::{StepContext, StepError};
use mysql::{Capabilities, Session, SqlError};
use serde_json::json;
use std::time::Duration;
use types::{Code, Failure};

/// Longest wait for the spare to be empty before it is left for the next try.
const LIMIT: Duration = Duration::from_mins(1);

/// Statements for somebody at the server.
pub(super) fn by_hand(names: &[String]) -> Vec<String> {
    let wait = format!("wait until {SPARE} is empty in information_schema.INNODB_TABLESPACES");
    let lower = "SET SESSION sql_log_bin = 0, GLOBAL super_read_only = OFF".to_owned();
    let active = names.iter().map(|name| undo::set_active(name));
    std::iter::once(lower).chain(active).chain([undo::set_inactive(SPARE), wait, undo::drop_spare()]).collect()
}

/// Tries until all is put back, or for as long as the unit is patient. Between two tries the settings are as they were:
/// an old transaction can keep the spare in use for long.
pub(super) async fn tidy(work: &Work, ctx: &StepContext<'_>) -> Result<(), ReclaimError> {
    let names = begun(ctx)?.names;
    let begun = work.clock.instant();
    loop {
        let tidied = once(work, ctx, &names).await;
        back::put_back(work, &arm::armed_by(ctx)).await?;
        let Err(error) = tidied else { return Ok(()) };
        if work.clock.since(begun) >= work.patience.min(LIMIT) {
            return Err(left(work, error));
        }
        work.sink.phase(&format!("waiting to put undo tablespaces back: {error}")).await;
        work.clock.sleep(work.beat).await;
    }
}

fn left(work: &Work, error: ReclaimError) -> ReclaimError {
    match error {
        ReclaimError::NotRestored { .. } => error,
        other => ReclaimError::NotRestored { node: work.node.endpoint.address.clone(), reason: other.to_string() },
    }
}

/// One try. Lowers nothing where nothing can be done.
async fn once(work: &Work, ctx: &StepContext<'_>, names: &[String]) -> Result<(), ReclaimError> {
    let mut session = work.connect().await?;
    let server = Capabilities::probe(&mut session).await?;
    if undo::way(&server) != Some(Way::Statement) {
        return Ok(());
    }
    let idle = idle(&mut session, names).await?;
    let spare = undo::state(&mut session, SPARE).await?;
    match (idle.as_slice(), spare.as_deref()) {
        ([], None) => return Ok(()),
        ([], Some("inactive")) => return Err(needed(work)),
        _ => {}
    }
    // Also this session may be the one that lives on at the server.
    ctx.note(json!({ "connection": session.id() })).await.map_err(unwritten)?;
    if let Some(reason) = hold(&mut session, ctx).await? {
        return Err(ReclaimError::NotRestored { node: work.node.endpoint.address.clone(), reason });
    }
    arm::lower_again(work, &mut session, ctx).await?;
    attempt::prepare(work, &mut session).await?;
    for name in &idle {
        session.run(&undo::set_active(name)).await?;
    }
    match spare.as_deref() {
        None => Ok(()),
        Some("empty") => Ok(session.run(&undo::drop_spare()).await?),
        Some(_) => {
            session.run(&undo::set_inactive(SPARE)).await?;
            Err(needed(work))
        }
    }
}

/// Those that are not in use.
async fn idle(session: &mut Session, names: &[String]) -> Result<Vec<String>, SqlError> {
    let mut idle = Vec::new();
    for name in names {
        if undo::state(session, name).await?.is_some_and(|state| state != "active") {
            idle.push(name.clone());
        }
    }
    Ok(idle)
}

/// The journal cannot be written.
fn unwritten(error: StepError) -> ReclaimError {
    ReclaimError::Other(match error {
        StepError::Store(error) => error.into(),
        other => Failure::new(Code::JobState, other, "run the job again: it continues putting things back"),
    })
}

fn needed(work: &Work) -> ReclaimError {
    let reason = format!("transactions still need undo tablespace {SPARE}");
    ReclaimError::NotRestored { node: work.node.endpoint.address.clone(), reason }
}
