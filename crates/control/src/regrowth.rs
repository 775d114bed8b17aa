//! One more look at each job's tables, a while after its end: what of the space given back they have taken again.
//!
//! Several servers may share the store. Each looks under the job's own lease, which nobody else wants once a job is final,
//! and saves with the version it read: of two that look all the same, the second finds a conflict and writes nothing. A look
//! only reads on the servers, so one too many does no harm.

use crate::{Control, hall::lock};
use api::{JobStatus, RecycleDocument, TableResult};
use jiff::Timestamp;
use jobs::{Claim, JobFilter, JobRecord, JobRow, StoreError};
use reclaim::{
    regrowth::{self, Seen},
    trade::{Credentials, KIND},
};
use runtime::Instant;
use std::{
    collections::{BTreeSet, HashMap, HashSet},
    time::Duration,
};
use types::JobId;

/// How long after its moment a look that cannot be had is tried again.
const GIVE_UP: Duration = Duration::from_hours(168);
/// A look whose moment is longer ago was missed while no server ran, or was never wanted: such old jobs are not read.
const MISSED: Duration = Duration::from_hours(720);
/// Longest and shortest distance between two rounds.
const ROUNDS: (Duration, Duration) = (Duration::from_hours(1), Duration::from_millis(500));
/// How soon a changed key is noticed.
const BEAT: Duration = Duration::from_secs(10);
/// Rows listed at once.
const PAGE: u32 = 500;
/// Jobs read at once.
const CHUNK: usize = 20;
/// How long nobody else looks at a job that is being looked at.
const HOLD: Duration = Duration::from_mins(2);

/// Whether a job that ended once is to be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// Its moment is still to come, or long gone.
    Not,
    /// What cannot be seen now is tried again.
    Now,
    /// What cannot be seen now is given up.
    Last,
}

fn turn(ended: Timestamp, after: Duration, now: Timestamp) -> Turn {
    let passed = Duration::try_from(now.duration_since(ended)).unwrap_or_default();
    match passed.checked_sub(after) {
        Some(late) if late > MISSED => Turn::Not,
        Some(late) if late >= GIVE_UP => Turn::Last,
        Some(_) => Turn::Now,
        None => Turn::Not,
    }
}

/// Rounds are rare beside the span they serve.
fn rhythm(after: Duration) -> Duration {
    (after / 100).clamp(ROUNDS.1, ROUNDS.0)
}

/// Writes down what a look came to; false if nothing is settled by it.
fn write(table: &mut TableResult, seen: Seen, at: Timestamp, turn: Turn) -> bool {
    match seen {
        Seen::Grown(bytes) => (table.regrown_bytes, table.regrown_at) = (Some(bytes), Some(at)),
        Seen::Untold(why) => (table.regrown_note, table.regrown_at) = (why, Some(at)),
        Seen::NotNow(why) if turn == Turn::Last => table.regrown_note = format!("given up: {why}"),
        Seen::NotNow(_) => return false,
    }
    true
}

/// Sums up, and says once of each node what was given up there.
fn sum_up(document: &mut RecycleDocument) {
    let tables = &document.job.statistics.tables_processed;
    let told: Vec<i64> = tables.iter().filter_map(|table| table.regrown_bytes).collect();
    document.job.statistics.space_regrown_bytes = (!told.is_empty()).then(|| told.iter().sum());
    let given_up = tables.iter().filter(|table| table.regrown_note.starts_with("given up: "));
    let notes: BTreeSet<String> =
        given_up.map(|table| format!("{}: what grew again was not seen, {}", table.node, table.regrown_note)).collect();
    for note in notes {
        if !document.job.notes.contains(&note) {
            document.job.notes.push(note);
        }
    }
}

/// What one process remembers of its rounds; all of it can be lost.
struct Rounds {
    claim: Claim,
    /// Jobs of the span in question that need no look any more, so that they are not read again.
    settled: HashSet<JobId>,
    /// Nodes and accounts that could not be had in this round, with the reason: the next job does not wait for them again.
    away: HashMap<(String, String), String>,
}

impl Control {
    /// Looks at ended jobs as the settings say, in a server, until the hall ends.
    pub(crate) fn spawn_regrowth(&self) {
        let control = self.clone();
        self.spawn_loop(async move {
            let (mut rounds, mut last) = (control.rounds(), None::<Instant>);
            loop {
                let after = control.settings().regrowth.after;
                let pause = rhythm(after);
                let rests = last.is_some_and(|last| control.hall.clock.since(last) < pause);
                if !after.is_zero() && !rests && control.hall.keyring.is_home() {
                    if let Err(error) = control.look_back(after, &mut rounds).await {
                        tracing::warn!(%error, "what grew again could not be looked up; asking again");
                    }
                    last = Some(control.hall.clock.instant());
                }
                control.hall.clock.sleep(pause.min(BEAT)).await;
            }
        });
    }

    fn rounds(&self) -> Rounds {
        let mut bytes = [0; 8];
        self.hall.random.fill(&mut bytes);
        let owner = format!("regrowth-{}-{:016x}", std::process::id(), u64::from_be_bytes(bytes));
        Rounds { claim: Claim { owner, span: HOLD }, settled: HashSet::new(), away: HashMap::new() }
    }

