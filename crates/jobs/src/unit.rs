//! Runs one unit: its steps forward, or back in reverse once it failed or was cancelled, from wherever the journal says.

use crate::{Event, Journal, Step, StepContext, StepError, StoreError, panics};
use futures::FutureExt;
use serde_json::{Map, Value};
use std::{collections::HashMap, future::Future, panic::AssertUnwindSafe};
use tokio_util::sync::CancellationToken;
use types::{Code, Failure};

/// A short saga: one table on one node.
pub struct Unit {
    /// Name in the journal, unique within its job, such as `127.0.0.1:3306/db/t`.
    pub key: String,
    /// In the order they act; undone in reverse.
    pub steps: Vec<Box<dyn Step>>,
}

/// How a unit ended. The same unit run again under the same journal ends the same way without acting.
#[derive(Debug, Clone, PartialEq)]
pub enum UnitOutcome {
    /// Every step is done; what each returned.
    Done(Map<String, Value>),
    /// A step failed and everything was taken back.
    Failed(Failure),
    /// It was cancelled and everything was taken back.
    Cancelled,
    /// A step put back what it had lowered and waits; running the unit again goes on with it.
    Paused,
    /// A step could not go on for now, or taking back did not succeed; running the unit again tries again. Something may
    /// still be lowered on the server.
    Stuck(Failure),
}

/// Where a step stands:
/// `(fresh) → Started → Done`, and from the last two `→ Undone` once the unit is taken back.
#[derive(Debug, Clone, PartialEq)]
enum Phase {
    Started,
    Done(Value),
    Undone,
}

/// Why a unit is taken back.
#[derive(Debug, Clone, PartialEq)]
enum Ending {
    Failed(Failure),
    Cancelled,
    /// Not taken back at all: it goes on when it is run again.
    Parked(Failure),
    /// The same, and nothing is wrong.
    Paused,
}

/// What the journal says of a unit.
#[derive(Debug, Default)]
struct Progress {
    steps: HashMap<String, Phase>,
    ending: Option<Ending>,
}

impl Ending {
    fn outcome(self) -> UnitOutcome {
        match self {
            Ending::Failed(failure) => UnitOutcome::Failed(failure),
            Ending::Cancelled => UnitOutcome::Cancelled,
            Ending::Parked(failure) => UnitOutcome::Stuck(failure),
            Ending::Paused => UnitOutcome::Paused,
        }
    }
}

impl Progress {
    /// What each step that is done returned.
    fn outputs(self) -> Map<String, Value> {
        let done = |(step, phase)| match phase {
            Phase::Done(value) => Some((step, value)),
            Phase::Started | Phase::Undone => None,
        };
        self.steps.into_iter().filter_map(done).collect()
    }

    fn read(journal: &Journal, unit: &str) -> Progress {
        let mut progress = Progress::default();
        for entry in journal.entries(unit) {
            let phase = match entry.event {
                Event::Started => Phase::Started,
                Event::Done(value) => Phase::Done(value),
                Event::Undone => Phase::Undone,
                Event::Noted(_) => continue,
                Event::Failed(failure) => {
                    progress.ending = Some(Ending::Failed(failure));
                    continue;
                }
                Event::Cancelled => {
                    progress.ending = Some(Ending::Cancelled);
                    continue;
                }
            };
            progress.steps.insert(entry.step, phase);
        }
        progress
    }
}

/// True for a unit that was begun and has no [`end`] yet: running it again would still act.
pub fn is_open(journal: &Journal, unit: &str, last: &str) -> bool {
    !journal.entries(unit).is_empty() && end(journal, unit, last).is_none()
}

/// How a unit ended: done, which it is once its step `last` is, or wholly taken back. `None` while it has not.
pub fn end(journal: &Journal, unit: &str, last: &str) -> Option<UnitOutcome> {
    let progress = Progress::read(journal, unit);
    let Some(ending) = progress.ending else {
        return matches!(progress.steps.get(last), Some(Phase::Done(_))).then(|| UnitOutcome::Done(progress.outputs()));
    };
    progress.steps.values().all(|phase| *phase == Phase::Undone).then(|| ending.outcome())
}

/// Runs the unit to its end, resuming from the journal. On failure or cancel every step that is done or was started is
/// undone in reverse. `Err` means the journal could not be written (store down, lease lost): nothing more was done.
///
/// Dropping the future is a crash the engine is built for: the next run resumes.
pub async fn run_unit(journal: &Journal, unit: &Unit, cancel: &CancellationToken) -> Result<UnitOutcome, StoreError> {
    journal.mend().await?;
    let run = Run { journal, unit, cancel };
    let ending = match Progress::read(journal, &unit.key).ending {
        Some(ending) => ending,
        None => match run.forward().await? {
            Ok(outputs) => return Ok(UnitOutcome::Done(outputs)),
            Err(ending @ (Ending::Parked(_) | Ending::Paused)) => return Ok(ending.outcome()),
            Err(ending) => ending,
        },
    };
    run.back(ending).await
}

