//! `completions` and `man`: made from the command line's own description, so they cannot drift.

use crate::{
    args::{CompletionArgs, ManArgs, command},
    output::Sink,
};
use clap_mangen::Man;
use std::{path::Path, process::ExitCode};
use types::{Code, Failure};

/// Prints a completion script.
pub fn completions(program: &'static str, args: &CompletionArgs) -> Result<ExitCode, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command(program), program, &mut script);
    Sink::Stdout.write(&String::from_utf8_lossy(&script))?;
    Ok(ExitCode::SUCCESS)
}

/// Prints the page of the program, or writes one page per command.
pub fn man(program: &'static str, args: &ManArgs) -> Result<ExitCode, Failure> {
    let mut all = command(program);
    all.build();
    match &args.directory {
        None => Sink::Stdout.write(&page(&all, program)?)?,
        Some(directory) => {
            std::fs::create_dir_all(directory).map_err(|error| unwritable(directory, &error))?;
            write(directory, program, &all)?;
            for command in all.get_subcommands() {
                write(directory, &format!("{program}-{}", command.get_name()), command)?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn page(command: &clap::Command, name: &str) -> Result<String, Failure> {
    let mut text = Vec::new();
    Man::new(command.clone())
        .title(name)
        .render(&mut text)
        .map_err(|error| Failure::new(Code::InvalidArgument, error, "report this"))?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

fn write(directory: &Path, name: &str, command: &clap::Command) -> Result<(), Failure> {
    Sink::File(directory.join(format!("{name}.1"))).write(&page(command, name)?)
}

fn unwritable(directory: &Path, error: &std::io::Error) -> Failure {
    let error = format!("{} cannot be made: {error}", directory.display());
    Failure::new(Code::InvalidArgument, error, "name a directory that can be written")
}
