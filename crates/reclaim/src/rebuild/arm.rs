//! Steps `arm` and `restore`: global settings are lowered for the rebuild and put back after it, whatever happened between.
//!
//! The old values are journaled before any is changed. Only what the server still has in the lowered state is put back,
//! and a node that somebody has made writable meanwhile is never made read-only again.

use super::{
    Work, back,
    gate::{self, failed},
    look::{self, ROW_LOG, SUPER_READ_ONLY},
};
use crate::{
    ReclaimError,
    gates::row_log,
    plan::{
        settings,
        statement::{self, Change},
    },
};
use api::TablePlan;
use async_trait::async_trait;
use jobs::{Event, Journal, JournalEntry, Step, StepContext, StepError};
use mysql::{Capabilities, Session};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;

/// What is journaled before anything is changed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Armed {
    /// Settings.
    pub changes: Vec<Change>,
    /// Channels whose applier ran and is to be stopped.
    pub channels: Vec<String>,
    /// The node was read-only; one that no longer is was promoted meanwhile.
    pub read_only: bool,
    /// It had an inbound channel; one that has none any more was promoted meanwhile.
    pub replica: bool,
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
        if self.0.pauses {
            put_back_meanwhile(&self.0, ctx).await?;
            return Err(StepError::Paused);
        }
        loop {
            match arm_once(&self.0, ctx).await {
                Err(error) => gate::again(&self.0, ctx.cancel(), error).await?,
                armed => return armed,
            }
        }
    }

    async fn undo(&self, ctx: &StepContext<'_>) -> Result<(), StepError> {
        back::put_back(&self.0, &noted(ctx)).await.map_err(failed)
    }
}

#[async_trait]
impl Step for Restore {
    fn name(&self) -> &'static str {
        "restore"
    }

    async fn act(&self, ctx: &StepContext<'_>) -> Result<Value, StepError> {
        self.0.sink.phase("restoring settings").await;
        let armed = armed_by(ctx);
        // The table is rebuilt: a server that is away for longer is no reason to call that a failure.
        back::put_back(&self.0, &armed).await.map_err(|error| StepError::Parked(error.into()))?;
        Ok(json!({ "restored": armed.changes.len() }))
    }

    async fn undo(&self, _ctx: &StepContext<'_>) -> Result<(), StepError> {
        Ok(())
    }
}

async fn arm_once(work: &Work, ctx: &StepContext<'_>) -> Result<Value, StepError> {
    let mut session = work.connect().await.map_err(failed)?;
    let mut armed = noted(ctx);
    let measured = ctx.output("gate").and_then(|gate| gate.get("row_log_bytes")?.as_u64()).unwrap_or(0);
    let wanted = wanted(work, &mut session, measured).await.map_err(failed)?;
    // What an earlier run noted is the true old value; what the server says now may be lowered already.
    let known = |change: &Change| armed.changes.iter().any(|old| old.name == change.name);
    let more: Vec<Change> = wanted.changes.into_iter().filter(|change| !known(change)).collect();
    armed = merge([armed, Armed { changes: more, ..wanted }]);
    ctx.note(json!(armed)).await?;
    gate::until_held(work, ctx.cancel()).await?;
    lower_again(work, &mut session, ctx).await.map_err(failed)?;
    session.close().await;
    Ok(json!(armed))
}

fn read(notes: Vec<Value>) -> Armed {
    merge(notes.into_iter().filter_map(|note| serde_json::from_value(note).ok()))
}

fn noted(ctx: &StepContext<'_>) -> Armed {
    read(ctx.notes())
}

/// What step `arm` of this unit noted.
pub(super) fn armed_by(ctx: &StepContext<'_>) -> Armed {
    read(ctx.notes_of("arm"))
}

/// What is still to be put back of a table's unit, for somebody at the server.
pub(crate) fn by_hand(journal: &Journal, table: &TablePlan) -> Vec<String> {
    let of_arm = |entry: JournalEntry| match entry.event {
        Event::Noted(note) if entry.step == "arm" => Some(note),
        _ => None,
    };
    let armed = read(journal.entries(&super::key(table)).into_iter().filter_map(of_arm).collect());
    let statement = "see that no statement with the job's name runs in the process list".to_owned();
    let channels = armed.channels.iter().map(|name| format!("start the applier of channel '{name}'"));
    std::iter::once(statement).chain(channels).chain(armed.changes.iter().map(Change::restore)).collect()
}

