//! `version`.

use crate::{
    args::{ReportFormat, VersionArgs},
    output::{Sink, json, yaml},
};
use serde::Serialize;
use std::process::ExitCode;
use types::Failure;

#[derive(Serialize)]
struct Version {
    program: &'static str,
    version: &'static str,
}

/// Prints it.
pub fn run(program: &'static str, args: &VersionArgs) -> Result<ExitCode, Failure> {
    let version = Version { program, version: env!("CARGO_PKG_VERSION") };
    let text = match args.format {
        ReportFormat::Table => format!("{program} {}", version.version),
        ReportFormat::Json => json(&version)?,
        ReportFormat::Yaml => yaml(&version)?,
    };
    Sink::Stdout.write(&text)?;
    Ok(ExitCode::SUCCESS)
}
