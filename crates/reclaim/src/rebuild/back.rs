//! Puts back what step `arm` lowered: each thing by itself, and nothing on a node that was promoted meanwhile.

use super::{
    Work,
    arm::Armed,
    look::{self, SUPER_READ_ONLY},
};
use crate::{
    ReclaimError,
    plan::statement::{self, Change},
};
use mysql::{Capabilities, Session};
use std::time::Duration;

/// Longest pause between two tries.
const PAUSE_LIMIT: Duration = Duration::from_secs(8);

/// Puts everything back; tries again for a while if something cannot be.
pub(super) async fn put_back(work: &Work, armed: &Armed) -> Result<(), ReclaimError> {
    if armed.changes.is_empty() && armed.channels.is_empty() {
        return Ok(());
    }
    let begun = work.clock.instant();
    let node = work.node.endpoint.address.clone();
    let mut pause = work.beat;
    loop {
        let mut remarks = Vec::new();
        let outcome = put_back_once(work, armed, &mut remarks).await;
        let late = work.clock.since(begun) >= work.patience;
        if outcome.is_ok() || late {
            for remark in remarks {
                work.sink.note(format!("{node}: {remark}")).await;
            }
        }
        let Err(error) = outcome else { return Ok(()) };
        if late {
            return Err(ReclaimError::NotRestored { node, reason: error.to_string() });
        }
        work.sink.phase(&format!("waiting to restore settings: {error}")).await;
        work.clock.sleep(pause).await;
        pause = (pause * 2).min(PAUSE_LIMIT);
    }
}

/// Tries everything, whatever failed before it; the first error is the answer.
async fn put_back_once(work: &Work, armed: &Armed, remarks: &mut Vec<String>) -> Result<(), ReclaimError> {
    let mut session = work.connect().await?;
    // `super_read_only = ON` waits for running writes to end, and others queue behind it; a failover in that moment
    // must not find us waiting for long.
    session.run("SET SESSION lock_wait_timeout = 1").await?;
    let mut outcome = start(work, &mut session, armed, remarks).await;
    for change in armed.changes.iter().rev() {
        let restored = restore(work, &mut session, armed, change, remarks).await;
        outcome = outcome.and(restored);
    }
    session.close().await;
    outcome
}

/// Starts the appliers that ran before and do not now.
async fn start(
    work: &Work,
    session: &mut Session,
    armed: &Armed,
    remarks: &mut Vec<String>,
) -> Result<(), ReclaimError> {
    if armed.channels.is_empty() {
        return Ok(());
    }
    if armed.read_only && !look::is_read_only(session.value(look::READ_ONLY).await?.as_deref()) {
        remarks.push("read_only is OFF now, so its applier was left stopped".to_owned());
        return Ok(());
    }
    let capabilities = Capabilities::probe(session).await?;
    let there = look::channels(work, session).await?;
    let mut outcome = Ok(());
    for name in &armed.channels {
        match there.iter().find(|channel| channel.name == *name) {
            None => remarks.push(format!("its channel '{name}' is gone, so no applier was started for it")),
            Some(channel) if channel.sql == "Yes" => {}
            Some(_) => {
                let started = session.run(&statement::applier(&capabilities, Some(name)).1).await;
                outcome = outcome.and(started.map_err(ReclaimError::from));
            }
        }
    }
    outcome
}

async fn restore(
    work: &Work,
    session: &mut Session,
    armed: &Armed,
    change: &Change,
    remarks: &mut Vec<String>,
) -> Result<(), ReclaimError> {
    let now = session.value(&format!("SELECT @@GLOBAL.{}", change.name)).await?.unwrap_or_default();
    if !same(&now, &change.value) {
        if !same(&now, &change.old) {
            let (name, old) = (&change.name, &change.old);
            remarks.push(format!("{name} was set to {now} by somebody else meanwhile; it was {old} before"));
        }
        return Ok(());
    }
    if change.name == SUPER_READ_ONLY {
        // It would turn read_only ON as well, on what may be the new primary.
        let promoted = if !look::is_read_only(session.value(look::READ_ONLY).await?.as_deref()) {
            Some("read_only is OFF now")
        } else if armed.replica && look::channels(work, session).await?.is_empty() {
            Some("it has no inbound channel any more")
        } else {
            None
        };
        if let Some(why) = promoted {
            remarks.push(format!("{why}, so super_read_only was left OFF as well"));
            return Ok(());
        }
    }
    Ok(session.run(&change.restore()).await?)
}

/// Whether two spellings mean one value: `OFF` and `0`, `0.03` and `0.030000`.
fn same(a: &str, b: &str) -> bool {
    let number = |text: &str| match text.to_ascii_uppercase().as_str() {
        "ON" => Some(1.0),
        "OFF" => Some(0.0),
        other => other.parse::<f64>().ok(),
    };
    match (number(a), number(b)) {
        (Some(a), Some(b)) => (a - b).abs() < 1e-6,
        _ => a.eq_ignore_ascii_case(b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_known_in_either_spelling() {
        assert!(same("0", "OFF") && same("1", "on") && same("0.030000", "0.03") && same("268435456", "268435456"));
        assert!(!same("1", "OFF") && !same("12.500000", "0.03") && !same("", "OFF"));
    }
}
