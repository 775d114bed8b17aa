//! A job's progress on standard error: a bar on a terminal, a line or a JSON object per change elsewhere.

use crate::output::{bytes, clean, job_update, json_line, say};
use api::RecycleJob;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use jiff::Timestamp;
use std::io::{IsTerminal, stderr};

/// Where progress is shown.
pub enum Progress {
    /// A terminal.
    Bar(ProgressBar),
    /// A file or a pipe; the last line is not said twice.
    Lines(String),
    /// The same where JSON was asked for: one object per line.
    Objects(String),
}

impl Progress {
    /// For standard error as it is.
    pub fn new(as_json: bool) -> Self {
        if !stderr().is_terminal() {
            return if as_json { Self::Objects(String::new()) } else { Self::Lines(String::new()) };
        }
        let bar = ProgressBar::with_draw_target(Some(1000), ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {prefix} {wide_msg}") {
            bar.set_style(style);
        }
        Self::Bar(bar)
    }

    /// Shows where the job stands.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 100, shown in thousandths")]
    pub fn show(&mut self, job: &RecycleJob, now: Timestamp) {
        let percent = job.progress.percentage.clamp(0.0, 100.0);
        match self {
            Self::Bar(bar) => {
                bar.set_position((percent * 10.0) as u64);
                bar.set_prefix(format!("{percent:5.1}%"));
                bar.set_message(said(job));
            }
            Self::Objects(last) => {
                let line = said(job);
                if *last != line {
                    say(&json_line(&job_update(job, now)).unwrap_or_default());
                    *last = line;
                }
            }
            Self::Lines(last) => {
                let line = format!("{} {}", job.status.as_str(), said(job));
                if *last != line {
                    say(&format!("{} {percent:.1}% {line}", job.job_id));
                    *last = line;
                }
            }
        }
    }

    /// A word between, without tearing the bar.
    pub fn say(&self, text: &str) {
        match self {
            Self::Bar(bar) => bar.suspend(|| say(text)),
            Self::Lines(_) => say(text),
            Self::Objects(_) => {}
        }
    }

    /// Takes the bar away.
    pub fn end(&self) {
        if let Self::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}

fn said(job: &RecycleJob) -> String {
    let (progress, statistics) = (&job.progress, &job.statistics);
    let mut parts = vec![
        format!("{}/{} tables", progress.processed_tables, progress.total_tables),
        format!("{} freed", bytes(statistics.space_freed_bytes)),
    ];
    if !statistics.estimated_remaining.is_empty() {
        parts.push(format!("{} left", statistics.estimated_remaining));
    }
    parts.extend([&progress.current_table, &progress.phase].into_iter().filter(|text| !text.is_empty()).cloned());
    clean(&parts.join(", "))
}
