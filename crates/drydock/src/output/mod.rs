//! What comes out: data on standard output or into a file, everything else on standard error.

mod cells;
mod job;
mod plan;

pub(crate) use cells::clean;
pub use cells::{bytes, seconds};
pub use job::{job_list, job_report, job_update};
pub use plan::plan;

use serde::Serialize;
use std::{
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
};
use types::{Code, Failure};

/// Where data goes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Sink {
    /// Standard output.
    #[default]
    Stdout,
    /// A file, replaced as a whole.
    File(PathBuf),
}

impl Sink {
    /// A file if one was named.
    pub fn to(file: Option<&PathBuf>) -> Self {
        file.map_or(Self::Stdout, |path| Self::File(path.clone()))
    }

    /// Writes a text, ending it with a line end.
    pub fn write(&self, text: &str) -> Result<(), Failure> {
        let text = format!("{}\n", text.trim_end_matches('\n'));
        match self {
            Self::Stdout => print(&text),
            Self::File(path) => save(path, &text),
        }
    }
}

/// A reader that went away (`| head`) is no error.
fn print(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(unwritable("standard output", &error, "check where standard output leads"))
        }
        _ => Ok(()),
    }
}

/// A line on standard error. A terminal that is gone must not end the program in the middle of something.
pub fn say(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// Beside first, then renamed: a reader never sees half a file.
fn save(path: &Path, text: &str) -> Result<(), Failure> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".part");
    let written = std::fs::write(&beside, text).and_then(|()| std::fs::rename(&beside, path));
    written.map_err(|error| unwritable(&path.display().to_string(), &error, "check the path, its rights and its disk"))
}

fn unwritable(what: &str, error: &std::io::Error, next: &str) -> Failure {
    Failure::new(Code::InvalidArgument, format!("{what} cannot be written: {error}"), next).with("field", "output_file")
}

/// Pretty JSON.
pub fn json<T: Serialize>(value: &T) -> Result<String, Failure> {
    serde_json::to_string_pretty(value).map_err(|error| unprintable(&error))
}

/// One line of JSON.
pub fn json_line<T: Serialize>(value: &T) -> Result<String, Failure> {
    serde_json::to_string(value).map_err(|error| unprintable(&error))
}

/// YAML.
pub fn yaml<T: Serialize>(value: &T) -> Result<String, Failure> {
    serde_saphyr::to_string(value).map_err(|error| unprintable(&error))
}

fn unprintable(error: &dyn std::fmt::Display) -> Failure {
    Failure::new(Code::InvalidArgument, format!("the answer cannot be printed: {error}"), "take another output format")
}
