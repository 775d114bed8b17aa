//! Where a job stands, table by table, and how that is saved: the document behind `GET /jobs/{id}`.

use super::eta::{self, Piece};
use crate::rebuild::{self, Report, Sink};
use api::{DiskCensus, JobStatus, RecycleDocument, RecycleJob, TablePlan, TableResult, TableState};
use async_trait::async_trait;
use jobs::{JobRecord, RunningJob, UnitOutcome};
use runtime::{Clock, Instant};
use serde_json::Value;
use std::{sync::Arc, time::Duration};
use tokio::sync::Mutex;
use types::{Failure, Span};

/// Least distance between two saves that only move numbers.
const SAVE_SPAN: Duration = Duration::from_millis(400);

/// How a note begins that tells what is waited for, after whom it is about.
const WAITING: &str = "waiting to go on: ";

/// Longest a save of progress may take.
const SAVE_LIMIT: Duration = Duration::from_secs(2);

/// The document of a running job; lanes write to it at once.
pub(crate) struct Board {
    job: RunningJob,
    clock: Clock,
    state: Mutex<State>,
}

struct State {
    document: RecycleDocument,
    pieces: Vec<Piece>,
    begun: Vec<Option<Instant>>,
    saved: Option<Instant>,
}

impl Board {
    /// Lays out one result per planned table and node; those an earlier run ended are filled in as their units are run again.
    pub fn new(job: RunningJob, mut document: RecycleDocument, clock: Clock) -> Self {
        let planned: Vec<TableResult> = document.plan.work().map(result).collect();
        let predicted = |table: &TablePlan| Piece { predicted: table.predicted_seconds, fraction: 0.0, spent: 0.0 };
        let pieces: Vec<Piece> = document.plan.work().map(predicted).collect();
        document.job.statistics.tables_processed = planned;
        document.job.progress.total_tables = pieces.len() as u64;
        let begun = vec![None; pieces.len()];
        Self { job, clock, state: Mutex::new(State { document, pieces, begun, saved: None }) }
    }

    /// A table's turn begins.
    pub async fn begin(&self, index: usize) {
        let mut state = self.state.lock().await;
        state.begun[index] = Some(self.clock.instant());
        let result = &mut state.document.job.statistics.tables_processed[index];
        result.state = TableState::Running;
        let current = format!("{} {}.{}", result.node, result.database, result.table);
        state.document.job.progress.current_table = current;
        self.save(&mut state, true).await;
    }

    /// A table is rebuilt and measured, on its node and on those a logged statement reached.
    pub async fn done(&self, index: usize, report: &Report) {
        let mut state = self.state.lock().await;
        let mut template = state.document.job.statistics.tables_processed[index].clone();
        for (place, measured) in report.measured.iter().enumerate() {
            template.node.clone_from(&measured.node);
            template.state = TableState::Done;
            template.estimate.file_bytes = measured.before;
            template.file_bytes_after = Some(measured.after);
            template.freed_bytes = Some(signed(measured.before) - signed(measured.after));
            template.tablespaces.clone_from(&measured.spaces);
            template.seconds = Some(report.seconds);
            template.reason.clear();
            let results = &mut state.document.job.statistics.tables_processed;
            if place == 0 { results[index] = template.clone() } else { results.push(template.clone()) }
        }
        state.pieces[index].spent = report.seconds;
        self.finish(&mut state, index).await;
    }

    /// A table was left, failed or cancelled.
    pub async fn ended(&self, index: usize, table_state: TableState, reason: &str) {
        let mut state = self.state.lock().await;
        let result = &mut state.document.job.statistics.tables_processed[index];
        result.state = table_state;
        reason.clone_into(&mut result.reason);
        self.finish(&mut state, index).await;
    }

