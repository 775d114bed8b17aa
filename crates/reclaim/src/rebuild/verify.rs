//! Step `verify`: what was really freed, by the files on each node, and that nothing else changed.

use super::{
    Work,
    attempt::Attempt,
    file,
    gate::{self, failed},
    look,
};
use crate::{ReclaimError, gates::errant, trade::address};
use api::GateVerdict;
use async_trait::async_trait;
use jobs::{Step, StepContext, StepError};
use mysql::{Capabilities, Endpoint, Session, SqlError, table_ident};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::sync::Arc;
use types::{GtidSet, TableName};

/// One table on one node, before and after.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Measured {
    /// `host:port`.
    pub node: String,
    /// File bytes of what was rebuilt, before.
    pub before: u64,
    /// The same after.
    pub after: u64,
    /// Ids of the tablespaces measured after; none for undo tablespaces, and in journals of older versions.
    #[serde(default)]
    pub spaces: Vec<u64>,
}

/// What a unit comes to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Report {
    /// The node worked on, and after a logged statement those below it.
    pub measured: Vec<Measured>,
    /// Seconds the statement ran.
    pub seconds: f64,
}

/// What a unit that is done came to.
pub(crate) fn report(outputs: &Map<String, Value>) -> Result<Report, ReclaimError> {
    let missing = || ReclaimError::BadDocument("a unit ended without a report".to_owned());
    let report = outputs.get(super::LAST).cloned().ok_or_else(missing)?;
    serde_json::from_value(report).map_err(|_| missing())
}

/// The last step.
pub(crate) struct Verify(pub Arc<Work>);

#[async_trait]
impl Step for Verify {
    fn name(&self) -> &'static str {
        super::LAST
    }

    async fn act(&self, ctx: &StepContext<'_>) -> Result<Value, StepError> {
        let work = &*self.0;
        if work.pauses {
            return Err(StepError::Paused);
        }
        work.sink.phase("verifying").await;
        let output = ctx.output(super::statement::NAME).unwrap_or_default();
        let seconds = output.get("seconds").and_then(Value::as_f64).unwrap_or(0.0);
        let attempt: Attempt = serde_json::from_value(output.get("attempt").cloned().unwrap_or_default())
            .map_err(|error| failed(ReclaimError::BadDocument(error.to_string())))?;
        let here = gate::persist(work, ctx.cancel(), || here(work, &attempt)).await?;
        let mut measured = vec![here];
        // Those it was sent to, by name: who is below now may have changed, or come in another order.
        for (node, before) in &attempt.below {
            let bad = || failed(ReclaimError::BadDocument(format!("no address: {node}")));
            let endpoint = work.node.endpoint.at(address(node).ok_or_else(bad)?);
            measured.push(below(work, ctx, &endpoint, before, &attempt.marker).await?);
        }
        Ok(json!(Report { measured, seconds }))
    }

    async fn undo(&self, _ctx: &StepContext<'_>) -> Result<(), StepError> {
        Ok(())
    }
}

async fn here(work: &Work, attempt: &Attempt) -> Result<Measured, ReclaimError> {
    let session = &mut work.connect().await?;
    let capabilities = Capabilities::probe(session).await?;
    let table = work.name();
    let now = file::identity(session, &capabilities, &table).await?;
    session.run(&format!("SELECT 1 FROM {} LIMIT 1", table_ident(&table))).await?;
    if definition(session, &table).await? != attempt.definition {
        work.sink.note(format!("{}: the definition of {table} changed during the rebuild", work.table.node)).await;
    }
    no_errant(work, session, &capabilities, &attempt.own, &attempt.marker).await?;
    let partitions = work.partitions();
    Ok(Measured {
        node: work.table.node.clone(),
        before: attempt.before.bytes(partitions),
        after: now.bytes(partitions),
        spaces: now.ids_of(partitions),
    })
}

/// Refuses if a node that must not write anything of its own has done so since; `marker` stands in our statement.
pub(super) async fn no_errant(
    work: &Work,
    session: &mut Session,
    capabilities: &Capabilities,
    own: &str,
    marker: &str,
) -> Result<(), ReclaimError> {
    if !(work.is_local() && work.exclude_primary) {
        return Ok(());
    }
    let unreadable = |_| ReclaimError::BadDocument(format!("no GTID set: {own}"));
    let before: GtidSet = own.parse().map_err(unreadable)?;
    let after = errant::own(session, capabilities).await?;
    if let GateVerdict::Refuse { reason } = errant::verdict(&before, &after) {
        let reason = errant::explained(session, &after.subtract(&before), marker, reason).await;
        work.sink.note(format!("{}: {reason}", work.table.node)).await;
        return Err(work.refused("errant_gtid", reason));
    }
    Ok(())
}

/// Waits until the logged statement has been applied on a node below: the table lies in new files and nothing of ours runs.
async fn below(
    work: &Work,
    ctx: &StepContext<'_>,
    endpoint: &Endpoint,
    before: &file::Identity,
    marker: &str,
) -> Result<Measured, StepError> {
    let begun = work.clock.instant();
    loop {
        let reason = match look_below(work, endpoint, before, marker).await {
            Ok(Some(measured)) => return Ok(measured),
            Ok(None) => "the logged statement has not been applied there yet".to_owned(),
            Err(error) if work.patience.is_zero() => return Err(StepError::Parked(error.into())),
            Err(error) => error.to_string(),
        };
        if work.clock.since(begun) >= work.timeout {
            let node = endpoint.address.clone();
            return Err(failed(ReclaimError::NotCaughtUp { node, reason, limit: work.timeout }));
        }
        work.sink.phase(&format!("waiting: {}: {reason}", endpoint.address)).await;
        tokio::select! {
            () = ctx.cancel().cancelled() => return Err(StepError::Cancelled),
            () = work.clock.sleep(work.beat) => {}
        }
    }
}

async fn look_below(
    work: &Work,
    endpoint: &Endpoint,
    before: &file::Identity,
    marker: &str,
) -> Result<Option<Measured>, SqlError> {
    let mut session = Session::connect(endpoint).await?;
    let capabilities = Capabilities::probe(&mut session).await?;
    let running = look::running(&mut session, marker).await?.is_some();
    let now = file::identity(&mut session, &capabilities, &work.name()).await?;
    // Between the two it may have begun: files count only if it ran neither before nor after they were looked at.
    let running = running || look::running(&mut session, marker).await?.is_some();
    session.close().await;
    let partitions = work.partitions();
    let node = endpoint.address.to_string();
    let applied = !running && now.renewed_since(before, partitions);
    let spaces = now.ids_of(partitions);
    Ok(applied.then(|| Measured { node, before: before.bytes(partitions), after: now.bytes(partitions), spaces }))
}

/// A table's definition without its counter, which moves by itself.
pub(super) async fn definition(session: &mut Session, table: &TableName) -> Result<String, SqlError> {
    let row = session.row(&format!("SHOW CREATE TABLE {}", table_ident(table))).await?;
    let text = row.and_then(|row| row.text("Create Table")).unwrap_or_default();
    Ok(without_counter(&text))
}

fn without_counter(text: &str) -> String {
    let Some((head, tail)) = text.split_once(" AUTO_INCREMENT=") else { return text.to_owned() };
    format!("{head}{}", tail.trim_start_matches(|c: char| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counter_is_no_part_of_the_definition() {
        assert_eq!(without_counter("… ENGINE=InnoDB AUTO_INCREMENT=17 DEFAULT …"), "… ENGINE=InnoDB DEFAULT …");
        assert_eq!(without_counter("plain"), "plain");
    }
}
