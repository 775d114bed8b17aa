//! From a stored job to what is shown of it.

use api::{JobSummary, RecycleDocument, RecycleJob};
use jiff::Timestamp;
use jobs::{JobRecord, JobRow};
use types::{Code, Failure, Span};

/// The stored document, with what the record itself knows better.
pub(crate) fn document(record: &JobRecord) -> Result<RecycleDocument, Failure> {
    let mut document: RecycleDocument = serde_json::from_value(record.body.clone()).map_err(|error| {
        let next = "it was written by another version or is damaged; create the job again";
        let text = format!("job {} cannot be read: {error}", record.id);
        Failure::new(Code::JobState, text, next).with("job_id", record.id.as_str())
    })?;
    document.job.job_id = record.id.clone();
    document.job.status = record.status;
    Ok(document)
}

/// The job as shown at `now`; time that has passed is counted up to then.
pub(crate) fn shown(record: &JobRecord, now: Timestamp) -> Result<RecycleJob, Failure> {
    let mut job = document(record)?.job;
    if let Some(started) = job.started_at {
        let end = job.completed_at.unwrap_or(now);
        let passed = std::time::Duration::try_from(end.duration_since(started)).unwrap_or_default();
        job.statistics.time_elapsed = Span(passed).clock();
    } else if job.statistics.time_elapsed.is_empty() {
        job.statistics.time_elapsed = Span::default().clock();
    }
    Ok(job)
}

/// One row of the list.
pub(crate) fn summary(row: &JobRow) -> JobSummary {
    JobSummary { job_id: row.id.clone(), status: row.status, created_at: row.created_at, progress: row.progress }
}