    /// Shows how a table's unit ended, once.
    pub async fn record(&self, index: usize, outcome: &UnitOutcome) {
        if self.is_ended(index).await {
            return;
        }
        match outcome {
            UnitOutcome::Done(outputs) => match rebuild::report(outputs) {
                Ok(report) => self.done(index, &report).await,
                Err(error) => self.ended(index, TableState::Failed, &error.to_string()).await,
            },
            UnitOutcome::Failed(failure) => self.ended(index, TableState::Failed, failure.detail("error")).await,
            UnitOutcome::Cancelled => {
                self.ended(index, TableState::Cancelled, "the job was cancelled; the table is whole").await;
            }
            UnitOutcome::Paused | UnitOutcome::Stuck(_) => {}
        }
    }

    async fn finish(&self, state: &mut State, index: usize) {
        state.pieces[index].fraction = 1.0;
        state.document.job.progress.phase.clear();
        self.save(state, true).await;
    }

    /// Adds what the operator should know, once.
    pub async fn note(&self, text: String) {
        let mut state = self.state.lock().await;
        if !state.document.job.notes.contains(&text) {
            state.document.job.notes.push(text);
            self.save(&mut state, true).await;
        }
    }

    /// Shows where a node's disk went, in the place of what was seen there before.
    pub async fn census(&self, census: DiskCensus) {
        let mut state = self.state.lock().await;
        let all = &mut state.document.job.census;
        all.retain(|old| old.node != census.node);
        all.push(census);
        self.save(&mut state, true).await;
    }

    /// Says what is waited for on account of `whom`, in the place of what was said before; `None` once it is there.
    pub async fn pending(&self, whom: &str, text: Option<String>) {
        let mut state = self.state.lock().await;
        let notes = &mut state.document.job.notes;
        let (before, mark) = (notes.clone(), format!("{whom}: {WAITING}"));
        let place = notes.iter().position(|note| note.starts_with(&mark));
        match (place, text) {
            (Some(place), Some(text)) => notes[place] = format!("{mark}{text}"),
            (None, Some(text)) => notes.push(format!("{mark}{text}")),
            (Some(place), None) => drop(notes.remove(place)),
            (None, None) => {}
        }
        if *notes != before {
            self.save(&mut state, true).await;
        }
    }

    /// True once a table has its end.
    pub async fn is_ended(&self, index: usize) -> bool {
        let state = self.state.lock().await;
        let result = &state.document.job.statistics.tables_processed[index];
        !matches!(result.state, TableState::Planned | TableState::Running)
    }

    /// What a node waits for between its tables.
    pub async fn waiting(&self, text: &str) {
        let mut state = self.state.lock().await;
        text.clone_into(&mut state.document.job.progress.phase);
        self.save(&mut state, false).await;
    }

    async fn phase(&self, index: usize, text: &str) {
        let mut state = self.state.lock().await;
        if state.document.job.progress.phase == text {
            return;
        }
        let progress = &mut state.document.job.progress;
        // Only the kind of a wait matters at once; its numbers may lag.
        let kind = |text: &str| text.split(|c: char| c.is_ascii_digit()).next().map(str::to_owned);
        let new = kind(&progress.phase) != kind(text);
        text.clone_into(&mut progress.phase);
        let result = &mut state.document.job.statistics.tables_processed[index];
        result.reason = if text.starts_with("waiting") { text.to_owned() } else { String::new() };
        self.save(&mut state, new).await;
    }

    async fn fraction(&self, index: usize, fraction: f64) {
        let mut state = self.state.lock().await;
        let piece = &mut state.pieces[index];
        piece.fraction = piece.fraction.max(fraction);
        self.save(&mut state, false).await;
    }

    /// Sums up and saves; a store that cannot be written stops the units at their next journal entry.
    async fn save(&self, state: &mut State, now: bool) {
        let recently = state.saved.is_some_and(|saved| self.clock.since(saved) < SAVE_SPAN);
        if recently && !now {
            return;
        }
        state.saved = Some(self.clock.instant());
        let share = self.sum_up(state);
        let Ok(body) = serde_json::to_value(&state.document) else { return };
        // Whoever watches a statement waits here: a slow store must not blind it. A save that was cut short is found
        // out by the next one.
        tokio::select! {
            saved = self.job.report(share * 100.0, body) => if let Err(error) = saved {
                tracing::warn!(%error, job = %self.job.record.id, "progress could not be saved");
            },
            () = self.clock.sleep(SAVE_LIMIT) => {
                tracing::warn!(job = %self.job.record.id, "progress could not be saved in time");
            }
        }
    }