struct Run<'a> {
    journal: &'a Journal,
    unit: &'a Unit,
    cancel: &'a CancellationToken,
}

impl Run<'_> {
    async fn forward(&self) -> Result<Result<Map<String, Value>, Ending>, StoreError> {
        let earlier = Progress::read(self.journal, &self.unit.key);
        let mut outputs = Map::new();
        let mut past_pivot = false;
        for step in &self.unit.steps {
            let phase = earlier.steps.get(step.name());
            let output = match phase {
                Some(Phase::Done(value)) => value.clone(),
                _ if self.cancel.is_cancelled() && !past_pivot => {
                    return self.end(step.name(), Ending::Cancelled).await;
                }
                _ => match self.act(step.as_ref(), phase.is_some(), past_pivot).await? {
                    Ok(value) => value,
                    Err(ending) => return self.end(step.name(), ending).await,
                },
            };
            past_pivot |= step.is_pivot();
            outputs.insert(step.name().to_owned(), output);
        }
        Ok(Ok(outputs))
    }

    async fn act(&self, step: &dyn Step, resumed: bool, past_pivot: bool) -> Result<Result<Value, Ending>, StoreError> {
        if !resumed {
            self.write(step.name(), Event::Started).await?;
        }
        let cancel = if past_pivot { CancellationToken::new() } else { self.cancel.clone() };
        let context = self.context(step, cancel, resumed);
        match guarded(step.act(&context)).await {
            Ok(value) => {
                self.write(step.name(), Event::Done(value.clone())).await?;
                Ok(Ok(value))
            }
            Err(StepError::Store(error)) => Err(error),
            Err(StepError::Cancelled) => Ok(Err(Ending::Cancelled)),
            Err(StepError::Failed(failure)) => Ok(Err(Ending::Failed(failure))),
            Err(StepError::Parked(failure)) => Ok(Err(Ending::Parked(failure))),
            Err(StepError::Paused) => Ok(Err(Ending::Paused)),
            Err(StepError::Ambiguous(failure)) => Ok(Err(Ending::Failed(failure.with("outcome", "unknown")))),
        }
    }

    /// Decides, durably, that the unit is taken back: from here on no resume runs forward again.
    async fn end<T>(&self, step: &str, ending: Ending) -> Result<Result<T, Ending>, StoreError> {
        let event = match &ending {
            Ending::Failed(failure) => Event::Failed(failure.clone()),
            Ending::Cancelled => Event::Cancelled,
            Ending::Parked(_) | Ending::Paused => return Ok(Err(ending)),
        };
        self.write(step, event).await?;
        Ok(Err(ending))
    }

    async fn back(&self, ending: Ending) -> Result<UnitOutcome, StoreError> {
        let progress = Progress::read(self.journal, &self.unit.key);
        for step in self.unit.steps.iter().rev() {
            if !matches!(progress.steps.get(step.name()), Some(Phase::Started | Phase::Done(_))) {
                continue;
            }
            let context = self.context(step.as_ref(), CancellationToken::new(), true);
            match guarded(step.undo(&context)).await {
                Ok(()) => self.write(step.name(), Event::Undone).await?,
                Err(StepError::Store(error)) => return Err(error),
                Err(error) => return Ok(UnitOutcome::Stuck(stuck(step.name(), error))),
            }
        }
        Ok(ending.outcome())
    }

    fn context(&self, step: &dyn Step, cancel: CancellationToken, resumed: bool) -> StepContext<'_> {
        StepContext { journal: self.journal, unit: &self.unit.key, step: step.name(), cancel, resumed }
    }

    async fn write(&self, step: &str, event: Event) -> Result<(), StoreError> {
        self.journal.append(&self.unit.key, step, event).await
    }
}

fn stuck(step: &str, error: StepError) -> Failure {
    let failure = match error {
        StepError::Failed(failure) | StepError::Parked(failure) => failure,
        StepError::Ambiguous(failure) => failure.with("outcome", "unknown"),
        other => Failure::new(Code::JobState, other, "run the job again: it continues taking the step back"),
    };
    failure.with("undo_of", step)
}

/// A bug in a step must not leave the unit half way: a panic counts as its failure, so that the undo still runs.
async fn guarded<T>(half: impl Future<Output = Result<T, StepError>>) -> Result<T, StepError> {
    AssertUnwindSafe(half).catch_unwind().await.unwrap_or_else(|panic| {
        let text = panics::text(&*panic);
        let next = "this is a defect in Drydock; report it with the log";
        Err(StepError::Failed(Failure::new(Code::JobState, format!("a step panicked: {text}"), next)))
    })
}
