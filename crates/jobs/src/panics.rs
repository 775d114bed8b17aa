//! Runs of a job that ended by panic: counted in its journal, so that a defect does not bring the job back for ever.

use crate::{Event, JOB, Journal, JournalEntry, StoreError};
use serde_json::json;
use std::any::Any;
use types::{Code, Failure};

/// The step under which the journal holds them.
const STEP: &str = "panicked";

/// What a panic said.
pub(crate) fn text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no text")
}

/// Writes one more down; how many there were since the job last got on.
pub(crate) async fn count(journal: &Journal, text: &str) -> Result<usize, StoreError> {
    journal.mend().await?;
    journal.append(JOB, STEP, Event::Noted(json!(text))).await?;
    Ok(in_a_row(&journal.all()))
}

/// Notes are no progress: a step may write one in each run. All else happens to a step once only, so a job that panics in every
/// run does end.
fn in_a_row(journal: &[JournalEntry]) -> usize {
    let since = journal.iter().rev().take_while(|entry| matches!(entry.event, Event::Noted(_)));
    since.filter(|entry| entry.unit == JOB && entry.step == STEP).count()
}

/// The end of a job that panicked so often, with what it may have left behind.
pub(crate) fn failure(runs: usize, text: &str, left: &[String]) -> Failure {
    let error = format!("the job's work panicked in {runs} runs without getting on: {text}");
    let mut next = "this is a defect in Drydock; report it with the log".to_owned();
    if !left.is_empty() {
        next = format!("{next}, and put back by hand what the job may have left: {}", left.join("; "));
    }
    Failure::new(Code::JobState, error, next)
}