    fn sum_up(&self, state: &mut State) -> f64 {
        for (index, piece) in state.pieces.iter_mut().enumerate() {
            if let Some(begun) = state.begun[index].filter(|_| piece.fraction < 1.0) {
                piece.spent = self.clock.since(begun).as_secs_f64();
            }
        }
        let job = &mut state.document.job;
        let results = &job.statistics.tables_processed;
        let planned = &results[..state.pieces.len()];
        let ended = |result: &&TableResult| !matches!(result.state, TableState::Planned | TableState::Running);
        job.progress.processed_tables = planned.iter().filter(ended).count() as u64;
        job.progress.failed_tables = planned.iter().filter(|result| result.state == TableState::Failed).count() as u64;
        let freed: i64 = results.iter().filter_map(|result| result.freed_bytes).sum();
        job.statistics.space_freed_bytes = freed;
        job.statistics.space_freed_mb = freed.div_euclid(1 << 20);
        let running = Span(Duration::from_secs_f64(eta::left(&state.pieces).max(0.0)));
        job.statistics.estimated_remaining = running.clock();
        eta::share(&state.pieces)
    }

    /// The document as it stands, summed up.
    pub async fn document(&self) -> RecycleDocument {
        let mut state = self.state.lock().await;
        self.sum_up(&mut state);
        state.document.job.progress.phase.clear();
        state.document.clone()
    }

    /// The same as a job's final body.
    pub async fn body(&self) -> Value {
        serde_json::to_value(self.document().await).unwrap_or_else(|_| self.job.record.body.clone())
    }
}

fn signed(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

fn result(table: &TablePlan) -> TableResult {
    TableResult {
        node: table.node.clone(),
        database: table.database.clone(),
        table: table.table.clone(),
        partitions: match &table.strategy {
            api::Strategy::Partitions { names } => names.clone(),
            _ => Vec::new(),
        },
        state: TableState::Planned,
        estimate: table.estimate.clone(),
        file_bytes_after: None,
        freed_bytes: None,
        tablespaces: Vec::new(),
        regrown_bytes: None,
        regrown_at: None,
        regrown_note: String::new(),
        seconds: None,
        reason: String::new(),
    }
}

/// Writes a record's state into its document, so that the two never contradict each other.
pub(crate) fn stamp(job: &mut RecycleJob, record: &JobRecord, failure: Option<&Failure>) {
    job.job_id = record.id.clone();
    job.status = record.status;
    job.created_at = record.created_at;
    job.progress.percentage = record.progress;
    if record.status != JobStatus::Pending {
        job.started_at.get_or_insert(record.updated_at);
    }
    if let Some(started) = job.started_at {
        let until = job.completed_at.unwrap_or(record.updated_at);
        let elapsed = Duration::try_from(until.duration_since(started)).unwrap_or_default();
        job.statistics.time_elapsed = Span(elapsed).clock();
    }
    if record.status.is_final() {
        job.completed_at.get_or_insert(record.updated_at);
        job.progress.current_table.clear();
        job.progress.phase.clear();
        job.statistics.estimated_remaining = Span::default().clock();
    }
    if let Some(failure) = failure {
        job.error = format!("{}; next: {}", failure.detail("error"), failure.detail("next"));
        job.error_code = failure.code.number();
    }
}

/// One table's end of the board.
pub(crate) struct TableSink {
    /// The board.
    pub board: Arc<Board>,
    /// Place of the table in the plan's work.
    pub index: usize,
}

#[async_trait]
impl Sink for TableSink {
    async fn phase(&self, text: &str) {
        self.board.phase(self.index, text).await;
    }

    async fn fraction(&self, fraction: f64) {
        self.board.fraction(self.index, fraction).await;
    }

    async fn note(&self, text: String) {
        self.board.note(text).await;
    }
}
