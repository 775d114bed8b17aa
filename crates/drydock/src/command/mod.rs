//! The commands, one file each: arguments in, one call of the hall, output.

mod approve;
mod cancel;
mod config;
mod material;
mod monitor;
mod recycle;
mod server;
mod status;
mod token;
mod topology;
mod version;

use crate::{
    app::App,
    args::{Cli, Command, RecycleCommand},
    log::Screen,
    output::say,
    signals::unless_interrupted,
};
use std::process::ExitCode;
use types::Failure;

/// Runs the command; what it returns is the program's exit code.
pub async fn run(program: &'static str, cli: Cli) -> Result<ExitCode, Failure> {
    // These need no configuration, so that a broken one does not stand in their way.
    match &cli.command {
        Command::Version(args) => return version::run(program, args),
        Command::Completions(args) => return material::completions(program, args),
        Command::Man(args) => return material::man(program, args),
        Command::Token(command) => return token::run(command),
        Command::Config(command) => return config::run(&cli.flags(), command),
        _ => {}
    }
    let screen = if monitor::draws(&cli.command) { Screen::Taken } else { Screen::Terminal };
    let app = App::new(program, &cli, screen)?;
    warn_of_argv(&cli);
    match cli.command {
        Command::Topology(args) => Box::pin(unless_interrupted(topology::run(&app, args))).await,
        Command::Recycle(mut args) => match args.command.take() {
            Some(RecycleCommand::Approve(args)) => approve::run(&app, &args).await,
            None => Box::pin(recycle::run(&app, args)).await,
        },
        Command::Monitor(args) => monitor::run(&app, &args).await,
        Command::Status(args) => unless_interrupted(status::run(&app, &args)).await,
        Command::Server(_) => server::run(&app).await,
        Command::Cancel(args) => cancel::run(&app, &args).await,
        _ => Ok(ExitCode::SUCCESS),
    }
}

/// Where JSON was asked for, standard error holds nothing but JSON.
fn warn_of_argv(cli: &Cli) {
    let text = "--password stood in the process list until it was moved, and stays in the shell's history; prefer \
                --password-file, RECYCLER_DB_PASSWORD or the prompt";
    if std::env::var_os(crate::config::MOVED_PASSWORD).is_some() {
        tracing::info!("{text}");
        if !cli.wants_json() {
            say(&format!("warning: {text}"));
        }
    }
}
