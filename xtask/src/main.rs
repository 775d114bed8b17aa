//! Checks of the house that no compiler makes: `cargo xtask layers`.

mod layers;
mod table;

use std::process::ExitCode;

fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        Some("layers") => report(layers::check()),
        _ => report(Err(vec!["usage: cargo xtask layers".to_owned()])),
    }
}

fn report(outcome: Result<String, Vec<String>>) -> ExitCode {
    match outcome {
        Ok(said) => {
            println!("{said}");
            ExitCode::SUCCESS
        }
        Err(faults) => {
            for fault in faults {
                eprintln!("{fault}");
            }
            ExitCode::FAILURE
        }
    }
}
