//! Jobs for reading: the list, one job, and its table of asked, predicted, freed and regrown.

use super::{
    cells::{bytes, seconds, size, table},
    clean,
};
use api::{Approval, CensusItem, DiskCensus, JobSummary, JobUpdate, RecycleJob, TableResult, TableState};
use jiff::Timestamp;

/// The WebSocket's own message.
pub fn job_update(job: &RecycleJob, now: Timestamp) -> JobUpdate {
    JobUpdate {
        kind: "job_update".to_owned(),
        job_id: job.job_id.clone(),
        status: job.status,
        progress: job.progress.percentage,
        timestamp: now,
        current_table: job.progress.current_table.clone(),
        phase: job.progress.phase.clone(),
        space_freed_bytes: job.statistics.space_freed_bytes,
    }
}

/// All jobs, newest first.
pub fn job_list(jobs: &[JobSummary]) -> String {
    if jobs.is_empty() {
        return "No jobs.".to_owned();
    }
    let row = |job: &JobSummary| {
        vec![
            job.job_id.to_string(),
            job.status.as_str().to_owned(),
            format!("{:.1}%", job.progress),
            job.created_at.to_string(),
        ]
    };
    table(&["JOB", "STATUS", "PROGRESS", "CREATED"], &[2], jobs.iter().map(row).collect())
}

/// One job with its tables.
pub fn job_report(job: &RecycleJob) -> String {
    let (progress, statistics) = (&job.progress, &job.statistics);
    let mut lines = vec![
        format!("job        {}", job.job_id),
        format!("status     {}", job.status.as_str()),
        format!("target     {}:{}", job.config.target.host, job.config.target.port),
        format!(
            "progress   {:.1}% ({} of {} tables, {} failed)",
            progress.percentage, progress.processed_tables, progress.total_tables, progress.failed_tables
        ),
        format!("freed      {}", bytes(statistics.space_freed_bytes)),
    ];
    let mut fact = |name: &str, text: &str| {
        if !text.is_empty() {
            lines.push(format!("{name:<10} {}", clean(text)));
        }
    };
    fact("regrown", &statistics.space_regrown_bytes.map(bytes).unwrap_or_default());
    fact("elapsed", &statistics.time_elapsed);
    fact("remaining", &statistics.estimated_remaining);
    fact("now", [progress.current_table.as_str(), progress.phase.as_str()].join(" ").trim());
    fact("created", &job.created_at.to_string());
    fact("ended", &job.completed_at.map(|at| at.to_string()).unwrap_or_default());
    fact("approval", &job.approval.as_ref().map(approval).unwrap_or_default());
    fact("error", &job.error);
    for note in &job.notes {
        fact("note", note);
    }
    if !statistics.tables_processed.is_empty() {
        lines.push(String::new());
        lines.push(result_table(&statistics.tables_processed));
    }
    if !job.census.is_empty() {
        lines.push(String::new());
        lines.push(disk_table(&job.census));
    }
    lines.join("\n")
}

/// Who asked for a job that needs two people, and who agreed.
fn approval(approval: &Approval) -> String {
    let agreed = match (&approval.approved_by, approval.approved_at) {
        (Some(by), Some(at)) => format!("approved by {by} at {at}"),
        (Some(by), None) => format!("approved by {by}"),
        (None, _) => "approved by nobody yet".to_owned(),
    };
    format!("asked for by {}, {agreed}", approval.asked_by)
}

/// Largest holders shown of each node.
const HOLDERS: usize = 6;

/// Where the disk went: node, kind, name, size, what of it could be given back, and how.
fn disk_table(all: &[DiskCensus]) -> String {
    let row = |node: &str, kind: &str, name: &str, all: u64, back: u64, how: &str| {
        vec![node.to_owned(), kind.to_owned(), name.to_owned(), size(all), size(back), how.to_owned()]
    };
    let of_node = |census: &DiskCensus| {
        let shown = census.items.iter().filter(|item| item.bytes > 0).take(HOLDERS);
        let how = |item: &CensusItem| if item.reclaimable_bytes > 0 { item.advice.clone() } else { String::new() };
        let items =
            shown.map(|item| row(&census.node, &item.kind, &item.name, item.bytes, item.reclaimable_bytes, &how(item)));
        std::iter::once(row(&census.node, "tables", "", census.table_bytes, 0, "")).chain(items).collect::<Vec<_>>()
    };
    let header = ["NODE", "DISK HELD BY", "NAME", "SIZE", "CAN GO", "HOW"];
    table(&header, &[3, 4], all.iter().flat_map(of_node).collect())
}

/// Where the column of what grew again stands.
const REGROWN: usize = 5;

/// Table, node, file before, predicted, freed, regrown (once somebody looked), error of the prediction in percent of the file.
pub fn result_table(results: &[TableResult]) -> String {
    let mut header = vec!["TABLE", "NODE", "FILE BEFORE", "PREDICTED", "FREED", "REGROWN", "ERROR", "TIME", "STATE"];
    let mut rows: Vec<Vec<String>> = results.iter().map(result).collect();
    if !results.iter().any(|result| result.regrown_bytes.is_some() || !result.regrown_note.is_empty()) {
        header.remove(REGROWN);
        for row in &mut rows {
            row.remove(REGROWN);
        }
    }
    let figures: Vec<usize> = (2..header.len() - 1).collect();
    table(&header, &figures, rows)
}

fn result(result: &TableResult) -> Vec<String> {
    let dash = || "-".to_owned();
    vec![
        format!("{}.{}", result.database, result.table),
        result.node.clone(),
        size(result.estimate.file_bytes),
        bytes(result.estimate.predicted_freed_bytes),
        result.freed_bytes.map_or_else(dash, bytes),
        result.regrown_bytes.map_or_else(dash, bytes),
        error_percent(result).map_or_else(dash, |percent| format!("{percent:.1}%")),
        result.seconds.map_or_else(dash, seconds),
        state(result),
    ]
}

/// |predicted - freed| in percent of the file before; `None` until measured.
#[allow(clippy::cast_precision_loss, reason = "one digit is shown")]
pub fn error_percent(result: &TableResult) -> Option<f64> {
    let freed = result.freed_bytes?;
    let off = result.estimate.predicted_freed_bytes.abs_diff(freed);
    (result.estimate.file_bytes > 0).then(|| off as f64 * 100.0 / result.estimate.file_bytes as f64)
}

fn state(result: &TableResult) -> String {
    let word = match result.state {
        TableState::Planned => "planned",
        TableState::Running => "running",
        TableState::Done => "done",
        TableState::Skipped => "skipped",
        TableState::Failed => "failed",
        TableState::Cancelled => "cancelled",
    };
    let later = if result.regrown_note.is_empty() { String::new() } else { format!("later: {}", result.regrown_note) };
    let why =
        [result.reason.as_str(), &later].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join("; ");
    if why.is_empty() { word.to_owned() } else { format!("{word}: {why}") }
}
