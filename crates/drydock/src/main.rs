//! Roof: the program `drydock`.

use std::process::ExitCode;

fn main() -> ExitCode {
    drydock::main("drydock")
}
