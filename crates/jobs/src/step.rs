//! A step of a unit, and what it is given to work with.

use crate::{Event, Journal, JournalEntry, StoreError};
use async_trait::async_trait;
use runtime::Clock;
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use types::Failure;

/// Why a step ended without its effect.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// It saw the cancel token and stopped.
    #[error("stopped on request")]
    Cancelled,
    /// It could not, and knows that its effect did not happen or is covered by its undo.
    #[error(transparent)]
    Failed(Failure),
    /// It cannot know whether its effect happened. Never retried blind: the undo must look first.
    #[error("outcome unknown: {0}")]
    Ambiguous(Failure),
    /// It cannot go on now, and what is done must not be taken back for that: the unit is left as it stands, nothing is
    /// journaled, and the act is run again when the job is.
    #[error(transparent)]
    Parked(Failure),
    /// It put back, for now, what it had lowered, and went no further because it was told to begin nothing. Left as it
    /// stands like [`StepError::Parked`], but nothing is wrong.
    #[error("paused")]
    Paused,
    /// The journal could not be written; everything stops where it is and whoever holds the lease next resumes.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// One step. Both halves must be safe to run twice: after a crash the engine runs the half again that was under way.
#[async_trait]
pub trait Step: Send + Sync {
    /// Name in the journal, unique within its unit and stable across releases.
    fn name(&self) -> &'static str;

    /// Acts, and returns what later steps and the report need. [`StepContext::resumed`] tells that an earlier run may
    /// have acted already; [`StepContext::notes`] what it wrote down. Long work must watch [`StepContext::cancel`].
    async fn act(&self, ctx: &StepContext<'_>) -> Result<Value, StepError>;

    /// Takes the effect back, whole, partial or absent: `act` may have got anywhere, and an earlier undo as well.
    async fn undo(&self, ctx: &StepContext<'_>) -> Result<(), StepError>;

    /// True if the unit has got what it came for once this step is done: a cancel from then on lets the unit finish
    /// instead of taking it back. Failures still take it back.
    fn is_pivot(&self) -> bool {
        false
    }
}

/// A step's view of its unit's journal.
pub struct StepContext<'a> {
    pub(crate) journal: &'a Journal,
    pub(crate) unit: &'a str,
    pub(crate) step: &'static str,
    pub(crate) cancel: CancellationToken,
    pub(crate) resumed: bool,
}

impl StepContext<'_> {
    /// Writes down, durably before it returns, what must be found again after a crash. Call it before the effect.
    pub async fn note(&self, value: Value) -> Result<(), StepError> {
        Ok(self.journal.append(self.unit, self.step, Event::Noted(value)).await?)
    }

    /// This step's notes in order, those of earlier runs included.
    pub fn notes(&self) -> Vec<Value> {
        self.notes_of(self.step)
    }

    /// Notes of another step of this unit.
    pub fn notes_of(&self, step: &str) -> Vec<Value> {
        let noted = |entry: JournalEntry| match entry.event {
            Event::Noted(value) if entry.step == step => Some(value),
            _ => None,
        };
        self.journal.entries(self.unit).into_iter().filter_map(noted).collect()
    }

    /// What an earlier step of this unit returned; `None` if it is not done.
    pub fn output(&self, step: &str) -> Option<Value> {
        let done = |entry: JournalEntry| match entry.event {
            Event::Done(value) if entry.step == step => Some(value),
            _ => None,
        };
        self.journal.entries(self.unit).into_iter().filter_map(done).next_back()
    }

    /// Cancelled when the job is to stop; never during an undo.
    pub fn cancel(&self) -> &CancellationToken {
        &self.cancel
    }

    /// Where time comes from.
    pub fn clock(&self) -> &Clock {
        self.journal.clock()
    }

    /// True if an earlier run may have begun this half of the step and not ended it; always true in an undo.
    pub fn resumed(&self) -> bool {
        self.resumed
    }

    /// The same as an act that follows a crash sees it.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn again(&self) -> StepContext<'_> {
        StepContext { cancel: self.cancel.clone(), resumed: true, ..*self }
    }

    /// Which unit.
    pub fn unit(&self) -> &str {
        self.unit
    }

    /// Which job.
    pub fn job(&self) -> &types::JobId {
        self.journal.job()
    }
}
