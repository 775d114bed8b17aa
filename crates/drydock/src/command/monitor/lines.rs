//! Watching without a terminal: a line per change, for reading or as JSON, until no job is active.

use super::watch::Watch;
use crate::{
    app::App,
    args::MonitorFormat,
    output::{Sink, bytes, clean, job_update, json_line},
    signals::Interrupts,
};
use api::RecycleJob;
use jiff::Timestamp;
use std::{collections::BTreeMap, process::ExitCode, time::Duration};
use types::{Failure, JobId};

/// Prints changes until nothing is active or an interrupt comes.
pub async fn run(app: &App, mut watch: Watch, every: Duration, format: MonitorFormat) -> Result<ExitCode, Failure> {
    let mut interrupts = Interrupts::listen()?;
    let mut last: BTreeMap<JobId, RecycleJob> = BTreeMap::new();
    loop {
        let jobs = watch.look().await?;
        let active = jobs.iter().filter(|job| !job.status.is_final()).count();
        for job in jobs.into_iter().rev() {
            if last.get(&job.job_id) != Some(&job) {
                Sink::Stdout.write(&line(&job, format, app.clock.now())?)?;
                last.insert(job.job_id.clone(), job);
            }
        }
        if active == 0 {
            return end(format, app.clock.now());
        }
        tokio::select! {
            () = app.clock.sleep(every) => {}
            () = interrupts.next() => return Ok(ExitCode::SUCCESS),
        }
    }
}

fn end(format: MonitorFormat, now: Timestamp) -> Result<ExitCode, Failure> {
    let text = match format {
        MonitorFormat::Table => "No active jobs.".to_owned(),
        MonitorFormat::Json => format!("{{\"type\":\"idle\",\"active_jobs\":0,\"timestamp\":\"{now}\"}}"),
    };
    Sink::Stdout.write(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn line(job: &RecycleJob, format: MonitorFormat, now: Timestamp) -> Result<String, Failure> {
    match format {
        MonitorFormat::Json => json_line(&job_update(job, now)),
        MonitorFormat::Table => Ok(clean(&text(job, now))),
    }
}

fn text(job: &RecycleJob, now: Timestamp) -> String {
    let (progress, statistics) = (&job.progress, &job.statistics);
    let mut parts = vec![
        format!("{now:.0}"),
        job.job_id.to_string(),
        job.status.as_str().to_owned(),
        format!("{:.1}%", progress.percentage),
        format!("{}/{} tables", progress.processed_tables, progress.total_tables),
        format!("{} freed", bytes(statistics.space_freed_bytes)),
    ];
    if !statistics.estimated_remaining.is_empty() {
        parts.push(format!("{} left", statistics.estimated_remaining));
    }
    let rest = [&progress.current_table, &progress.phase, &job.error];
    parts.extend(rest.into_iter().filter(|text| !text.is_empty()).cloned());
    parts.join("  ")
}
