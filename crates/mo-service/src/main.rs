//! Roof: the program `mo-service`.

use std::process::ExitCode;

fn main() -> ExitCode {
    mo_service::main()
}
