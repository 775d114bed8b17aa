//! Reads the texts servers print: `uuid[:tag]:1-5:7`, `domain-server-number`, commas, spaces and line ends between.

use super::{Gtid, GtidSet, Origin};

/// The largest number MySQL gives (`2^63 - 2`); MariaDB's are larger but no server lives that long.
const MOST: u64 = i64::MAX as u64;

/// Why a text is no GTID or set of them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no GTID: MySQL writes uuid:1-5 or uuid:tag:1-5, MariaDB domain-server-number")]
pub struct GtidError(pub String);

fn wrong(text: &str) -> GtidError {
    GtidError(text.to_owned())
}

/// One transaction.
pub(super) fn gtid(text: &str) -> Result<Gtid, GtidError> {
    let set = set(text)?;
    let mut entries = set.iter();
    let (Some((origin, numbers)), None) = (entries.next(), entries.next()) else { return Err(wrong(text)) };
    // A MariaDB name reads as all numbers up to its own, so the name is the last of them.
    let single = matches!(origin, Origin::MariaDb { .. }) || numbers.count() == 1;
    if single { Ok(Gtid { origin: origin.clone(), number: numbers.highest() }) } else { Err(wrong(text)) }
}

/// A whole set; the empty text is the empty set.
pub(super) fn set(text: &str) -> Result<GtidSet, GtidError> {
    let mut set = GtidSet::new();
    for entry in text.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
        if entry.contains(':') { mysql(entry, &mut set)? } else { mariadb(entry, &mut set)? }
    }
    Ok(set)
}

fn number(text: &str) -> Option<u64> {
    text.trim().parse().ok().filter(|n| (1..=MOST).contains(n))
}

fn range(text: &str, between: &str) -> Option<(u64, u64)> {
    let (first, last) = text.split_once(between).unwrap_or((text, text));
    let (first, last) = (number(first)?, number(last)?);
    (first <= last).then_some((first, last))
}

/// MySQL: at most 32 characters, a letter or underscore first; case does not count.
fn tag(text: &str) -> Option<String> {
    let text = text.trim().to_ascii_lowercase();
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let opens = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    (opens && text.len() <= 32 && text.chars().all(fits)).then_some(text)
}

fn mysql(entry: &str, set: &mut GtidSet) -> Result<(), GtidError> {
    let mut parts = entry.split(':').map(str::trim);
    let uuid = parts.next().and_then(|text| uuid::Uuid::parse_str(text).ok()).ok_or_else(|| wrong(entry))?;
    let (mut current, mut numbers) = (String::new(), 0);
    for part in parts {
        if let Some(next) = tag(part) {
            current = next;
        } else {
            let (first, last) = range(part, "-").ok_or_else(|| wrong(entry))?;
            set.insert(Origin::MySql { uuid, tag: current.clone() }, first, last);
            numbers += 1;
        }
    }
    if numbers == 0 { Err(wrong(entry)) } else { Ok(()) }
}

fn mariadb(entry: &str, set: &mut GtidSet) -> Result<(), GtidError> {
    let mut parts = entry.splitn(3, '-');
    let mut id = || parts.next().and_then(|text| text.trim().parse::<u32>().ok()).ok_or_else(|| wrong(entry));
    let (domain, server) = (id()?, id()?);
    let text = parts.next().ok_or_else(|| wrong(entry))?;
    // `0-1-0` is what a server prints that has a domain and no transaction in it.
    if text.trim() == "0" {
        return Ok(());
    }
    let numbers = if text.contains("..") { range(text, "..") } else { number(text).map(|last| (1, last)) };
    let (first, last) = numbers.ok_or_else(|| wrong(entry))?;
    set.insert(Origin::MariaDb { domain, server }, first, last);
    Ok(())
}