    /// Ended jobs whose turn it is, page by page: all rows of a large store at once would stay in the process's memory.
    async fn due(&self, after: Duration, now: Timestamp) -> Result<Vec<JobId>, StoreError> {
        let statuses = vec![JobStatus::Completed, JobStatus::Failed, JobStatus::Cancelled];
        // Nothing but a look saves a final job, and a look keeps this time: it is that of the job's end.
        let is_due = |row: &JobRow| row.kind == KIND && turn(row.updated_at, after, now) != Turn::Not;
        let mut due = Vec::new();
        for offset in (0..).step_by(PAGE as usize) {
            let filter = JobFilter { statuses: statuses.clone(), limit: PAGE, offset };
            let rows = self.hall.store.list(&filter).await?.jobs;
            let last = rows.len() < PAGE as usize;
            due.extend(rows.into_iter().filter(is_due).map(|row| row.id));
            if last {
                break;
            }
        }
        Ok(due)
    }

    /// One round. Rows are listed without their bodies; only jobs whose turn it is are read, and settled ones once.
    async fn look_back(&self, after: Duration, rounds: &mut Rounds) -> Result<(), StoreError> {
        let now = self.hall.clock.now();
        let due = self.due(after, now).await?;
        let in_span: HashSet<&JobId> = due.iter().collect();
        rounds.settled.retain(|id| in_span.contains(id));
        rounds.away.clear();
        let open: Vec<JobId> = due.iter().filter(|id| !rounds.settled.contains(*id)).cloned().collect();
        for chunk in open.chunks(CHUNK) {
            for record in self.hall.store.get_many(chunk).await? {
                let turn = turn(record.updated_at, after, now);
                if self.look_again(&record, turn, rounds).await? {
                    rounds.settled.insert(record.id);
                }
            }
        }
        Ok(())
    }

    /// True if the job needs no look any more.
    async fn look_again(&self, record: &JobRecord, turn: Turn, rounds: &mut Rounds) -> Result<bool, StoreError> {
        let Ok(document) = serde_json::from_value::<RecycleDocument>(record.body.clone()) else { return Ok(true) };
        if !awaits(&document) {
            return Ok(true);
        }
        let lease = match self.hall.store.take_lease(record.id.as_str(), &rounds.claim, self.hall.clock.now()).await {
            Err(StoreError::Held(_)) => return Ok(false),
            lease => lease?,
        };
        let seen = self.look_under(document, turn, rounds).await;
        let outcome = match seen {
            None => Ok(false),
            Some(document) => self.keep_look(record, &document, &lease).await,
        };
        self.hall.store.drop_lease(&lease).await?;
        outcome
    }

    /// The document with what was seen; `None` if that is nothing.
    async fn look_under(
        &self,
        mut document: RecycleDocument,
        turn: Turn,
        rounds: &mut Rounds,
    ) -> Option<RecycleDocument> {
        let (target, cluster) = (document.job.config.target.clone(), document.job.cluster.clone());
        let all = &mut document.job.statistics.tables_processed;
        let nodes: BTreeSet<String> =
            all.iter().filter(|table| table.awaits_regrowth()).map(|table| table.node.clone()).collect();
        let mut changed = false;
        for node in nodes {
            let mut open: Vec<&mut TableResult> =
                all.iter_mut().filter(|table| table.node == node && table.awaits_regrowth()).collect();
            let asked: Vec<&TableResult> = open.iter().map(|table| &**table).collect();
            let seen = self.seen_on(&node, (&target, cluster.as_deref()), &asked, rounds).await;
            let at = self.hall.clock.now();
            for (table, seen) in open.iter_mut().zip(seen) {
                changed |= write(table, seen, at, turn);
            }
        }
        sum_up(&mut document);
        changed.then_some(document)
    }

    async fn seen_on(
        &self,
        node: &str,
        (target, cluster): (&api::DatabaseTarget, Option<&str>),
        tables: &[&TableResult],
        rounds: &mut Rounds,
    ) -> Vec<Seen> {
        let way = (node.to_owned(), target.username.clone());
        let why = match (rounds.away.get(&way), self.hall.keyring.own_way_in(target, cluster)) {
            (Some(why), _) => why.clone(),
            (None, None) => {
                format!("no password is known for `{}` at {}:{}", target.username, target.host, target.port)
            }
            (None, Some(endpoint)) => match regrowth::look(&endpoint, node, tables).await {
                Ok(seen) => return seen,
                Err(error) => {
                    tracing::info!(node, %error, "what grew again could not be looked at");
                    rounds.away.insert(way, error.to_string());
                    error.to_string()
                }
            },
        };
        vec![Seen::NotNow(why); tables.len()]
    }

    /// Saves the look and nothing else: status, progress and times stay, so that lists and retention do not change. True if
    /// nothing is left to look at.
    async fn keep_look(
        &self,
        record: &JobRecord,
        document: &RecycleDocument,
        lease: &jobs::Lease,
    ) -> Result<bool, StoreError> {
        let Ok(body) = serde_json::to_value(document) else { return Ok(true) };
        let next = JobRecord { body, ..record.clone() };
        match self.hall.store.save(&next, Some(lease)).await {
            // Another server looked meanwhile, or the job was removed: the next round sees what stands.
            Err(StoreError::Conflict(_) | StoreError::Fenced { .. } | StoreError::NotFound(_)) => return Ok(false),
            saved => saved?,
        };
        let settled = !awaits(document);
        if let Some(bytes) = document.job.statistics.space_regrown_bytes.filter(|_| settled) {
            lock(&self.hall.readings).regrew(bytes);
        }
        Ok(settled)
    }
}

fn awaits(document: &RecycleDocument) -> bool {
    document.job.statistics.tables_processed.iter().any(TableResult::awaits_regrowth)
}

#[cfg(test)]
mod tests;
