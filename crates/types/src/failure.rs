//! The outer coat of every error: one of the seed's numbers, what happened to what, and what to do next.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::fmt;

/// The stable error numbers of seed 002 chapter 6. Each has a page `docs/errors/<number>.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "u16", try_from = "u16")]
pub enum Code {
    /// A parameter is missing, malformed or out of range.
    InvalidArgument,
    /// A database could not be reached or refused the login.
    ConnectFailed,
    /// The topology could not be worked out.
    DiscoveryFailed,
    /// Whether a node takes writes could not be decided, or it does and was asked to be rebuilt.
    PrimaryCheckFailed,
    /// A job could not be created.
    JobCreateFailed,
    /// No job of that name.
    JobNotFound,
    /// The job is in a state that does not allow this.
    JobState,
    /// The caller, or the database account, lacks a right.
    Forbidden,
    /// A limit of time ran out.
    TimedOut,
    /// Too much is under way, or another Drydock holds the fleet.
    Busy,
}

/// Number, meaning as the seed words it, the same in English, HTTP status: one row per code.
const ROWS: [(Code, u16, &str, &str, u16); 10] = [
    (Code::InvalidArgument, 1001, "参数错误", "invalid argument", 400),
    (Code::ConnectFailed, 1002, "数据库连接失败", "database connection failed", 500),
    (Code::DiscoveryFailed, 1003, "拓扑探测失败", "topology discovery failed", 500),
    (Code::PrimaryCheckFailed, 1004, "主节点检测失败", "primary check failed", 500),
    (Code::JobCreateFailed, 1005, "任务创建失败", "job creation failed", 500),
    (Code::JobNotFound, 1006, "任务不存在", "job not found", 404),
    (Code::JobState, 1007, "任务状态错误", "wrong job state", 400),
    (Code::Forbidden, 1008, "权限不足", "permission denied", 403),
    (Code::TimedOut, 1009, "操作超时", "operation timed out", 408),
    (Code::Busy, 1010, "系统忙碌", "system busy", 503),
];

impl Code {
    /// Every code, in order.
    pub fn all() -> impl Iterator<Item = Code> {
        ROWS.iter().map(|row| row.0)
    }

    fn row(self) -> &'static (Code, u16, &'static str, &'static str, u16) {
        &ROWS[self as usize]
    }

    /// The seed's number, 1001 to 1010.
    pub fn number(self) -> u16 {
        self.row().1
    }

    /// The seed's wording, which is what `message` holds on the wire.
    pub fn message(self) -> &'static str {
        self.row().2
    }

    /// The same in English, for terminals and logs.
    pub fn english(self) -> &'static str {
        self.row().3
    }

    /// The HTTP status the seed pairs with this code.
    pub fn http_status(self) -> u16 {
        self.row().4
    }

    /// Exit code of a command that failed so: 2 usage, 4 rights, 5 refused by a guard, 7 time-out, else 1.
    pub fn exit_code(self) -> u8 {
        match self {
            Code::InvalidArgument => 2,
            Code::Forbidden => 4,
            Code::PrimaryCheckFailed => 5,
            Code::TimedOut => 7,
            _ => 1,
        }
    }
}

impl From<Code> for u16 {
    fn from(code: Code) -> u16 {
        code.number()
    }
}

impl TryFrom<u16> for Code {
    type Error = String;

    fn try_from(number: u16) -> Result<Self, String> {
        let row = ROWS.iter().find(|row| row.1 == number);
        row.map(|row| row.0).ok_or_else(|| format!("{number} is not an error code"))
    }
}

/// An error as the user meets it. `details` always holds `error` (what happened) and `next` (what to do).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Which of the stable kinds.
    pub code: Code,
    /// Facts: `error`, `next`, and what it happened to (`host`, `port`, `job_id`, `field`, …).
    pub details: Map<String, Value>,
}

impl Failure {
    /// What happened, and what the user should do next.
    pub fn new(code: Code, error: impl fmt::Display, next: impl fmt::Display) -> Self {
        let failure = Self { code, details: Map::new() };
        failure.with("error", error.to_string()).with("next", next.to_string())
    }

    /// Adds one fact.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.details.insert(key.to_owned(), value.into());
        self
    }

    /// Adds the server it happened to.
    #[must_use]
    pub fn at(self, address: &crate::Address) -> Self {
        self.with("host", address.host.clone()).with("port", address.port)
    }

    /// One fact as text, empty if absent.
    pub fn detail(&self, key: &str) -> &str {
        self.details.get(key).and_then(Value::as_str).unwrap_or("")
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}): {}", self.code.english(), self.code.number(), self.detail("error"))
    }
}

impl std::error::Error for Failure {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stand_in_the_order_of_the_enum() {
        for (index, code) in Code::all().enumerate() {
            assert_eq!(code as usize, index);
            assert_eq!(Code::try_from(code.number()), Ok(code));
        }
    }

    #[test]
    fn every_code_has_its_page() {
        for code in Code::all() {
            let path = format!("{}/../../docs/errors/{}.md", env!("CARGO_MANIFEST_DIR"), code.number());
            let page = std::fs::read_to_string(&path).unwrap_or_default();
            assert!(
                page.contains(code.message()) && page.contains(&format!("HTTP status {}", code.http_status())),
                "{path}"
            );
        }
    }
}