/// The first note of a setting holds its true old value; a channel that ran at any of them is ours to start.
fn merge(notes: impl IntoIterator<Item = Armed>) -> Armed {
    let mut all = Armed::default();
    for note in notes {
        all.read_only |= note.read_only;
        all.replica |= note.replica;
        for channel in note.channels {
            if !all.channels.contains(&channel) {
                all.channels.push(channel);
            }
        }
        for change in note.changes {
            if !all.changes.iter().any(|known| known.name == change.name) {
                all.changes.push(change);
            }
        }
    }
    all
}

/// `measured` is what the gate saw the row log to need, in bytes.
async fn wanted(work: &Work, session: &mut Session, measured: u64) -> Result<Armed, ReclaimError> {
    let capabilities = Capabilities::probe(session).await?;
    let settings = settings(session, &capabilities).await?;
    let row_log = work.row_log_limit().max(row_log::raised(measured, settings.row_log_limit));
    let row_log = row_log.filter(|limit| *limit > settings.row_log_limit);
    let changes = statement::changes(&settings, &work.table.strategy, row_log);
    let mut armed = Armed { changes, ..Armed::default() };
    if work.stops_applier() || armed.changes.iter().any(|change| change.name == SUPER_READ_ONLY) {
        let channels = look::channels(work, session).await?;
        armed.read_only = look::is_read_only(session.value(look::READ_ONLY).await?.as_deref());
        armed.replica = !channels.is_empty();
        if work.stops_applier() {
            armed.channels = channels.into_iter().filter(look::applies).map(|channel| channel.name).collect();
        }
    }
    Ok(armed)
}

/// Lowers what is noted; safe to do twice, and done again before a second attempt, as a restarted server has forgotten it.
async fn lower(work: &Work, session: &mut Session, armed: &Armed) -> Result<(), ReclaimError> {
    for change in &armed.changes {
        session.run(&change.arm()).await?;
    }
    if armed.channels.is_empty() {
        return Ok(());
    }
    let capabilities = Capabilities::probe(session).await?;
    for channel in look::channels(work, session).await?.into_iter().filter(look::applies) {
        if armed.channels.contains(&channel.name) {
            session.run(&statement::applier(&capabilities, Some(&channel.name)).0).await?;
        }
    }
    Ok(())
}

/// Lowers again what step `arm` noted. Not where somebody has made the node a primary and then fenced it: there
/// `super_read_only` would be lowered and, as on any promoted node, never put back.
pub(super) async fn lower_again(work: &Work, session: &mut Session, ctx: &StepContext<'_>) -> Result<(), ReclaimError> {
    let armed = armed_by(ctx);
    let lowers = armed.changes.iter().any(|change| change.name == SUPER_READ_ONLY);
    let is_on = lowers && session.value("SELECT @@GLOBAL.super_read_only").await?.as_deref() == Some("1");
    if is_on && armed.replica && look::channels(work, session).await?.is_empty() {
        return Err(work.refused("writer", "it has no inbound channel any more, and super_read_only is ON"));
    }
    lower(work, session, &armed).await
}

/// Puts back what step `arm` noted while something is waited for; the next attempt lowers it again.
pub(super) async fn put_back_meanwhile(work: &Work, ctx: &StepContext<'_>) -> Result<(), StepError> {
    back::put_back(work, &armed_by(ctx)).await.map_err(|error| StepError::Parked(error.into()))
}

/// The row log limit step `arm` noted, if it raises it.
pub(super) fn row_log_limit(ctx: &StepContext<'_>) -> Option<u64> {
    armed_by(ctx).changes.iter().find(|change| change.name == ROW_LOG)?.value.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_note_holds_the_old_value() {
        let change = |old: &str| Change { name: "x".into(), value: "0".into(), old: old.into() };
        let note = |old: &str, channels: &[&str]| {
            let channels = channels.iter().map(|name| (*name).to_owned()).collect();
            json!(Armed { changes: vec![change(old)], channels, read_only: true, replica: true })
        };
        // The second was written after a crash, when the applier was stopped already.
        let merged = read(vec![note("12.5", &["", "b"]), note("0", &[])]);
        assert_eq!(merged.changes, [change("12.5")]);
        assert_eq!(merged.channels, ["", "b"]);
        assert!(merged.read_only && merged.replica);
    }
}
