//! `monitor`: jobs as they go on, on a live screen with a terminal, as lines without one.

mod lines;
mod screen;
mod watch;

use crate::{
    app::{App, Keep},
    args::{Command, MonitorArgs, MonitorFormat},
};
use std::{
    io::{IsTerminal, stdin, stdout},
    process::ExitCode,
    time::Duration,
};
use types::Failure;

/// Looking more often than this shows nothing more and costs the store.
const SHORTEST: Duration = Duration::from_millis(100);

/// Whether the command draws a screen, so that nothing else may be printed.
pub fn draws(command: &Command) -> bool {
    match command {
        Command::Monitor(args) => {
            args.output_format == MonitorFormat::Table && stdin().is_terminal() && stdout().is_terminal()
        }
        _ => false,
    }
}

/// Watches until told to stop; without a terminal until no job is active.
pub async fn run(app: &App, args: &MonitorArgs) -> Result<ExitCode, Failure> {
    let control = app.control(Keep::Jobs).await?;
    let every = args.refresh_interval.0.max(SHORTEST);
    let watch = watch::Watch::new(control, App::caller(), args.show_completed);
    if draws(&Command::Monitor(args.clone())) {
        screen::run(app, watch, every).await
    } else {
        lines::run(app, watch, every, args.output_format).await
    }
}
