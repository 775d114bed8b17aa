//! A place to run the real programs in, with nothing of the caller's environment.
#![allow(
    dead_code,
    missing_docs,
    clippy::expect_used,
    clippy::panic,
    clippy::needless_pass_by_value,
    reason = "each test binary uses its part, and a test stops where it fails"
)]

use std::process::{Command, Output};
use tempfile::TempDir;

/// Both names.
pub const PROGRAMS: [&str; 2] = ["drydock", "mysql-tablespace-recycling"];

/// A working directory of its own.
pub struct Place {
    pub directory: TempDir,
}

impl Place {
    pub fn new() -> Self {
        Self { directory: tempfile::tempdir().expect("a directory") }
    }

    /// The same with a `config.yaml`.
    pub fn with_config(text: &str) -> Self {
        let place = Self::new();
        std::fs::write(place.directory.path().join("config.yaml"), text).expect("written");
        place
    }

    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin(program));
        for (key, _) in std::env::vars_os().filter(|(key, _)| key.to_string_lossy().starts_with("RECYCLER_")) {
            command.env_remove(key);
        }
        command.current_dir(self.directory.path()).stdin(std::process::Stdio::null());
        command
    }

    /// Runs `drydock` to its end.
    pub fn run(&self, arguments: &[&str]) -> Ended {
        Ended::of(self.command("drydock").args(arguments).output().expect("the program starts"))
    }

    pub fn read(&self, file: &str) -> String {
        std::fs::read_to_string(self.directory.path().join(file)).unwrap_or_default()
    }
}

/// What came of a run.
#[derive(Debug)]
pub struct Ended {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Ended {
    pub fn of(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// The error body on standard error, which must hold nothing else.
    pub fn body(&self) -> serde_json::Value {
        serde_json::from_str(self.err.trim()).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}
