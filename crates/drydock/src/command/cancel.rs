//! `cancel`: asks a job to stop, wherever it runs.

use crate::{
    app::{App, Keep},
    args::{CancelArgs, ReportFormat},
    output::{Sink, json, yaml},
};
use api::Envelope;
use std::process::ExitCode;
use types::{Failure, JobId};

/// Asks; the worker that holds the job kills its statement, restores settings and says `cancelled`.
pub async fn run(app: &App, args: &CancelArgs) -> Result<ExitCode, Failure> {
    let id = JobId(args.job.clone().or_else(|| args.job_id.clone()).unwrap_or_default());
    let control = app.control(Keep::Jobs).await?;
    let said = if app.dry_run {
        let job = control.job(&App::caller(), &id).await?;
        format!("would cancel {id}, which is {}", job.status.as_str())
    } else {
        control.cancel(&App::caller(), &id).await?;
        "job cancelled successfully".to_owned()
    };
    let answer = Envelope::<()> { code: 0, message: said.clone(), data: None };
    let text = match args.format {
        ReportFormat::Table => format!("{id}: {said}"),
        ReportFormat::Json => json(&answer)?,
        ReportFormat::Yaml => yaml(&answer)?,
    };
    Sink::Stdout.write(&text)?;
    Ok(ExitCode::SUCCESS)
}
