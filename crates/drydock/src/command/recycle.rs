//! `recycle`: the plan on a dry run, else the job in this process, with progress, a clean end on Ctrl-C and a report.

use crate::{
    app::{App, Keep},
    args::{RecycleArgs, ReportFormat},
    housekeeping::Housekeeping,
    output::{Sink, job_report, json, plan, yaml},
    password,
    progress::Progress,
    signals::Interrupts,
};
use api::{JobRequest, JobStatus, Plan, RecycleJob};
use control::{Control, Created};
use std::{
    io::{IsTerminal, stderr, stdin},
    process::ExitCode,
    time::Duration,
};
use types::{Code, Failure, JobId};

/// Exit code of a command ended by Ctrl-C.
const INTERRUPTED: u8 = 130;
/// Exit code of a job that ended while some of its tables failed.
const PARTLY: u8 = 6;
/// How often the job is looked at.
const LOOK: Duration = Duration::from_millis(250);

/// Plans, or runs to the end.
pub async fn run(app: &App, args: RecycleArgs) -> Result<ExitCode, Failure> {
    let target = password::target(&args.connect, &app.config, &app.settings()?)?;
    let request = args.request(target, app.parallel, app.dry_run);
    if app.dry_run {
        return dry_run(app, &args, request).await;
    }
    let store = app.store(Keep::Everything).await?;
    let control = app.control_over(store.clone()).await?;
    let housekeeping = Housekeeping::start(app, &store);
    let mut interrupts = Interrupts::listen()?;
    let work = work(app, &args, &control, request, &mut interrupts);
    let outcome = work.await;
    control.shutdown().await;
    housekeeping.end().await;
    outcome
}

async fn dry_run(app: &App, args: &RecycleArgs, request: JobRequest) -> Result<ExitCode, Failure> {
    let control = app.control(Keep::Nothing).await?;
    let made = control.plan(&App::caller(), request).await?;
    let text = match args.output_format {
        ReportFormat::Table => plan(&made),
        ReportFormat::Json => json(&made)?,
        ReportFormat::Yaml => yaml(&made)?,
    };
    Sink::to(args.output_file.as_ref()).write(&text)?;
    Ok(ExitCode::SUCCESS)
}

async fn work(
    app: &App,
    args: &RecycleArgs,
    control: &Control,
    request: JobRequest,
    interrupts: &mut Interrupts,
) -> Result<ExitCode, Failure> {
    let id = tokio::select! {
        created = begin(args, control, request) => created?,
        () = interrupts.next() => None,
    };
    let Some(id) = id else { return Ok(ExitCode::from(INTERRUPTED)) };
    let Some(job) = follow(app, control, &id, args.output_format == ReportFormat::Json, interrupts).await? else {
        eprintln!("{id}: left as it is; `{} status --job-id {id}` shows it, a server resumes it", app.program);
        return Ok(ExitCode::from(INTERRUPTED));
    };
    Sink::to(args.output_file.as_ref()).write(&report(&job, args.output_format)?)?;
    Ok(ExitCode::from(exit_code(&job)))
}

/// Creates the job; `None` if the person at the terminal said no.
async fn begin(args: &RecycleArgs, control: &Control, request: JobRequest) -> Result<Option<JobId>, Failure> {
    if !args.yes && stdin().is_terminal() && stderr().is_terminal() && !agreed(control, &request).await? {
        return Ok(None);
    }
    control.start().await?;
    match control.create_job(&App::caller(), request).await? {
        Created::Job(created) => Ok(Some(created.job_id)),
        Created::Plan(_) => Err(Failure::new(Code::JobCreateFailed, "only a plan came back", "report this")),
    }
}

/// Shows the plan on standard error and asks.
async fn agreed(control: &Control, request: &JobRequest) -> Result<bool, Failure> {
    let mut only = request.clone();
    only.config.dry_run = Some(true);
    let made: Plan = control.plan(&App::caller(), only).await?;
    eprintln!("{}", plan(&made));
    let question = "Rebuild these tables now?";
    let ask = move || inquire::Confirm::new(question).with_default(false).prompt().unwrap_or(false);
    Ok(tokio::task::spawn_blocking(ask).await.unwrap_or(false))
}

/// Shows progress until the job is final. The first interrupt cancels it, the second leaves it (`None`).
async fn follow(
    app: &App,
    control: &Control,
    id: &JobId,
    as_json: bool,
    interrupts: &mut Interrupts,
) -> Result<Option<RecycleJob>, Failure> {
    let caller = App::caller();
    let mut progress = Progress::new(as_json);
    let mut cancelling = false;
    loop {
        let job = control.job(&caller, id).await?;
        progress.show(&job, app.clock.now());
        if job.status.is_final() {
            progress.end();
            return Ok(Some(job));
        }
        tokio::select! {
            () = app.clock.sleep(LOOK) => {}
            () = interrupts.next() => {
                if cancelling {
                    progress.end();
                    return Ok(None);
                }
                cancelling = true;
                progress.say("cancelling: the statement is killed and settings are restored (again to leave at once)");
                // It may have become final just now, which the next look shows.
                let _ = control.cancel(&caller, id).await;
            }
        }
    }
}

fn report(job: &RecycleJob, format: ReportFormat) -> Result<String, Failure> {
    match format {
        ReportFormat::Table => Ok(job_report(job)),
        ReportFormat::Json => json(job),
        ReportFormat::Yaml => yaml(job),
    }
}

/// Documented in `--help`.
fn exit_code(job: &RecycleJob) -> u8 {
    match job.status {
        JobStatus::Completed if job.progress.failed_tables > 0 => PARTLY,
        JobStatus::Completed => 0,
        JobStatus::Cancelled => INTERRUPTED,
        _ => Code::try_from(job.error_code).map_or(1, Code::exit_code),
    }
}
