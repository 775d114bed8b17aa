//! `status`: all jobs, or one.

use crate::{
    app::{App, Keep},
    args::{ReportFormat, StatusArgs},
    output::{Sink, job_list, job_report, json, yaml},
};
use api::{JobList, JobQuery};
use control::{Caller, Control};
use std::process::ExitCode;
use types::{Failure, JobId};

/// The largest page the hall gives.
const PAGE: u32 = 1000;

/// Reads and prints.
pub async fn run(app: &App, args: &StatusArgs) -> Result<ExitCode, Failure> {
    let control = app.control(Keep::Jobs).await?;
    let caller = App::caller();
    // An empty name stands for all jobs (seed 002 §2.5).
    let text = match args.job_id.as_ref().filter(|id| !id.is_empty()) {
        Some(id) => {
            let job = control.job(&caller, &JobId(id.clone())).await?;
            match args.format {
                ReportFormat::Table => job_report(&job),
                ReportFormat::Json => json(&job)?,
                ReportFormat::Yaml => yaml(&job)?,
            }
        }
        None => list(&all(&control, &caller).await?, args.format)?,
    };
    Sink::Stdout.write(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn list(jobs: &JobList, format: ReportFormat) -> Result<String, Failure> {
    match format {
        ReportFormat::Table => Ok(job_list(&jobs.jobs)),
        ReportFormat::Json => json(jobs),
        ReportFormat::Yaml => yaml(jobs),
    }
}

/// Page by page, so that a store with very many jobs is never asked for all at once.
async fn all(control: &Control, caller: &Caller) -> Result<JobList, Failure> {
    let mut jobs = Vec::new();
    loop {
        let offset = u32::try_from(jobs.len()).unwrap_or(u32::MAX);
        let query = JobQuery { status: None, limit: Some(PAGE), offset: Some(offset) };
        let page = control.jobs(caller, query).await?;
        let full = page.jobs.len() == PAGE as usize;
        jobs.extend(page.jobs);
        if !full {
            return Ok(JobList { total: page.total, jobs });
        }
    }
}
