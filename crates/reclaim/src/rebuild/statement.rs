//! Step `rebuild`: the statement itself, tried until it is done or must not be tried again.

use super::{
    Work, arm,
    attempt::{self, Attempt, Ended, GONE},
    gate::{self, LogLimit, failed},
    spent::Ceased,
};
use crate::{ReclaimError, gates::budget};
use async_trait::async_trait;
use jobs::{Step, StepContext, StepError};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};

/// Its name in the journal.
pub(super) const NAME: &str = "rebuild";
/// Attempts after which a table whose statement keeps vanishing is given up.
const VANISHED_LIMIT: usize = 5;
/// How long an undo tries to be sure that the statement is gone.
const KILL_LIMIT: Duration = Duration::from_mins(1);
/// Longest pause between two attempts that ran into a lock.
const PAUSE_LIMIT: Duration = Duration::from_secs(30);

/// The step that does what the unit is for: once it is done a cancel lets the unit finish.
pub(crate) struct Rebuild(pub Arc<Work>);

#[async_trait]
impl Step for Rebuild {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn act(&self, ctx: &StepContext<'_>) -> Result<Value, StepError> {
        let work = &*self.0;
        let mut ended = if let Some(earlier) = last(ctx) {
            attempt::settle(work, ctx, earlier).await?
        } else {
            if ctx.resumed() || work.pauses {
                arm::put_back_meanwhile(work, ctx).await?;
                end_if_pausing(work)?;
                gate::pass(work, ctx.cancel(), LogLimit::Noted(arm::row_log_limit(ctx))).await?;
            }
            run_or_settle(work, ctx).await?
        };
        let mut pause = work.beat;
        loop {
            let reason = match ended {
                Ended::Done(attempt) => return Ok(done(work, &attempt)),
                Ended::NotDone(reason) => reason,
            };
            cease(work, ctx, &reason).await?;
            give_up(work, ctx, &reason)?;
            // Nothing stays lowered, and no applier stopped, while others are waited for; the attempt lowers again.
            arm::put_back_meanwhile(work, ctx).await?;
            end_if_pausing(work)?;
            work.sink.phase(&format!("waiting: {reason}")).await;
            gate::rest(work, ctx.cancel(), pause).await?;
            pause = (pause * 2).min(PAUSE_LIMIT);
            gate::pass(work, ctx.cancel(), LogLimit::Noted(arm::row_log_limit(ctx))).await?;
            ended = run_or_settle(work, ctx).await?;
        }
    }

    /// The statement is gone for certain, and with it its unfinished copy; the table is whole either way.
    async fn undo(&self, ctx: &StepContext<'_>) -> Result<(), StepError> {
        match last(ctx) {
            Some(attempt) => {
                let limit = KILL_LIMIT.min(self.0.patience);
                attempt::kill_until_gone(&self.0, &attempt, limit).await.map_err(failed)
            }
            None => Ok(()),
        }
    }

    fn is_pivot(&self) -> bool {
        true
    }
}

/// Nothing more is begun by a run that only mends.
fn end_if_pausing(work: &Work) -> Result<(), StepError> {
    if work.pauses { Err(StepError::Paused) } else { Ok(()) }
}

/// A session that breaks before the statement was sent, or after it, leaves it to the table's files what happened.
async fn run_or_settle(work: &Work, ctx: &StepContext<'_>) -> Result<Ended, StepError> {
    match attempt::run(work, ctx).await {
        Err(error) if gate::is_transient(&error) => match last(ctx) {
            Some(attempt) => attempt::settle(work, ctx, attempt).await,
            None => Ok(Ended::NotDone(error.to_string())),
        },
        ended => ended,
    }
}

fn last(ctx: &StepContext<'_>) -> Option<Attempt> {
    ctx.notes().into_iter().rev().find_map(attempt)
}

fn attempt(note: Value) -> Option<Attempt> {
    serde_json::from_value(note).ok()
}

/// Writes down, once, that an attempt is over and what it cost: the waiting that follows costs nothing.
async fn cease(work: &Work, ctx: &StepContext<'_>, reason: &str) -> Result<(), StepError> {
    let Some(last) = ctx.notes().pop().and_then(attempt) else { return Ok(()) };
    let ceased_at = work.clock.now();
    let predicted = budget::predicted_bytes(&work.table.estimate);
    let share = ceased_at.duration_since(last.at).as_secs_f64() / work.table.predicted_seconds;
    // How long one that vanished had run is not known.
    let whole = reason.starts_with(GONE) || !(0.0..1.0).contains(&share);
    let written = if whole { predicted } else { (predicted as f64 * share) as u64 };
    ctx.note(json!(Ceased { ceased_at, written })).await
}

fn give_up(work: &Work, ctx: &StepContext<'_>, reason: &str) -> Result<(), StepError> {
    if work.left().is_zero() {
        return Err(failed(work.waited_too_long(reason)));
    }
    let vanished = reason.starts_with(GONE) && ctx.notes().into_iter().filter_map(attempt).count() >= VANISHED_LIMIT;
    if vanished {
        let node = work.node.endpoint.address.clone();
        let what = format!("could not be rebuilt in {VANISHED_LIMIT} attempts: the server stopped each time");
        return Err(failed(ReclaimError::TableChanged { node, table: work.name().to_string(), what }));
    }
    Ok(())
}

fn done(work: &Work, attempt: &Attempt) -> Value {
    let seconds = work.clock.now().duration_since(attempt.at).as_secs_f64();
    json!({ "seconds": seconds, "attempt": attempt })
}
