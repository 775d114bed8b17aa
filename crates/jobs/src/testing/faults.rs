//! Steps that go wrong on purpose around a real one.

use super::failure;
use crate::{Step, StepContext, StepError, Unit};
use async_trait::async_trait;
use serde_json::Value;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// The step acts twice, as after a crash between its effect and its journal entry.
    ActTwice,
    /// Its undo runs twice.
    UndoTwice,
    /// It fails without acting.
    FailBefore,
    /// It acts and fails.
    FailAfter,
    /// It acts and does not know.
    AmbiguousAfter,
    /// It acts and panics.
    PanicAfter,
}

/// The unit with the fault in one step, or in every step.
pub(super) fn faulty(unit: Unit, at: Option<usize>, fault: Fault) -> Unit {
    let wrap = |(index, step): (usize, Box<dyn Step>)| -> Box<dyn Step> {
        if at.is_none_or(|at| at == index) { Box::new(Faulty { step, fault }) } else { step }
    };
    Unit { key: unit.key, steps: unit.steps.into_iter().enumerate().map(wrap).collect() }
}

struct Faulty {
    step: Box<dyn Step>,
    fault: Fault,
}

#[async_trait]
impl Step for Faulty {
    fn name(&self) -> &'static str {
        self.step.name()
    }

    async fn act(&self, ctx: &StepContext<'_>) -> Result<Value, StepError> {
        if self.fault == Fault::FailBefore {
            return Err(StepError::Failed(failure("failed before acting")));
        }
        let value = self.step.act(ctx).await?;
        match self.fault {
            Fault::ActTwice => self.step.act(&ctx.again()).await,
            Fault::FailAfter => Err(StepError::Failed(failure("failed after acting"))),
            Fault::AmbiguousAfter => Err(StepError::Ambiguous(failure("the answer was lost"))),
            Fault::PanicAfter => panic!("panicked after acting"),
            Fault::UndoTwice | Fault::FailBefore => Ok(value),
        }
    }

    async fn undo(&self, ctx: &StepContext<'_>) -> Result<(), StepError> {
        self.step.undo(ctx).await?;
        if self.fault == Fault::UndoTwice { self.step.undo(ctx).await } else { Ok(()) }
    }

    fn is_pivot(&self) -> bool {
        self.step.is_pivot()
    }
}
