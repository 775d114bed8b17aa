//! Step `gate`: every gate is asked until all say go, one says never, or the table's limit runs out.

use super::{Work, file, rights};
use crate::{
    ReclaimError,
    gates::{
        backup_lock, budget, disk, history_list, lag, long_transaction, metadata_lock, row_log, unanswered, window,
        writer,
    },
    plan::settings,
};
use api::GateVerdict;
use async_trait::async_trait;
use jobs::{Step, StepContext, StepError};
use mysql::{Capabilities, Session, SqlError};
use serde_json::{Value, json};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use types::{Code, Failure};

/// The first step of a unit. Changes nothing, so there is nothing to undo.
pub(crate) struct Gate(pub Arc<Work>);

#[async_trait]
impl Step for Gate {
    fn name(&self) -> &'static str {
        "gate"
    }

    async fn act(&self, ctx: &StepContext<'_>) -> Result<Value, StepError> {
        if self.0.pauses {
            return Err(StepError::Paused);
        }
        let begun = self.0.clock.instant();
        let needed = pass(&self.0, ctx.cancel(), LogLimit::MayBeRaised).await?;
        Ok(json!({ "waited_seconds": self.0.clock.since(begun).as_secs_f64(), "row_log_bytes": needed }))
    }

    async fn undo(&self, _ctx: &StepContext<'_>) -> Result<(), StepError> {
        Ok(())
    }
}

/// What the gates say together: the first that does not pass, by name.
enum Answer {
    /// With the bytes the row log will need, as measured just now.
    Go(u64),
    Wait(String),
    Never(&'static str, String),
}

/// What the row log may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogLimit {
    /// Step `arm` raises it as the gate's answer demands.
    MayBeRaised,
    /// What step `arm` noted, if it raises it at all; else what is in force.
    Noted(Option<u64>),
}

/// Waits until every gate passes; the bytes the row log was measured to need.
pub(crate) async fn pass(work: &Work, cancel: &CancellationToken, limit: LogLimit) -> Result<u64, StepError> {
    let mut waited = false;
    loop {
        let reason = match ask(work, limit).await.map_err(failed)? {
            // To begin what would be killed half-way wastes what it writes.
            Answer::Go(_) if waited && work.left().as_secs_f64() < work.table.predicted_seconds => {
                let left = work.left().as_secs();
                let reason =
                    format!("of its timeout {left} s are left, and it would take {:.0}", work.table.predicted_seconds);
                return Err(failed(work.waited_too_long(&reason)));
            }
            Answer::Go(needed) => return Ok(needed),
            Answer::Never(gate, reason) => return Err(failed(work.refused(gate, reason))),
            Answer::Wait(reason) => reason,
        };
        if work.left().is_zero() {
            return Err(failed(work.waited_too_long(&reason)));
        }
        waited = true;
        work.sink.phase(&format!("waiting: {reason}")).await;
        rest(work, cancel, work.beat).await?;
    }
}

/// Sleeps no longer than the table's limit, or until the job is to stop.
pub(crate) async fn rest(work: &Work, cancel: &CancellationToken, span: std::time::Duration) -> Result<(), StepError> {
    tokio::select! {
        () = cancel.cancelled() => Err(StepError::Cancelled),
        () = work.clock.sleep(span.min(work.left())) => Ok(()),
    }
}

/// A failure of this room as a failed step.
pub(crate) fn failed(error: impl Into<ReclaimError>) -> StepError {
    StepError::Failed(Failure::from(error.into()))
}

/// True if a step failed only because the server could not be reached or the session broke: it may be restarting.
pub(crate) fn is_transient(error: &StepError) -> bool {
    match error {
        StepError::Failed(failure) => {
            // A server that does not answer within a session's limit, not one of our own limits that ran out.
            let silent = failure.code == Code::TimedOut && failure.details.contains_key("limit_seconds");
            silent || (failure.code == Code::ConnectFailed && !failure.details.contains_key("mysql_error"))
        }
        _ => false,
    }
}

/// After a transient failure: waits a beat, or fails for good once the table's limit has run out.
pub(crate) async fn again(work: &Work, cancel: &CancellationToken, error: StepError) -> Result<(), StepError> {
    if !is_transient(&error) || work.left().is_zero() {
        return Err(error);
    }
    if let (StepError::Failed(failure), true) = (&error, work.patience.is_zero()) {
        return Err(StepError::Parked(failure.clone()));
    }
    work.sink.phase(&format!("waiting: {error}")).await;
    rest(work, cancel, work.beat).await
}

