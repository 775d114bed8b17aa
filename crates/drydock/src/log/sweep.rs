//! Drops rotated log files older than `max_age` days, which the roller, knowing only counts, does not.

use crate::config::Logging;
use jiff::{SignedDuration, Timestamp};
use std::{
    fs::DirEntry,
    path::{Path, PathBuf},
};

/// Removes what is too old at `now`; returns what was removed. The file being written is never touched.
pub fn sweep(logging: &Logging, now: Timestamp) -> Vec<PathBuf> {
    let Some(oldest) = oldest(logging.max_age, now) else { return Vec::new() };
    let Some(name) = logging.file.file_name().and_then(|name| name.to_str()) else { return Vec::new() };
    let folder = logging.file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let old = entries.filter(|entry| is_rotated(entry, name) && changed(entry).is_some_and(|at| at < oldest));
    old.map(|entry| entry.path()).filter(|path| std::fs::remove_file(path).is_ok()).collect()
}

fn oldest(days: u64, now: Timestamp) -> Option<Timestamp> {
    let hours = i64::try_from(days).ok().filter(|days| *days > 0)?.checked_mul(24)?;
    now.checked_sub(SignedDuration::from_hours(hours)).ok()
}

/// `name.1`, `name.1.gz`, `name.pending.3`: nothing else that happens to begin alike.
fn is_rotated(entry: &DirEntry, name: &str) -> bool {
    let file = entry.file_name();
    let Some(rest) = file.to_str().and_then(|file| file.strip_prefix(name)).and_then(|rest| rest.strip_prefix('.'))
    else {
        return false;
    };
    let rest = rest.strip_suffix(".gz").unwrap_or(rest);
    let number = rest.strip_prefix("pending.").unwrap_or(rest);
    !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
}

fn changed(entry: &DirEntry) -> Option<Timestamp> {
    Timestamp::try_from(entry.metadata().ok()?.modified().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use runtime::Clock;

    #[test]
    fn only_old_rotated_files_go() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["r.log", "r.log.1.gz", "r.log.2", "r.log.txt", "other.log.1"] {
            std::fs::write(folder.path().join(name), "x").unwrap();
        }
        let logging = Logging { file: folder.path().join("r.log"), max_age: 30, ..Logging::default() };
        let now = Clock::real().now();
        assert_eq!(sweep(&logging, now), Vec::<PathBuf>::new());
        let later = now.checked_add(SignedDuration::from_hours(31 * 24)).unwrap();
        let mut gone = sweep(&logging, later);
        gone.sort();
        assert_eq!(gone, [folder.path().join("r.log.1.gz"), folder.path().join("r.log.2")]);
        assert_eq!(sweep(&Logging { max_age: 0, ..logging }, later), Vec::<PathBuf>::new());
    }
}
