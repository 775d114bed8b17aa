//! `recycle approve`: the second person's yes to a job, wherever it waits.

use crate::{
    app::{App, Keep},
    args::{ApproveArgs, ReportFormat},
    output::{Sink, json, yaml},
};
use api::{ApproveRequest, Envelope, RecycleJob};
use std::process::ExitCode;
use types::{Failure, JobId};

/// Writes the yes into the store; the process that keeps the job begins it.
pub async fn run(app: &App, args: &ApproveArgs) -> Result<ExitCode, Failure> {
    let id = JobId(args.job.clone());
    let request = ApproveRequest { plan_digest: args.plan_digest.clone() };
    let control = app.control(Keep::Jobs).await?;
    let answer: Envelope<RecycleJob> = if app.dry_run {
        control.approvable(&App::caller(), &id, &request).await?;
        Envelope { code: 0, message: "would be approved; nothing was changed".to_owned(), data: None }
    } else {
        Envelope::said("job approved successfully", control.approve(&App::caller(), &id, request).await?)
    };
    let text = match args.format {
        ReportFormat::Table => format!("{id}: {}", answer.message),
        ReportFormat::Json => json(&answer)?,
        ReportFormat::Yaml => yaml(&answer)?,
    };
    Sink::Stdout.write(&text)?;
    Ok(ExitCode::SUCCESS)
}
