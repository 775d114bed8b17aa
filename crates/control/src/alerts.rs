//! Jobs that failed, whole or in part, told to an Alertmanager: one body that its v1 and v2 doors both take.

use crate::{AlertSettings, Control, record};
use api::JobStatus;
use backon::{ExponentialBuilder, Retryable};
use jobs::JobRecord;
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};
use tokio::sync::broadcast::{Receiver, error::RecvError};

/// Limit for one attempt.
const ATTEMPT: Duration = Duration::from_secs(10);
/// Attempts after the first: about a minute and a half in all.
const RETRIES: usize = 6;

/// Why an alert did not arrive; never holds the address, which may hold a password.
#[derive(Debug, thiserror::Error)]
enum AlertError {
    #[error("the webhook could not be reached: {0}")]
    Send(reqwest::Error),
    #[error("the webhook answered {0}")]
    Refused(reqwest::StatusCode),
    #[error("the client could not be made: {0}")]
    Client(reqwest::Error),
}

impl AlertError {
    /// Another attempt may help: no answer, too many requests, or the other side is at fault.
    fn may_pass(&self) -> bool {
        match self {
            Self::Send(_) => true,
            Self::Refused(status) => status.is_server_error() || status.as_u16() == 429 || status.as_u16() == 408,
            Self::Client(_) => false,
        }
    }
}

/// A job that failed, or that ended without some of its tables.
fn is_bad(record: &JobRecord) -> bool {
    let partly = || record::document(record).is_ok_and(|document| document.job.progress.failed_tables > 0);
    record.status == JobStatus::Failed || record.status == JobStatus::Completed && partly()
}

/// The array `POST /api/v1/alerts` and `/api/v2/alerts` take.
fn body(record: &JobRecord) -> Value {
    let job = record::document(record).ok().map(|document| document.job);
    let failed = job.as_ref().map_or(0, |job| job.progress.failed_tables);
    let (error, fate) = match job.as_ref().map(|job| job.error.clone()) {
        Some(error) if record.status == JobStatus::Failed => (error, "failed".to_owned()),
        _ => {
            (format!("{failed} of its tables failed; the job names them"), format!("ended with {failed} failed tables"))
        }
    };
    let code = job.as_ref().map(|job| job.error_code).unwrap_or_default();
    let target = job.map(|job| format!("{}:{}", job.config.target.host, job.config.target.port)).unwrap_or_default();
    json!([{
        "labels": {
            "alertname": "DrydockJobFailed",
            "severity": "warning",
            "job_id": record.id,
            "target": target,
            "code": code.to_string(),
        },
        "annotations": {
            "job_id": record.id,
            "summary": format!("job {} on {target} {fate}", record.id),
            "description": error,
        },
        "startsAt": record.updated_at.to_string(),
    }])
}

async fn post(client: &reqwest::Client, url: &str, body: &Value) -> Result<(), AlertError> {
    let answer = client.post(url).json(body).send().await.map_err(|error| AlertError::Send(error.without_url()))?;
    let status = answer.status();
    if status.is_success() { Ok(()) } else { Err(AlertError::Refused(status)) }
}

/// A webhook is told what it was configured to be told; it cannot send us elsewhere.
fn client() -> Result<reqwest::Client, AlertError> {
    let client = reqwest::Client::builder().timeout(ATTEMPT).redirect(reqwest::redirect::Policy::none());
    client.build().map_err(|error| AlertError::Client(error.without_url()))
}

async fn send(settings: &AlertSettings, body: &Value) -> Result<(), AlertError> {
    let Some(url) = settings.webhook_url.as_ref().filter(|_| settings.enabled) else { return Ok(()) };
    let client = client()?;
    let rhythm = ExponentialBuilder::default().with_jitter().with_max_times(RETRIES);
    (|| post(&client, url.expose(), body)).retry(rhythm).when(AlertError::may_pass).await
}

impl Control {
    /// Tells of each failed job of this process until the hall ends.
    pub(crate) fn spawn_alerts(&self, mut updates: Receiver<Arc<JobRecord>>) {
        let control = self.clone();
        self.spawn_loop(async move {
            loop {
                match updates.recv().await {
                    Ok(record) if is_bad(&record) => control.alert(&record),
                    Ok(_) => {}
                    Err(RecvError::Lagged(missed)) => tracing::warn!(missed, "job changes missed; an alert may be"),
                    Err(RecvError::Closed) => return,
                }
            }
        });
    }

    /// In a task of its own, so that a webhook that hangs delays no other alert; the hall's end waits for it a while.
    fn alert(&self, record: &JobRecord) {
        let (settings, body, job) = (self.settings().alerts.clone(), body(record), record.id.clone());
        self.hall.tasks.spawn(async move {
            if let Err(error) = send(&settings, &body).await {
                tracing::error!(%job, %error, "the alert did not arrive");
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;

    fn record(status: JobStatus, failed: u64) -> JobRecord {
        let at = Timestamp::UNIX_EPOCH;
        let config = json!({
            "target": {"host": "db1", "port": 3306, "username": "recycler"}, "mode": "binlog-off", "threshold_mb": 100,
            "threshold_percent": 10.0, "exclude_primary": true, "batch_size": 5, "timeout": "1h",
        });
        let plan = json!({
            "created_at": at, "cluster_id": "c", "config": config, "mode": "binlog-off", "nodes": [], "file_bytes": 0,
            "predicted_freed_bytes": 0, "predicted_seconds": 0.0, "warnings": [],
        });
        let body = json!({
            "job_id": "", "status": status, "config": config, "created_at": at, "plan": plan,
            "progress": {"total_tables": 3, "processed_tables": 3, "failed_tables": failed, "percentage": 100.0},
            "statistics": {"space_freed_mb": 0, "space_freed_bytes": 0, "time_elapsed": "00:00:00",
                           "estimated_remaining": "", "tables_processed": []},
        });
        JobRecord {
            id: types::JobId("job-20240101-001".into()),
            kind: reclaim::trade::KIND.into(),
            status,
            progress: 100.0,
            body,
            created_at: at,
            updated_at: at,
            cancel_requested: false,
            version: 1,
        }
    }

    #[test]
    fn a_job_that_lost_some_of_its_tables_is_told_of_as_well() {
        let partly = record(JobStatus::Completed, 2);
        assert!(is_bad(&partly) && is_bad(&record(JobStatus::Failed, 0)));
        assert!(!is_bad(&record(JobStatus::Completed, 0)) && !is_bad(&record(JobStatus::Cancelled, 2)));
        let told = body(&partly);
        let summary = told[0]["annotations"]["summary"].as_str().unwrap_or_default();
        assert_eq!(summary, "job job-20240101-001 on db1:3306 ended with 2 failed tables", "{told}");
    }
}
