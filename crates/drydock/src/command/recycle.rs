//! `recycle`: the plan on a dry run, else the job in this process, with progress, a clean end on Ctrl-C and a report.

use crate::{
    app::{App, Keep},
    args::{RecycleArgs, ReportFormat},
    ask::ask,
    housekeeping::Housekeeping,
    output::{Sink, job_report, json, plan, say, yaml},
    password,
    progress::Progress,
    signals::{INTERRUPTED, Interrupts, unless_interrupted},
};
use api::{JobRequest, JobStatus, Plan, RecycleJob};
use control::{Caller, Control, Created};
use std::{
    io::{IsTerminal, stderr, stdin},
    process::ExitCode,
    time::Duration,
};
use types::{Code, Failure, JobId};

/// Exit code of a job that ended while some of its tables failed.
const PARTLY: u8 = 6;
/// How often the job is looked at.
const LOOK: Duration = Duration::from_millis(250);

/// Plans, or runs to the end.
pub async fn run(app: &App, args: RecycleArgs) -> Result<ExitCode, Failure> {
    if app.dry_run {
        return Box::pin(unless_interrupted(dry_run(app, &args))).await;
    }
    let mut interrupts = Interrupts::listen_at_terminal()?;
    let request = tokio::select! {
        request = request(app, &args) => request?,
        () = interrupts.next() => None,
    };
    let Some(request) = request else { return Ok(ExitCode::from(INTERRUPTED)) };
    let store = app.store(Keep::Everything).await?;
    let control = app.control_over(store.clone()).await?;
    let housekeeping = Housekeeping::start(app, &store);
    let outcome = Box::pin(work(app, &args, &control, request, &mut interrupts)).await;
    if !matches!(outcome, Ok(End::Left)) {
        control.shutdown().await;
        housekeeping.end().await;
    }
    outcome.map(End::exit_code)
}

/// How it came to an end.
enum End {
    /// With this exit code, nothing under way.
    Whole(u8),
    /// Told twice to end: at once, with the job where it is.
    Left,
}

impl End {
    fn exit_code(self) -> ExitCode {
        match self {
            Self::Whole(code) => ExitCode::from(code),
            Self::Left => ExitCode::from(INTERRUPTED),
        }
    }
}

/// What is asked for; `None` if nobody gave the password.
async fn request(app: &App, args: &RecycleArgs) -> Result<Option<JobRequest>, Failure> {
    let target = password::target(&args.connect, &app.config, &app.settings()?).await?;
    Ok(target.map(|target| args.request(target, app.parallel, app.dry_run)))
}

async fn dry_run(app: &App, args: &RecycleArgs) -> Result<ExitCode, Failure> {
    let Some(request) = request(app, args).await? else { return Ok(ExitCode::from(INTERRUPTED)) };
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
) -> Result<End, Failure> {
    let caller = App::caller();
    let mut told = false;
    let id = {
        let begin = begin(args, control, request, &caller);
        tokio::pin!(begin);
        tokio::select! {
            created = &mut begin => created?,
            () = interrupts.next() => if caller.decision.give_up() {
                None
            } else {
                // The job is being written just now: it is cancelled like one that runs.
                told = true;
                begin.await?
            },
        }
    };
    let Some(id) = id else {
        say("nothing was changed");
        return Ok(End::Whole(INTERRUPTED));
    };
    let follow = follow(app, control, &id, args.output_format == ReportFormat::Json, interrupts, told);
    let Some(job) = follow.await? else {
        say(&left(app.program, &id));
        return Ok(End::Left);
    };
    Sink::to(args.output_file.as_ref()).write(&report(&job, args.output_format)?)?;
    Ok(End::Whole(exit_code(&job)))
}

/// What stays behind after the second interrupt, and how to go on.
fn left(program: &str, id: &JobId) -> String {
    format!(
        "{id}: left while it was being cancelled. Its statement may still run on the server, and settings lowered for it \
         may still be lowered.\n  next: start `{program} server` with the same configuration; it ends the statement, puts \
         the settings back and marks the job cancelled. `{program} status --job-id {id}` shows how far it is"
    )
}

/// Creates the job; `None` if the person at the terminal said no.
async fn begin(
    args: &RecycleArgs,
    control: &Control,
    mut request: JobRequest,
    caller: &Caller,
) -> Result<Option<JobId>, Failure> {
    if !args.yes && stdin().is_terminal() && stderr().is_terminal() {
        match agreed(control, &request).await? {
            Some(digest) => request.plan_digest = Some(digest),
            None => return Ok(None),
        }
    }
    control.start().await?;
    match control.create_job(caller, request).await? {
        Created::Job(created) => Ok(Some(created.job_id)),
        Created::Plan(_) => Err(Failure::new(Code::JobCreateFailed, "only a plan came back", "report this")),
    }
}

/// Shows the plan on standard error and asks; the digest of what was agreed to.
async fn agreed(control: &Control, request: &JobRequest) -> Result<Option<String>, Failure> {
    let mut only = request.clone();
    only.config.dry_run = Some(true);
    let made: Plan = control.plan(&App::caller(), only).await?;
    say(&plan(&made));
    // Nothing to agree to: the job says why there is nothing, or what forbids it.
    if made.work().next().is_none() {
        return Ok(Some(made.digest));
    }
    let question = || inquire::Confirm::new("Rebuild these tables now?").with_default(false).prompt();
    Ok(ask(question).await.unwrap_or(false).then_some(made.digest))
}

/// Shows progress until the job is final. The first interrupt (`told`: it has come already) cancels it, the second
/// leaves it (`None`).
async fn follow(
    app: &App,
    control: &Control,
    id: &JobId,
    as_json: bool,
    interrupts: &mut Interrupts,
    told: bool,
) -> Result<Option<RecycleJob>, Failure> {
    let caller = App::caller();
    let mut progress = Progress::new(as_json);
    let (mut cancelling, mut asked) = (told, false);
    if told {
        cancel(control, &caller, id, &progress).await;
    }
    loop {
        let job = control.job(&caller, id).await?;
        progress.show(&job, app.clock.now());
        if job.awaits_approval() && !std::mem::replace(&mut asked, true) {
            progress.say(&second(app.program, id));
        }
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
                cancel(control, &caller, id, &progress).await;
            }
        }
    }
}

/// Whom a job that needs two people waits for, and what they have to do.
fn second(program: &str, id: &JobId) -> String {
    format!(
        "{id}: waiting for another person's approval, because it may touch a primary; nothing is changed before.\n  next: \
         have another person run `{program} recycle approve {id}` under their own account with this configuration, or \
         approve it on the page with their own admin token"
    )
}

async fn cancel(control: &Control, caller: &Caller, id: &JobId, progress: &Progress) {
    progress.say("cancelling: the statement is killed and settings are restored (again to leave at once)");
    // It may have become final just now, which the next look shows.
    let _ = control.cancel(caller, id).await;
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
