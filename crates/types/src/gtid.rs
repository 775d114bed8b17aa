//! Global transaction ids of both families, and sets of them: read, written, compared; nothing asked of a server.

use std::{collections::BTreeMap, fmt, str::FromStr};

mod intervals;
mod parse;

pub use intervals::Intervals;
pub use parse::GtidError;

/// Who numbered a transaction: the part of a GTID before the number.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Origin {
    /// MySQL: the server's uuid, and since 8.3 a tag in lower case (empty: none).
    MySql {
        /// `@@server_uuid`.
        uuid: uuid::Uuid,
        /// Tag, empty if there is none.
        tag: String,
    },
    /// MariaDB: replication domain and server.
    MariaDb {
        /// `@@gtid_domain_id`.
        domain: u32,
        /// `@@server_id`.
        server: u32,
    },
}

/// One transaction's name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Gtid {
    /// Who numbered it.
    pub origin: Origin,
    /// Its number, from 1.
    pub number: u64,
}

/// A set of transactions, exact for each origin.
///
/// A MariaDB entry `0-7-42` stands for all that server 7 wrote in domain 0 up to number 42, as `@@gtid_binlog_state`
/// means it. `@@gtid_slave_pos` names one server per domain only; whether such a position is reached is asked with
/// [`GtidSet::covers`], never with [`GtidSet::is_subset`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GtidSet {
    entries: BTreeMap<Origin, Intervals>,
}

impl GtidSet {
    /// The set of nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// True if no transaction is in it.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Every origin with its numbers.
    pub fn iter(&self) -> impl Iterator<Item = (&Origin, &Intervals)> {
        self.entries.iter()
    }

    /// Adds the numbers `first..=last`; nothing if `first` is 0 or after `last`.
    pub fn insert(&mut self, origin: Origin, first: u64, last: u64) {
        if first > 0 && first <= last {
            self.entries.entry(origin).or_default().insert(first, last);
        }
    }

    /// Whether this very transaction is in the set.
    pub fn contains(&self, gtid: &Gtid) -> bool {
        self.entries.get(&gtid.origin).is_some_and(|numbers| numbers.contains(gtid.number))
    }

    /// What is in `self` and not in `other` (`GTID_SUBTRACT`).
    #[must_use]
    pub fn subtract(&self, other: &GtidSet) -> GtidSet {
        let mut rest = GtidSet::new();
        for (origin, numbers) in &self.entries {
            let left = other.entries.get(origin).map_or_else(|| numbers.clone(), |away| numbers.subtract(away));
            if !left.is_empty() {
                rest.entries.insert(origin.clone(), left);
            }
        }
        rest
    }

    /// Whether every transaction of `self` is in `other` (`GTID_SUBSET`).
    pub fn is_subset(&self, other: &GtidSet) -> bool {
        self.subtract(other).is_empty()
    }

    /// All transactions of both.
    #[must_use]
    pub fn union(&self, other: &GtidSet) -> GtidSet {
        let mut all = self.clone();
        for (origin, numbers) in &other.entries {
            for (first, last) in numbers.iter() {
                all.insert(origin.clone(), first, last);
            }
        }
        all
    }

    /// Whether a server at `self` has reached `target`: MySQL by set, MariaDB by the highest number of each domain,
    /// whoever wrote it.
    pub fn covers(&self, target: &GtidSet) -> bool {
        target.entries.iter().all(|(origin, numbers)| match origin {
            Origin::MySql { .. } => self.entries.get(origin).is_some_and(|own| numbers.subtract(own).is_empty()),
            Origin::MariaDb { domain, .. } => self.highest(*domain) >= numbers.highest(),
        })
    }

    /// The highest number in a MariaDB domain, 0 if there is none.
    pub fn highest(&self, domain: u32) -> u64 {
        let of_domain = |origin: &Origin| matches!(origin, Origin::MariaDb { domain: d, .. } if *d == domain);
        self.entries.iter().filter(|(origin, _)| of_domain(origin)).map(|(_, n)| n.highest()).max().unwrap_or(0)
    }

    /// Only what one MySQL server wrote, all tags.
    #[must_use]
    pub fn of_uuid(&self, wanted: &uuid::Uuid) -> GtidSet {
        self.filter(|origin| matches!(origin, Origin::MySql { uuid, .. } if uuid == wanted))
    }

    /// Only what one MariaDB server wrote, all domains.
    #[must_use]
    pub fn of_server(&self, wanted: u32) -> GtidSet {
        self.filter(|origin| matches!(origin, Origin::MariaDb { server, .. } if *server == wanted))
    }

    fn filter(&self, keep: impl Fn(&Origin) -> bool) -> GtidSet {
        let kept = self.entries.iter().filter(|(origin, _)| keep(origin));
        GtidSet { entries: kept.map(|(origin, numbers)| (origin.clone(), numbers.clone())).collect() }
    }
}

impl fmt::Display for Gtid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.origin {
            Origin::MySql { uuid, tag } if tag.is_empty() => write!(f, "{uuid}:{}", self.number),
            Origin::MySql { uuid, tag } => write!(f, "{uuid}:{tag}:{}", self.number),
            Origin::MariaDb { domain, server } => write!(f, "{domain}-{server}-{}", self.number),
        }
    }
}

impl fmt::Display for GtidSet {
    /// As the servers print them; a MariaDB remainder that does not begin at 1 is written `domain-server-first..last`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut last_uuid = None;
        for (index, (origin, numbers)) in self.entries.iter().enumerate() {
            match origin {
                Origin::MySql { uuid, tag } => {
                    if last_uuid != Some(uuid) {
                        write!(f, "{}{uuid}", if index == 0 { "" } else { "," })?;
                        last_uuid = Some(uuid);
                    }
                    write!(f, "{}{tag}:{numbers}", if tag.is_empty() { "" } else { ":" })?;
                }
                Origin::MariaDb { domain, server } => {
                    for (place, (first, last)) in numbers.iter().enumerate() {
                        let comma = if index + place == 0 { "" } else { "," };
                        write!(f, "{comma}{domain}-{server}-")?;
                        if first == 1 { write!(f, "{last}")? } else { write!(f, "{first}..{last}")? }
                    }
                }
            }
        }
        Ok(())
    }
}

impl FromStr for Gtid {
    type Err = GtidError;

    fn from_str(text: &str) -> Result<Self, GtidError> {
        parse::gtid(text)
    }
}

impl FromStr for GtidSet {
    type Err = GtidError;

    fn from_str(text: &str) -> Result<Self, GtidError> {
        parse::set(text)
    }
}

#[cfg(test)]
mod tests;
