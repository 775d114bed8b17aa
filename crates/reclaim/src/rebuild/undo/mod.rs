//! A node's undo tablespaces made small: the saga gate → look → arm → shrink → restore → verify.

mod settings;
mod shrink;
mod statements;
mod tidy;

use super::{
    Work, arm, gate,
    gate::failed,
    verify::{self, Measured, Report},
};
use crate::{
    ReclaimError,
    gates::errant,
    undo::{self, UndoSpace, Way},
};
use api::{Strategy, TablePlan};
use async_trait::async_trait;
use jiff::Timestamp;
use jobs::{Event, Journal, JournalEntry, Step, StepContext, StepError};
use mysql::{Capabilities, Session, SqlError};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;

/// Name of the step that looks.
const LOOK: &str = "look";

/// What step `look` found, before anything is changed: the settings alone may let a server truncate at once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Begun {
    /// Those that are worked on: large, and in use.
    names: Vec<String>,
    /// Bytes of their files.
    before: u64,
    /// Transactions the node had written itself.
    own: String,
    /// When, UTC.
    at: Timestamp,
}

/// The steps of the unit.
pub(super) fn steps(work: &Arc<Work>) -> Vec<Box<dyn Step>> {
    vec![
        Box::new(gate::Gate(work.clone())),
        Box::new(Look(work.clone())),
        Box::new(arm::Arm(work.clone())),
        Box::new(shrink::Shrink(work.clone())),
        Box::new(arm::Restore(work.clone())),
        Box::new(Measure(work.clone())),
    ]
}

/// What is still to be put back of the unit, for somebody at the server.
pub(super) fn by_hand(journal: &Journal, table: &TablePlan) -> Vec<String> {
    if !table.statements.contains(&undo::drop_spare()) {
        return Vec::new();
    }
    let of_look = |entry: JournalEntry| match entry.event {
        Event::Done(output) if entry.step == LOOK => serde_json::from_value::<Begun>(output).ok(),
        _ => None,
    };
    let begun = journal.entries(&super::key(table)).into_iter().find_map(of_look);
    begun.map_or_else(Vec::new, |begun| tidy::by_hand(&begun.names))
}

fn begun(ctx: &StepContext<'_>) -> Result<Begun, ReclaimError> {
    let read = |output| serde_json::from_value(output).ok();
    ctx.output(LOOK).and_then(read).ok_or_else(|| ReclaimError::BadDocument("a shrink without a beginning".to_owned()))
}

/// The second step: changes nothing.
struct Look(Arc<Work>);

#[async_trait]
impl Step for Look {
    fn name(&self) -> &'static str {
        LOOK
    }

    async fn act(&self, ctx: &StepContext<'_>) -> Result<Value, StepError> {
        let work = &*self.0;
        if work.pauses {
            return Err(StepError::Paused);
        }
        Ok(json!(gate::persist(work, ctx.cancel(), || describe(work)).await?))
    }

    async fn undo(&self, _ctx: &StepContext<'_>) -> Result<(), StepError> {
        Ok(())
    }
}

/// What is to be done, as the server is now.
async fn describe(work: &Work) -> Result<Begun, ReclaimError> {
    let session = &mut work.connect().await?;
    let server = &Capabilities::probe(session).await?;
    let planned = match &work.table.strategy {
        Strategy::Undo { names } => names.as_slice(),
        _ => &[],
    };
    let mut large = large(session, server, planned).await?;
    if undo::way(server) == Some(Way::Statement) {
        large = in_use(session, large).await?;
    }
    Ok(Begun {
        names: large.iter().map(|space| space.name.clone()).collect(),
        before: large.iter().map(|space| space.bytes).sum(),
        own: errant::own(session, server).await?.to_string(),
        at: work.clock.now(),
    })
}

/// Those of them that are larger than a new one.
async fn large(session: &mut Session, server: &Capabilities, names: &[String]) -> Result<Vec<UndoSpace>, SqlError> {
    let mut large = undo::spaces(session, server).await?;
    large.retain(|space| names.contains(&space.name) && space.bytes > undo::first_bytes(server));
    Ok(large)
}

/// One that is inactive already is so by somebody's will, and stays so.
async fn in_use(session: &mut Session, spaces: Vec<UndoSpace>) -> Result<Vec<UndoSpace>, SqlError> {
    let mut found = Vec::new();
    for space in spaces {
        if undo::state(session, &space.name).await?.as_deref() == Some("active") {
            found.push(space);
        }
    }
    Ok(found)
}

/// The last step: what was really freed, by the files' sizes.
struct Measure(Arc<Work>);

#[async_trait]
impl Step for Measure {
    fn name(&self) -> &'static str {
        super::LAST
    }

    async fn act(&self, ctx: &StepContext<'_>) -> Result<Value, StepError> {
        let work = &*self.0;
        if work.pauses {
            return Err(StepError::Paused);
        }
        work.sink.phase("verifying").await;
        let begun = begun(ctx).map_err(failed)?;
        let seconds = ctx.output(shrink::NAME).and_then(|output| output.get("seconds")?.as_f64()).unwrap_or(0.0);
        let measured = gate::persist(work, ctx.cancel(), || measure(work, &begun)).await?;
        Ok(json!(Report { measured: vec![measured], seconds }))
    }

    async fn undo(&self, _ctx: &StepContext<'_>) -> Result<(), StepError> {
        Ok(())
    }
}

async fn measure(work: &Work, begun: &Begun) -> Result<Measured, ReclaimError> {
    let session = &mut work.connect().await?;
    let server = Capabilities::probe(session).await?;
    verify::no_errant(work, session, &server, &begun.own, undo::SPARE).await?;
    let ours = |space: &&UndoSpace| begun.names.contains(&space.name);
    let after = undo::spaces(session, &server).await?.iter().filter(ours).map(|space| space.bytes).sum();
    Ok(Measured { node: work.table.node.clone(), before: begun.before, after, spaces: Vec::new() })
}
