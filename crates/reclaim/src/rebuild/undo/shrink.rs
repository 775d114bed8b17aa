//! Step `shrink`: the tablespaces emptied one after the other, from wherever an earlier run left them.

use super::{Begun, begun, settings, statements, tidy};
use crate::{
    ReclaimError,
    gates::lease,
    rebuild::{
        Work, arm, attempt,
        gate::{self, LogLimit, failed},
        look,
    },
    undo::{self, Way},
};
use async_trait::async_trait;
use jobs::{Step, StepContext, StepError};
use mysql::{Capabilities, Session};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};

/// Its name in the journal.
pub(super) const NAME: &str = "shrink";
/// Longest pause between two looks at whether a tablespace is empty.
const POLL: Duration = Duration::from_millis(100);

/// The step that does what the unit is for: once it is done a cancel lets the unit finish.
pub(super) struct Shrink(pub Arc<Work>);

#[async_trait]
impl Step for Shrink {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn act(&self, ctx: &StepContext<'_>) -> Result<Value, StepError> {
        let work = &*self.0;
        let mut fresh = !ctx.resumed() && !work.pauses;
        loop {
            if !fresh {
                anew(work, ctx).await?;
            }
            fresh = false;
            match shrink(work, ctx).await {
                Err(error) => gate::again(work, ctx.cancel(), error).await?,
                Ok(Ended::Done) => return Ok(done(work, &begun(ctx).map_err(failed)?)),
                Ok(Ended::NotDone(reason)) => rest(work, ctx, &reason).await?,
            }
        }
    }

    /// Each tablespace is in use again and the spare is gone, wherever the act got to.
    async fn undo(&self, ctx: &StepContext<'_>) -> Result<(), StepError> {
        tidy::tidy(&self.0, ctx).await.map_err(failed)
    }

    fn is_pivot(&self) -> bool {
        true
    }
}

/// How one try ended.
pub(super) enum Ended {
    Done,
    /// Back to the gates, which say whether it is to be waited for.
    NotDone(String),
}

/// Before another try, and all there is for one that begins nothing: nothing stays lowered or half done while the gates are
/// asked.
async fn anew(work: &Work, ctx: &StepContext<'_>) -> Result<(), StepError> {
    tidy::tidy(work, ctx).await.map_err(|error| StepError::Parked(error.into()))?;
    if work.pauses {
        return Err(StepError::Paused);
    }
    gate::pass(work, ctx.cancel(), LogLimit::Noted(None)).await?;
    Ok(())
}

async fn rest(work: &Work, ctx: &StepContext<'_>, reason: &str) -> Result<(), StepError> {
    if work.left().is_zero() {
        return Err(failed(work.waited_too_long(reason)));
    }
    work.sink.phase(&format!("waiting: {reason}")).await;
    gate::rest(work, ctx.cancel(), work.beat).await
}

fn done(work: &Work, begun: &Begun) -> Value {
    json!({ "seconds": work.clock.now().duration_since(begun.at).as_secs_f64() })
}

async fn shrink(work: &Work, ctx: &StepContext<'_>) -> Result<Ended, StepError> {
    let mut session = work.connect().await.map_err(failed)?;
    let server = Capabilities::probe(&mut session).await.map_err(failed)?;
    ctx.note(json!({ "connection": session.id() })).await?;
    if let Some(reason) = hold(&mut session, ctx).await.map_err(failed)? {
        return Ok(Ended::NotDone(reason));
    }
    if let Some(reason) = ready(work, ctx, &mut session).await.map_err(failed)? {
        return Ok(Ended::NotDone(reason));
    }
    let names = begun(ctx).map_err(failed)?.names;
    match undo::way(&server) {
        Some(Way::Statement) => statements::shrink(work, ctx, &mut session, &server, &names).await,
        Some(Way::Setting) => settings::shrink(work, ctx, &mut session, &server, names).await,
        None => Err(failed(work.refused("undo", "this server shrinks no undo tablespaces on command"))),
    }
}

/// Takes the work lock. A session of an earlier try that lives on at the server, its network cut, is ended; the reason to try
/// again meanwhile.
pub(super) async fn hold(session: &mut Session, ctx: &StepContext<'_>) -> Result<Option<String>, ReclaimError> {
    let error = match lease::take(session, lease::WORK_LOCK).await {
        Ok(()) => return Ok(None),
        Err(error) => error,
    };
    let ReclaimError::Held { connection, .. } = &error else { return Err(error) };
    let Some(id) = noted(ctx).into_iter().find(|id| u64::from(*id) == *connection) else { return Err(error) };
    attempt::end_if_idle(session, id).await?;
    Ok(Some("the session of the last attempt has not ended".to_owned()))
}

/// Connections of all tries.
fn noted(ctx: &StepContext<'_>) -> Vec<u32> {
    let connection = |note: Value| u32::try_from(note.get("connection")?.as_u64()?).ok();
    ctx.notes_of(NAME).into_iter().filter_map(connection).collect()
}

/// Lowers and tests, right before a statement in the session that runs it; the reason to go back to the gates.
pub(super) async fn ready(
    work: &Work,
    ctx: &StepContext<'_>,
    session: &mut Session,
) -> Result<Option<String>, ReclaimError> {
    if let Some(reason) = gate::unheld(work).await? {
        return Ok(Some(reason));
    }
    arm::lower_again(work, session, ctx).await?;
    attempt::prepare(work, session).await?;
    match attempt::last_writer_test(work, session).await {
        // The gates know whether that is for good, or a channel that is only connecting again.
        Err(error @ ReclaimError::Refused { gate: "writer", .. }) => Ok(Some(error.to_string())),
        other => other.map(|()| None),
    }
}

/// A pause between two looks; an error if the limit has run out, the job is to stop, or the node has become a writer.
pub(super) async fn wait(
    work: &Work,
    cancel: &tokio_util::sync::CancellationToken,
    session: &mut Session,
    what: &str,
) -> Result<(), StepError> {
    let read_only = session.value(look::READ_ONLY).await.map_err(failed)?;
    if work.exclude_primary && !look::is_read_only(read_only.as_deref()) {
        return Err(failed(work.refused("writer", "read_only was turned OFF while its undo was being shrunk")));
    }
    if work.left().is_zero() {
        return Err(failed(work.waited_too_long(what)));
    }
    work.sink.phase(&format!("waiting: {what}")).await;
    gate::rest(work, cancel, work.beat.min(POLL)).await
}
