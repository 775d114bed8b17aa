//! Steps `arm` and `restore`: global settings are lowered for the rebuild and put back after it, whatever happened between.
//!
//! The old values are journaled before any is changed. Only what the server still has in the lowered state is put back,
//! and a node that somebody has made writable meanwhile is never made read-only again.

use super::{
    Work,
    gate::{self, failed},
};
use crate::{
    ReclaimError,
    plan::{
        settings,
        statement::{self, Change},
    },
};
use async_trait::async_trait;
use jobs::{Step, StepContext, StepError};
use mysql::{Capabilities, Session, SqlError};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};

/// How long an undo waits for a server that is not there before it gives up until the job is run again.
const BACK_LIMIT: Duration = Duration::from_mins(1);

/// What is journaled before anything is changed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Armed {
    changes: Vec<Change>,
    /// The applier ran and is to be stopped.
    applier: bool,
}

/// Lowers.
pub(crate) struct Arm(pub Arc<Work>);

/// Puts back once the rebuild is done; after a failure or a cancel the undo of [`Arm`] does the same.
pub(crate) struct Restore(pub Arc<Work>);

#[async_trait]
impl Step for Arm {
    fn name(&self) -> &'static str {
        "arm"
    }

    async fn act(&self, ctx: &StepContext<'_>) -> Result<Value, StepError> {
        loop {
            match arm_once(&self.0, ctx).await {
                Err(error) => gate::again(&self.0, ctx.cancel(), error).await?,
                armed => return armed,
            }
        }
    }

    async fn undo(&self, ctx: &StepContext<'_>) -> Result<(), StepError> {
        put_back(&self.0, &noted(ctx)).await.map_err(failed)
    }
}

#[async_trait]
impl Step for Restore {
    fn name(&self) -> &'static str {
        "restore"
    }

    async fn act(&self, ctx: &StepContext<'_>) -> Result<Value, StepError> {
        self.0.sink.phase("restoring settings").await;
        let armed = merge(ctx.notes_of("arm"));
        put_back(&self.0, &armed).await.map_err(failed)?;
        Ok(json!({ "restored": armed.changes.len() }))
    }

    async fn undo(&self, _ctx: &StepContext<'_>) -> Result<(), StepError> {
        Ok(())
    }
}

async fn arm_once(work: &Work, ctx: &StepContext<'_>) -> Result<Value, StepError> {
    let mut session = work.connect().await.map_err(failed)?;
    let mut armed = noted(ctx);
    let wanted = wanted(work, &mut session).await.map_err(failed)?;
    // What an earlier run noted is the true old value; what the server says now may be lowered already.
    let known = |change: &Change| armed.changes.iter().any(|old| old.name == change.name);
    let more: Vec<Change> = wanted.changes.into_iter().filter(|change| !known(change)).collect();
    armed.changes.extend(more);
    armed.applier |= wanted.applier;
    ctx.note(json!(armed)).await?;
    lower(&mut session, &armed).await.map_err(failed)?;
    session.close().await;
    Ok(json!(armed))
}

fn noted(ctx: &StepContext<'_>) -> Armed {
    merge(ctx.notes())
}

/// The first note of a setting holds its true old value.
fn merge(notes: Vec<Value>) -> Armed {
    let mut all = Armed::default();
    for note in notes.into_iter().filter_map(|note| serde_json::from_value::<Armed>(note).ok()) {
        all.applier |= note.applier;
        for change in note.changes {
            if !all.changes.iter().any(|known| known.name == change.name) {
                all.changes.push(change);
            }
        }
    }
    all
}

async fn wanted(work: &Work, session: &mut Session) -> Result<Armed, SqlError> {
    let capabilities = Capabilities::probe(session).await?;
    let settings = settings(session, &capabilities).await?;
    let row_log = work.row_log_limit().filter(|limit| *limit > settings.row_log_limit);
    let changes = statement::changes(&settings, &work.table.strategy, row_log);
    let applier = work.stops_applier() && topology::lag(session).await?.is_some();
    Ok(Armed { changes, applier })
}

/// Lowers what is noted; safe to do twice, and done again before a second attempt, as a restarted server has forgotten it.
async fn lower(session: &mut Session, armed: &Armed) -> Result<(), SqlError> {
    for change in &armed.changes {
        session.run(&change.arm()).await?;
    }
    if armed.applier {
        let (stop, _) = statement::applier(&Capabilities::probe(session).await?);
        session.run(stop).await?;
    }
    Ok(())
}

/// Lowers again what step `arm` noted.
pub(super) async fn lower_again(session: &mut Session, ctx: &StepContext<'_>) -> Result<(), SqlError> {
    lower(session, &merge(ctx.notes_of("arm"))).await
}

async fn put_back(work: &Work, armed: &Armed) -> Result<(), ReclaimError> {
    if armed.changes.is_empty() && !armed.applier {
        return Ok(());
    }
    let begun = work.clock.instant();
    loop {
        let error = match put_back_once(work, armed).await {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        if work.clock.since(begun) >= BACK_LIMIT {
            let node = work.node.endpoint.address.clone();
            work.sink.note(format!("{node}: settings are not restored yet: {error}")).await;
            return Err(ReclaimError::NotBack { node, reason: error.to_string(), limit: BACK_LIMIT });
        }
        work.sink.phase(&format!("waiting to restore settings: {error}")).await;
        work.clock.sleep(work.beat).await;
    }
}

async fn put_back_once(work: &Work, armed: &Armed) -> Result<(), SqlError> {
    let mut session = work.connect().await?;
    // `super_read_only = ON` waits for running writes to end; others queue behind it meanwhile.
    session.run("SET SESSION lock_wait_timeout = 10").await?;
    if armed.applier {
        let (_, start) = statement::applier(&Capabilities::probe(&mut session).await?);
        session.run(start).await?;
    }
    for change in armed.changes.iter().rev() {
        if change.name == "super_read_only" && session.value("SELECT @@GLOBAL.read_only").await?.as_deref() == Some("0")
        {
            let node = &work.node.endpoint.address;
            work.sink.note(format!("{node}: read_only is OFF now, so super_read_only was left OFF as well")).await;
            continue;
        }
        session.run(&change.restore()).await?;
    }
    session.close().await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_note_holds_the_old_value() {
        let change = |old: &str| Change { name: "x".into(), value: "0".into(), old: old.into() };
        let note = |old: &str| json!(Armed { changes: vec![change(old)], applier: false });
        let merged = merge(vec![note("12.5"), note("0")]);
        assert_eq!(merged.changes, [change("12.5")]);
    }
}
