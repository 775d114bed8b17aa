//! What the tests lay out: files of a launch, read and checked as a program would.
#![allow(dead_code, reason = "each test file uses a part")]

use mo_config::{Finding, ServiceConfig, Source, Weight, check};

pub const LOG1: &str = include_str!("../seed004/log1.toml");
pub const LOG2: &str = include_str!("../seed004/log2.toml");
pub const LAUNCH: &str = include_str!("../seed004/launch.toml");
pub const TN: &str = include_str!("../seed004/tn.toml");
pub const CN: &str = include_str!("../seed004/cn.toml");

/// A log service's file that founds a cluster alone, without a word too many.
pub const FOUNDER: &str = "service-type = \"LOG\"\n[logservice]\nexplicit-hostname = \"a\"\n";

pub fn read(file: &str, text: &str) -> (ServiceConfig, Vec<Finding>) {
    let read = ServiceConfig::read(Source::new(file, "/srv"), text);
    (read.value, read.findings)
}

/// Everything that is found in files named `0.toml`, `1.toml` and on.
pub fn found(texts: &[&str]) -> Vec<Finding> {
    let read: Vec<_> = texts.iter().enumerate().map(|(at, text)| read(&format!("{at}.toml"), text)).collect();
    let (services, findings): (Vec<_>, Vec<_>) = read.into_iter().unzip();
    findings.into_iter().flatten().chain(check(&services)).collect()
}

pub fn errors(findings: &[Finding]) -> Vec<String> {
    findings.iter().filter(|finding| finding.weight == Weight::Error).map(ToString::to_string).collect()
}

/// Asserts that one finding holds every one of these words, as it is printed.
#[track_caller]
pub fn says(findings: &[Finding], words: &[&str]) {
    let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
    let there = lines.iter().any(|line| words.iter().all(|word| line.contains(word)));
    assert!(there, "nothing says {words:?} in:\n{}", lines.join("\n"));
}

/// Asserts that none of the findings holds a word.
#[track_caller]
pub fn silent(findings: &[Finding], word: &str) {
    let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
    assert!(!lines.iter().any(|line| line.contains(word)), "{word:?} in:\n{}", lines.join("\n"));
}

/// A founder with another line in one of its tables.
pub fn founder(table: &str, line: &str) -> String {
    match table {
        "" => format!("{line}\n{FOUNDER}"),
        "logservice" => format!("{FOUNDER}{line}\n"),
        other => format!("{FOUNDER}[{other}]\n{line}\n"),
    }
}
