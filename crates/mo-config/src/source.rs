//! Where a text comes from, and what its paths are relative to.

use crate::finding::{Finding, Weight, ordered};
use std::{
    collections::BTreeMap,
    path::{Component, Path, PathBuf},
};

/// A file by the name it was given, and the directory `mo-service` is run in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// As it was named: findings repeat it.
    pub file: String,
    /// Relative paths in the file start here, not beside the file.
    pub base: PathBuf,
    /// The line of each key and table that is in the file, by its path in lower case.
    pub(crate) lines: BTreeMap<String, usize>,
}

/// What was read, and what was found on the way.
#[derive(Debug, Clone, PartialEq)]
pub struct Read<T> {
    /// With defaults wherever the file says nothing usable.
    pub value: T,
    /// In the order of the file.
    pub findings: Vec<Finding>,
}

impl<T> Read<T> {
    pub(crate) fn new(value: T, findings: Vec<Finding>) -> Self {
        Self { value, findings: ordered(findings) }
    }
}

impl Source {
    /// A file named `file`, of a program run in `base`.
    pub fn new(file: impl Into<String>, base: impl Into<PathBuf>) -> Self {
        Self { file: file.into(), base: base.into(), lines: BTreeMap::new() }
    }

    /// A path of the file, from `base` on and without `.` and `..`: two spellings of one directory are equal.
    pub fn path(&self, text: &str) -> PathBuf {
        let mut tidy = PathBuf::new();
        for part in self.base.join(text).components() {
            match part {
                Component::CurDir => {}
                Component::ParentDir if tidy.file_name().is_some() => {
                    tidy.pop();
                }
                other => tidy.push(other),
            }
        }
        tidy
    }

    /// A file named in this one, ready to be opened.
    pub fn sibling(&self, text: &str) -> PathBuf {
        self.base.join(Path::new(text))
    }

    /// Whether the file itself says something under this key.
    pub fn says(&self, key: &str) -> bool {
        self.lines.contains_key(&key.to_lowercase())
    }

    /// The line of a key, else of the innermost table around it that is in the file.
    fn line(&self, key: &str) -> Option<usize> {
        let mut path = key.to_lowercase();
        loop {
            if let Some(line) = self.lines.get(&path) {
                return Some(*line);
            }
            path.truncate(path.rfind('.')?);
        }
    }

    pub(crate) fn error(&self, key: &str, what: impl Into<String>, next: impl Into<String>) -> Finding {
        self.finding(Weight::Error, key, what, next)
    }

    pub(crate) fn warning(&self, key: &str, what: impl Into<String>, next: impl Into<String>) -> Finding {
        self.finding(Weight::Warning, key, what, next)
    }

    fn finding(&self, weight: Weight, key: &str, what: impl Into<String>, next: impl Into<String>) -> Finding {
        let (what, next) = (what.into(), next.into());
        Finding { weight, file: self.file.clone(), line: self.line(key), key: key.to_owned(), what, next }
    }
}
