//! The log: a file that rotates by size, keeps so many, gzips and drops what is old; warnings on a terminal besides.

mod roll;
mod shelf;
mod sweep;

pub use sweep::sweep;

use crate::{config::Logging, output::say};
use roll::Roller;
use std::io::{IsTerminal, stderr};
use tracing::level_filters::LevelFilter;
use tracing_appender::non_blocking::{NonBlocking, WorkerGuard};
use tracing_subscriber::{
    Layer, Registry,
    filter::Targets,
    layer::SubscriberExt,
    reload::{self, Handle},
    util::SubscriberInitExt,
};

/// Our own rooms: the level is theirs. Libraries say only what is wrong, whatever the level.
const ROOMS: [&str; 9] = ["drydock", "http", "control", "reclaim", "topology", "store", "jobs", "mysql", "runtime"];

/// The driver calls every refused statement an error. Probing lives on refused statements, and whoever asks reports what
/// matters with the server's name beside it.
const DRIVER: &str = "mysql_async";

/// Keeps the log going; what is buffered is written when it is dropped.
pub struct Log {
    level: Handle<Targets, Registry>,
    _writer: Option<WorkerGuard>,
}

/// Whether warnings may be shown on standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Screen {
    /// If standard error is a terminal.
    Terminal,
    /// Never: the screen is drawn on.
    Taken,
}

fn targets(level: &str) -> Targets {
    let level = match level {
        "debug" => LevelFilter::DEBUG,
        "warn" => LevelFilter::WARN,
        "error" => LevelFilter::ERROR,
        _ => LevelFilter::INFO,
    };
    let driver = if level == LevelFilter::DEBUG { LevelFilter::WARN } else { LevelFilter::OFF };
    let rooms = ROOMS.map(|room| (room, level));
    Targets::new().with_default(level.min(LevelFilter::WARN)).with_target(DRIVER, driver).with_targets(rooms)
}

fn writer(logging: &Logging) -> Option<(NonBlocking, WorkerGuard)> {
    match Roller::open(logging) {
        Ok(roller) => Some(tracing_appender::non_blocking(roller)),
        Err(reason) => {
            say(&format!("warning: no log is kept: {} cannot be written: {reason}", logging.file.display()));
            None
        }
    }
}

/// Starts the log. A file that cannot be written is said once on standard error; the program goes on without.
pub fn start(logging: &Logging, screen: Screen) -> Log {
    let (filter, level) = reload::Layer::new(targets(&logging.level));
    let (writer, guard) = writer(logging).unzip();
    let file = writer.map(|writer| tracing_subscriber::fmt::layer().with_ansi(false).with_writer(writer));
    let shown = screen == Screen::Terminal && stderr().is_terminal();
    let terminal = shown.then(|| {
        let layer = tracing_subscriber::fmt::layer().without_time().with_target(false).with_writer(stderr);
        layer.with_filter(targets("warn"))
    });
    // A second start in one process (tests) keeps the first subscriber.
    let _ = tracing_subscriber::registry().with(file.with_filter(filter)).with(terminal).try_init();
    Log { level, _writer: guard }
}

impl Log {
    /// Takes a new level.
    pub fn set_level(&self, level: &str) {
        let _ = self.level.reload(targets(level));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing::Level;

    #[test]
    fn a_refused_probe_is_no_line_of_the_log() {
        for level in ["info", "warn", "error"] {
            assert!(!targets(level).would_enable("mysql_async::conn", &Level::ERROR), "{level}");
        }
        assert!(targets("debug").would_enable("mysql_async::conn", &Level::ERROR));
        assert!(targets("info").would_enable("reclaim::trade", &Level::INFO));
        assert!(targets("error").would_enable("sqlx", &Level::ERROR));
    }
}
