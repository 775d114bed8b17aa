//! What a journal tells of the cost of rebuilds: when each attempt began and ended, and the bytes it wrote.

use super::{LAST, attempt::Attempt, statement, verify::Report};
use crate::gates::budget::Spending;
use jiff::Timestamp;
use jobs::{Event, JournalEntry};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::HashMap;

/// Journaled at the end of an attempt that left the table in its old file: what comes after it is waiting and no work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Ceased {
    /// When it was over.
    pub ceased_at: Timestamp,
    /// Bytes it is taken to have written.
    pub written: u64,
}

/// One unit, as far as it was read.
#[derive(Default)]
struct Cost {
    /// On the node itself, attempt by attempt.
    here: Vec<Spending>,
    /// On the nodes below that a logged statement flows to.
    below: Vec<Spending>,
    /// Names of those nodes.
    names: Vec<String>,
}

/// All that the units of a journal spent. `visit` shows every entry of it, those of one unit in order.
pub(crate) fn spent(visit: impl FnOnce(&mut dyn FnMut(&JournalEntry))) -> Result<Vec<Spending>, serde_json::Error> {
    let mut units: HashMap<String, Cost> = HashMap::new();
    let mut broken = None;
    visit(&mut |entry| {
        let is_ours = entry.step == statement::NAME || entry.step == LAST;
        // A unit's name begins with its node's, in which there is no slash.
        if let (true, Some((node, _))) = (is_ours, entry.unit.split_once('/')) {
            if !units.contains_key(&entry.unit) {
                units.insert(entry.unit.clone(), Cost::default());
            }
            let Some(cost) = units.get_mut(&entry.unit) else { return };
            if let Err(error) = cost.read(node, entry) {
                broken = Some(error);
            }
        }
    });
    match broken {
        Some(error) => Err(error),
        None => Ok(units.into_values().flat_map(|cost| cost.here.into_iter().chain(cost.below)).collect()),
    }
}

impl Cost {
    fn read(&mut self, node: &str, entry: &JournalEntry) -> Result<(), serde_json::Error> {
        match (entry.step.as_str(), &entry.event) {
            (statement::NAME, Event::Noted(value)) => return self.noted(node, value, entry.at),
            (statement::NAME, Event::Done(_)) => {
                close(&mut self.here, entry.at);
                self.flows_on(entry.at);
            }
            // Also of a step that failed: its undo sees to it that the statement is gone, and only then is it over.
            (statement::NAME, Event::Undone) => close(&mut self.here, entry.at),
            (LAST, Event::Done(output)) => self.measured(node, output, entry.at),
            (LAST, Event::Undone) => close(&mut self.below, entry.at),
            _ => {}
        }
        Ok(())
    }

    fn noted(&mut self, node: &str, value: &Value, at: Timestamp) -> Result<(), serde_json::Error> {
        if value.get("ceased_at").is_some() {
            let ceased = Ceased::deserialize(value)?;
            if let Some(last) = self.here.last_mut().filter(|last| last.until.is_none()) {
                (last.until, last.bytes) = (Some(ceased.ceased_at), ceased.written);
            }
        } else if value.get("marker").is_some() {
            let attempt = Attempt::deserialize(value)?;
            close(&mut self.here, at);
            // Journals of older versions tell no prediction; a table is hardly larger after than before.
            let bytes = attempt.predicted.unwrap_or_else(|| attempt.before.bytes(&[]));
            self.names = attempt.below.into_iter().map(|(name, _)| name).collect();
            self.here.push(Spending { node: node.to_owned(), at: attempt.at, until: None, bytes });
        }
        Ok(())
    }

    /// The statement is through on the node, and flows to those below.
    fn flows_on(&mut self, at: Timestamp) {
        let Some(bytes) = self.here.last().map(|last| last.bytes) else { return };
        let spending = |node: String| Spending { node, at, until: None, bytes };
        self.below = std::mem::take(&mut self.names).into_iter().map(spending).collect();
    }

    fn measured(&mut self, node: &str, output: &Value, at: Timestamp) {
        close(&mut self.below, at);
        // Units of another kind end otherwise, and have no attempts.
        let Ok(report) = Report::deserialize(output) else { return };
        for measured in &report.measured {
            let found = if measured.node == node {
                self.here.last_mut()
            } else {
                self.below.iter_mut().find(|one| one.node == measured.node)
            };
            if let Some(one) = found {
                one.bytes = measured.after;
            }
        }
    }
}

fn close(spendings: &mut [Spending], at: Timestamp) {
    for one in spendings.iter_mut().filter(|one| one.until.is_none()) {
        one.until = Some(at);
    }
}

#[cfg(test)]
mod tests;
