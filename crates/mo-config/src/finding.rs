//! What is wrong with a file: where, what, and what to do next.

use std::fmt;

/// Whether a service starts in spite of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Weight {
    /// It does not start.
    Error,
    /// It starts, and may not do what was meant.
    Warning,
}

/// One thing found in one place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The file, as it was named.
    pub file: String,
    /// 1-based; absent where the key is not in the file.
    pub line: Option<usize>,
    /// Whether it keeps the service from starting.
    pub weight: Weight,
    /// The key with its tables; empty for the file as a whole.
    pub key: String,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub next: String,
}

/// `error: log1.toml:12: logservice.uuid: uuid not set; write one`
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let weight = if self.weight == Weight::Error { "error" } else { "warning" };
        write!(f, "{weight}: {}", one_line(&self.file))?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if !self.key.is_empty() {
            write!(f, ": {}", one_line(&self.key))?;
        }
        write!(f, ": {}; {}", one_line(&self.what), one_line(&self.next))
    }
}

/// Files hold what anybody wrote: a line break or an escape sequence in a key would forge lines of the report.
fn one_line(text: &str) -> String {
    let escape = |c: char| if c.is_control() { c.escape_default().collect() } else { c.to_string() };
    text.chars().map(escape).collect()
}

/// All findings, one a line.
pub fn report(findings: &[Finding]) -> String {
    findings.iter().fold(String::new(), |text, finding| text + &finding.to_string() + "\n")
}

/// Whether any of them keeps a service from starting.
pub fn has_errors(findings: &[Finding]) -> bool {
    findings.iter().any(|finding| finding.weight == Weight::Error)
}

/// In the order of a reader: by file and line, each thing once.
pub(crate) fn ordered(mut findings: Vec<Finding>) -> Vec<Finding> {
    findings.sort();
    findings.dedup();
    findings
}
