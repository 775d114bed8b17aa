//! `config check` and `config view`.

use crate::{
    args::ConfigCommand,
    config::{Config, Flags, load, process},
    output::{Sink, yaml},
};
use std::process::ExitCode;
use types::Failure;

/// Reads the configuration as every other command would, and everything it names.
pub fn run(flags: &Flags, command: &ConfigCommand) -> Result<ExitCode, Failure> {
    let config = load(flags, &process)?;
    let text = match command {
        ConfigCommand::Check => check(&config)?,
        ConfigCommand::View => view(&config)?,
    };
    Sink::Stdout.write(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn source(config: &Config) -> String {
    config.path.as_ref().map_or_else(|| "no file; defaults".to_owned(), |path| path.display().to_string())
}

fn check(config: &Config) -> Result<String, Failure> {
    config.settings(&process)?.check()?;
    config.store_url(&process)?;
    Ok(format!("{}: good", source(config)))
}

fn view(config: &Config) -> Result<String, Failure> {
    Ok(format!("# {}, with environment and flags over it; secrets masked\n{}", source(config), yaml(&config.values)?))
}
