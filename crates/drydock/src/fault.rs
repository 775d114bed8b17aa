//! How a failure leaves the program: text for people, JSON where JSON was asked for, and an exit code.

use crate::output::{clean, json_line, say};
use api::ErrorBody;
use jiff::Timestamp;
use std::process::ExitCode;
use types::{Code, Failure};

/// Facts that have a line of their own in the text.
const OWN_LINES: [&str; 4] = ["error", "next", "host", "port"];

/// The text form: code, what happened, to what, what to do next.
pub fn text(failure: &Failure) -> String {
    let code = failure.code;
    let mut lines = vec![format!("error {}: {}: {}", code.number(), code.english(), failure.detail("error"))];
    if let Some(host) = failure.details.get("host").and_then(|host| host.as_str()) {
        let port = failure.details.get("port").map_or_else(String::new, |port| format!(":{port}"));
        lines.push(format!("  at:   {host}{port}"));
    }
    let facts = failure.details.iter().filter(|(key, _)| !OWN_LINES.contains(&key.as_str()));
    lines.extend(
        facts.map(|(key, value)| format!("  {key}: {}", value.as_str().map_or(value.to_string(), str::to_owned))),
    );
    lines.push(format!("  next: {}", failure.detail("next")));
    lines.iter().map(|line| clean(line)).collect::<Vec<_>>().join("\n")
}

/// Prints a failure on standard error and returns its exit code.
pub fn leave(failure: &Failure, as_json: bool, now: Timestamp) -> ExitCode {
    tracing::error!(code = failure.code.number(), error = failure.detail("error"), "the command failed");
    let body = as_json.then(|| json_line(&ErrorBody::new(failure, now)).ok()).flatten();
    say(&body.unwrap_or_else(|| text(failure)));
    ExitCode::from(failure.code.exit_code())
}

/// A command line that cannot be read, in our own shape; help and version are no failures and end well.
pub fn leave_usage(error: &clap::Error, as_json: bool, now: Timestamp) -> ExitCode {
    if !error.use_stderr() {
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    if as_json {
        let said = error.to_string();
        let what: Vec<&str> = said
            .lines()
            .take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more"))
            .map(str::trim)
            .collect();
        let what = what.join(" ").trim().trim_start_matches("error: ").to_owned();
        return leave(&Failure::new(Code::InvalidArgument, what, "see --help"), true, now);
    }
    let _ = error.print();
    ExitCode::from(Code::InvalidArgument.exit_code())
}

#[cfg(test)]
mod tests {
    use super::*;
    use types::Address;

    #[test]
    fn a_failure_says_code_what_where_and_next() {
        let failure = Failure::new(Code::ConnectFailed, "connection refused", "start the server");
        let shown = text(&failure.at(&Address::new("db\u{1b}[2J", 3306)).with("attempts", 2));
        let expected = "error 1002: database connection failed: connection refused\n  at:   db\u{fffd}[2J:3306\n  \
                        attempts: 2\n  next: start the server";
        assert_eq!(shown, expected);
    }
}
