//! MySQL's way: a spare is made, each tablespace is set inactive until it is empty and active again, the spare is dropped.
//!
//! Two tablespaces always stay active, which the server demands; a truncated one is in use again before the next is touched.
//! While one is waited for, nothing is lowered: an old transaction may keep it in use for long.

use super::{
    large,
    shrink::{Ended, ready, wait},
};
use crate::{
    rebuild::{Work, arm, gate::failed},
    undo::{self, SPARE},
};
use jobs::{StepContext, StepError};
use mysql::{Capabilities, Session, SqlError};

/// Shrinks those that are still large.
pub(super) async fn shrink(
    work: &Work,
    ctx: &StepContext<'_>,
    session: &mut Session,
    server: &Capabilities,
    names: &[String],
) -> Result<Ended, StepError> {
    let large = large(session, server, names).await.map_err(failed)?;
    if large.is_empty() {
        return Ok(Ended::Done);
    }
    spare(session).await.map_err(failed)?;
    for (place, space) in large.iter().enumerate() {
        if let Some(reason) = empty(work, ctx, session, &space.name).await? {
            return Ok(Ended::NotDone(reason));
        }
        session.run(&undo::set_active(&space.name)).await.map_err(failed)?;
        work.sink.fraction((place + 1) as f64 / (large.len() + 1) as f64).await;
    }
    match empty(work, ctx, session, SPARE).await {
        Ok(None) => session.run(&undo::drop_spare()).await.map(|()| Ended::Done).map_err(failed),
        Ok(Some(reason)) => Ok(Ended::NotDone(reason)),
        // Everything is small; what is left to do is no reason to call that a failure.
        Err(StepError::Failed(failure)) if work.left().is_zero() => Err(StepError::Parked(failure)),
        Err(error) => Err(error),
    }
}

/// Makes the spare, or takes up the one that a crash left.
async fn spare(session: &mut Session) -> Result<(), SqlError> {
    match undo::state(session, SPARE).await?.as_deref() {
        Some("active") => Ok(()),
        Some(_) => session.run(&undo::set_active(SPARE)).await,
        None => session.run(&undo::create_spare()).await,
    }
}

/// Up to the moment at which the next statement about it may run; the reason to go back to the gates.
async fn empty(
    work: &Work,
    ctx: &StepContext<'_>,
    session: &mut Session,
    name: &str,
) -> Result<Option<String>, StepError> {
    session.run(&undo::set_inactive(name)).await.map_err(failed)?;
    if !is_empty(session, name).await? {
        arm::put_back_meanwhile(work, ctx).await?;
    }
    let what = format!("transactions still need undo tablespace {name}");
    while !is_empty(session, name).await? {
        wait(work, ctx.cancel(), session, &what).await?;
    }
    ready(work, ctx, session).await.map_err(failed)
}

async fn is_empty(session: &mut Session, name: &str) -> Result<bool, StepError> {
    Ok(undo::state(session, name).await.map_err(failed)?.as_deref() == Some("empty"))
}
