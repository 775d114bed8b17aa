//! Roof: the same program under the seed's name.

use std::process::ExitCode;

fn main() -> ExitCode {
    drydock::main("mysql-tablespace-recycling")
}
