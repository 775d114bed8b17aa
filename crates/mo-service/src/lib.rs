//! Roof: log stores, engines and SQL doors as the files of seed 004 ask for them, in one process or many.

mod argv;
mod keeper;
mod launch;
mod names;
mod node;
mod sql;
mod store;

use argv::{Arguments, What};
use clap::Parser;
use mo_config::{Loaded, has_errors, load_launch, load_service, report};
use std::{path::Path, process::ExitCode};
use tracing_subscriber::EnvFilter;

/// Runs the program.
#[must_use]
pub fn main() -> ExitCode {
    // Two providers in one build would panic at the first use of TLS; a second call only says that one is there.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let arguments = Arguments::parse_from(argv::doubled(std::env::args()));
    let here = Path::new("");
    let loaded = match arguments.what() {
        What::Launch(file) => load_launch(&file, here),
        What::Service(file) => load_service(&file, here),
    };
    eprint!("{}", report(&loaded.findings));
    let faulty = has_errors(&loaded.findings);
    if arguments.check {
        let services = loaded.services.len();
        let said = if faulty { "these files would not start" } else { "these files are in order" };
        println!("{said}: {services} services");
    }
    match (faulty, arguments.check) {
        (true, _) => ExitCode::FAILURE,
        (false, true) => ExitCode::SUCCESS,
        (false, false) => run(&loaded),
    }
}

fn run(loaded: &Loaded) -> ExitCode {
    logging(loaded);
    let ended = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())
        .and_then(|runtime| runtime.block_on(launch::run(&loaded.services)));
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("mo-service: {why}");
            ExitCode::FAILURE
        }
    }
}

/// One log for all services of the process, as the first file asks for it; `RUST_LOG` goes before.
fn logging(loaded: &Loaded) {
    let level = loaded.services.first().map_or("info", |service| service.log.level.as_str()).to_owned();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false).with_writer(std::io::stderr).init();
}