/// Asks until there is an answer, through failures that may pass.
pub(crate) async fn persist<T, F>(work: &Work, cancel: &CancellationToken, ask: impl Fn() -> F) -> Result<T, StepError>
where
    F: Future<Output = Result<T, ReclaimError>>,
{
    loop {
        match ask().await.map_err(failed) {
            Err(error) => again(work, cancel, error).await?,
            Ok(answer) => return Ok(answer),
        }
    }
}

/// Why the job's locks on the node and on the writers are not in its hand just now; another holder is a failure.
pub(crate) async fn unheld(work: &Work) -> Result<Option<String>, ReclaimError> {
    match work.node.hold.ensure().await {
        Ok(()) => Ok(None),
        Err(error @ (ReclaimError::Sql(_) | ReclaimError::LeaseLost { .. })) => Ok(Some(error.to_string())),
        Err(other) => Err(other),
    }
}

/// Waits until the job's locks are in its hand.
pub(crate) async fn until_held(work: &Work, cancel: &CancellationToken) -> Result<(), StepError> {
    while let Some(reason) = unheld(work).await.map_err(failed)? {
        if work.left().is_zero() {
            return Err(failed(work.waited_too_long(&reason)));
        }
        work.sink.phase(&format!("waiting: {reason}")).await;
        rest(work, cancel, work.beat).await?;
    }
    Ok(())
}

async fn ask(work: &Work, limit: LogLimit) -> Result<Answer, ReclaimError> {
    if let Some(reason) = unheld(work).await? {
        return Ok(Answer::Wait(reason));
    }
    let mut session = match work.connect().await {
        Ok(session) => session,
        Err(error) => return Ok(of("connection", unanswered("the server", &error)).unwrap_or(Answer::Go(0))),
    };
    let answer = ask_all(work, &mut session, limit).await;
    session.close().await;
    Ok(answer)
}

fn of(gate: &'static str, verdict: GateVerdict) -> Option<Answer> {
    match verdict {
        GateVerdict::Pass => None,
        GateVerdict::Wait { reason } => Some(Answer::Wait(reason)),
        GateVerdict::Refuse { reason } => Some(Answer::Never(gate, reason)),
    }
}

/// The gates in order: what can never pass before what may, cheap before dear.
async fn ask_all(work: &Work, session: &mut Session, limit: LogLimit) -> Answer {
    let test = writer::probe(session, work.node.sample.as_ref()).await;
    if let Some(answer) = of("writer", writer::verdict(&test, work.exclude_primary)) {
        // A replica that is stopped for a moment looks like a writer to the test; only if it may write is it "never".
        return if stopped_only(&test) { hesitant(answer) } else { answer };
    }
    let asked = rights::ask(session).await;
    if let Some(answer) = of("privilege", rights::verdict(work, &asked)) {
        return answer;
    }
    if let Some(answer) =
        of("window", window::verdict(work.window.as_ref(), work.clock.now(), work.table.predicted_seconds))
    {
        return answer;
    }
    if let Some(answer) = of("budget", spends(work).await) {
        return answer;
    }
    let behind = topology::lag(session, work.node.heartbeat.as_ref()).await;
    if let Some(answer) = of("lag", lag::verdict(&behind, work.max_lag, work.node.is_replica)) {
        return answer;
    }
    let oldest = long_transaction::probe(session).await;
    if let Some(answer) = of("long_transaction", long_transaction::verdict(&oldest, work.long_transaction_seconds)) {
        return answer;
    }
    let history = history_list::probe(session).await;
    if let Some(answer) = of("history_list", history_list::verdict(&history, history_list::LIMIT)) {
        return answer;
    }
    if let Some(answer) = of("backup_lock", backup_lock::verdict(&backup_lock::probe(session).await)) {
        return answer;
    }
    if let Some(answer) = locks(work, session).await {
        return answer;
    }
    let verdict = room(work, session).await.unwrap_or_else(|error| unanswered("the disks", &error));
    if let Some(answer) = of("disk", verdict) {
        return answer;
    }
    match log(work, session, limit).await {
        Ok((needed, most)) => of("row_log", row_log::verdict(needed, most))
            // Writes may calm down, and then the right is not needed.
            .or_else(|| of("privilege", rights::verdict_for_log(work, &asked, needed)).map(hesitant))
            .unwrap_or(Answer::Go(needed)),
        Err(error) => of("row_log", unanswered("the rate of changes", &error)).unwrap_or(Answer::Go(0)),
    }
}

