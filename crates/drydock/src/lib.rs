//! Roof: the programs `drydock` and `mysql-tablespace-recycling`. Settings, logs and terminal; wires the rooms together.

mod app;
mod args;
mod argv;
mod ask;
mod command;
pub mod config;
mod fault;
mod housekeeping;
mod log;
mod output;
mod password;
mod progress;
mod signals;

use args::Cli;
use runtime::Clock;
use std::{ffi::OsString, process::ExitCode};
use types::{Code, Failure};

/// Threads that carry the async work; what takes long waits for servers, not for processors.
const THREADS: usize = 4;

/// Both programs: reads the command line, runs the command, returns its exit code.
pub fn main(program: &'static str) -> ExitCode {
    std::panic::set_hook(Box::new(|panic| {
        tracing::error!(%panic, "a fault of the program itself");
        output::say(&format!("internal fault, please report it: {panic}"));
    }));
    let arguments: Vec<OsString> = std::env::args_os().collect();
    if let Some(error) = argv::hide_password(&arguments) {
        output::say(&format!("warning: the password stays in the process list: {error}"));
    }
    let clock = Clock::real();
    let as_json = asks_for_json(&arguments);
    match Cli::read(program, arguments) {
        Err(error) => fault::leave_usage(&error, as_json, clock.now()),
        Ok(cli) => {
            let as_json = cli.wants_json();
            run(program, cli).unwrap_or_else(|failure| fault::leave(&failure, as_json, clock.now()))
        }
    }
}

fn run(program: &'static str, cli: Cli) -> Result<ExitCode, Failure> {
    // Two libraries speak TLS; without one provider for all the first use of it would panic.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let threads = std::thread::available_parallelism().map_or(1, |cores| cores.get().min(THREADS));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build();
    let runtime = runtime.map_err(|error| Failure::new(Code::Busy, error, "check the limits on threads and files"))?;
    let outcome = runtime.block_on(command::run(program, cli));
    // What still waits for a server must not hold the terminal.
    runtime.shutdown_background();
    outcome
}

/// Looked for by hand: it must be known when the command line cannot be read.
fn asks_for_json(arguments: &[OsString]) -> bool {
    let texts: Vec<&str> = arguments.iter().filter_map(|argument| argument.to_str()).collect();
    let flags = ["--output-format", "--format"];
    let apart = texts.windows(2).any(|pair| flags.contains(&pair[0]) && pair[1] == "json");
    apart || texts.iter().any(|text| flags.iter().any(|flag| *text == format!("{flag}=json")))
}