/// What is written anew costs the node and those a logged statement flows to; undo tablespaces are only cut.
async fn spends(work: &Work) -> GateVerdict {
    if work.is_undo() {
        return GateVerdict::Pass;
    }
    let nodes = super::pays(&work.table, &work.below);
    let bytes = budget::predicted_bytes(&work.table.estimate);
    work.account.verdict(&nodes, bytes, work.table.predicted_seconds, work.begun).await
}

/// The disk must hold what the plan foresaw, and what the table grew by since: all of that may be rows.
async fn room(work: &Work, session: &mut Session) -> Result<GateVerdict, SqlError> {
    let grown = now_bytes(work, session).await?.saturating_sub(work.table.estimate.file_bytes);
    // What sorts nothing sorts nothing of a larger table either.
    let [data, tmp] = [work.table.data_bytes_needed, work.table.tmp_bytes_needed];
    let tmp = if tmp == 0 { 0 } else { tmp.saturating_add(grown) };
    Ok(disk::verdict(&disk::probe(session).await?, data.saturating_add(grown), tmp))
}

/// What is to be written anew takes now.
async fn now_bytes(work: &Work, session: &mut Session) -> Result<u64, SqlError> {
    if work.is_undo() {
        return Ok(work.table.estimate.file_bytes);
    }
    let capabilities = Capabilities::probe(session).await?;
    Ok(file::identity(session, &capabilities, &work.name()).await?.bytes(work.partitions()))
}

/// Nobody locks undo tablespaces as one does tables.
async fn locks(work: &Work, session: &mut Session) -> Option<Answer> {
    if work.is_undo() {
        return None;
    }
    let holders = metadata_lock::probe(session, &work.name()).await;
    of("metadata_lock", metadata_lock::verdict(&holders))
}

/// True if the only thing against the node is that its replication stands still: that is waited for like lag.
fn stopped_only(test: &Result<topology::WriterVerdict, mysql::SqlError>) -> bool {
    let still = |reason: &String| reason.starts_with("no inbound channel is healthy");
    test.as_ref().is_ok_and(|test| !test.reasons.is_empty() && test.reasons.iter().all(still))
}

fn hesitant(answer: Answer) -> Answer {
    match answer {
        Answer::Never(_, reason) => Answer::Wait(reason),
        other => other,
    }
}

/// The row log's need by the rate of the last beat, and the most it may be; only an online rebuild keeps one.
async fn log(work: &Work, session: &mut Session, limit: LogLimit) -> Result<(u64, u64), SqlError> {
    if work.table.strategy != api::Strategy::InPlace {
        return Ok((0, 0));
    }
    let capabilities = Capabilities::probe(session).await?;
    let before = row_log::counts(session, &capabilities, &work.clock).await?;
    work.clock.sleep(work.beat.min(work.left())).await;
    let after = row_log::counts(session, &capabilities, &work.clock).await?;
    let rate = row_log::rate(&before, &after, &work.name(), &work.clock);
    let rows = format!(
        "SELECT TABLE_ROWS AS r FROM information_schema.TABLES WHERE TABLE_SCHEMA = {} AND TABLE_NAME = {}",
        mysql::literal(&work.table.database),
        mysql::literal(&work.table.table)
    );
    let rows = session.row(&rows).await?.and_then(|row| row.parse::<f64>("r")).unwrap_or(1.0).max(1.0);
    let row_bytes = work.table.estimate.file_bytes as f64 / rows;
    let needed = row_log::needed(rate, row_bytes, work.table.predicted_seconds);
    let most = match limit {
        LogLimit::MayBeRaised => row_log::CEILING,
        LogLimit::Noted(Some(noted)) => noted,
        LogLimit::Noted(None) => settings(session, &capabilities).await?.row_log_limit,
    };
    Ok((needed, most))
}
