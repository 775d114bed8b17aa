//! What was asked and answered, and whether a log can be what it says: exactly once, in order, nothing behind a seal.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fmt::Write,
};
use types::{Epoch, Lsn};

/// What came of an append.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It is in the log; the place of its last record.
    Taken(Lsn),
    /// It is not, and never will be.
    Refused,
    /// Nobody can tell.
    Unknown,
}

/// An append. Both moments count on one counter.
#[derive(Debug, Clone)]
pub struct Append {
    pub writer: u64,
    pub number: u64,
    pub records: u64,
    pub epoch: Epoch,
    pub begun: u64,
    pub ended: u64,
    pub outcome: Outcome,
}

/// An epoch that was sealed.
#[derive(Debug, Clone)]
pub struct Seal {
    pub epoch: Epoch,
    pub next: Epoch,
    pub end: Lsn,
    pub first: bool,
    pub begun: u64,
    pub ended: u64,
}

/// Whose record it is: writer, number of its append, place in that append.
pub type Id = (u64, u64, u64);

/// A record as it was read. `id` is nothing where the bytes are not those of any record that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub lsn: Lsn,
    pub epoch: Epoch,
    pub id: Option<Id>,
}

/// All that was asked.
#[derive(Debug, Clone, Default)]
pub struct History {
    pub appends: Vec<Append>,
    pub seals: Vec<Seal>,
}

/// The bytes of a record: its name, then what follows from it.
pub fn payload((writer, number, at): Id) -> Vec<u8> {
    let name = format!("{writer}:{number}:{at};");
    let mut state = writer.wrapping_mul(0x9e37_79b9).wrapping_add(number).wrapping_mul(0x85eb_ca6b) ^ at;
    // Now and then an append does not fit into one message between stores.
    let filler = if number % 397 == 41 { 320 << 10 } else { state % 300 };
    let mut bytes = name.into_bytes();
    for _ in 0..filler {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        bytes.push(state.to_be_bytes()[0]);
    }
    bytes
}

/// Whose these bytes are, if they are exactly what was sent.
pub fn id_of(bytes: &[u8]) -> Option<Id> {
    let name = std::str::from_utf8(&bytes[..bytes.iter().position(|byte| *byte == b';')?]).ok()?;
    let mut numbers = name.split(':').map(str::parse::<u64>);
    let id = (numbers.next()?.ok()?, numbers.next()?.ok()?, numbers.next()?.ok()?);
    (payload(id) == bytes).then_some(id)
}

impl History {
    /// What is wrong with a log after all this; empty if nothing is.
    pub fn faults(&self, log: &[Found]) -> Vec<String> {
        let mut faults = self.strangers(log);
        let places: HashMap<Id, Lsn> = log.iter().filter_map(|found| Some((found.id?, found.lsn))).collect();
        for append in &self.appends {
            faults.extend(append.misplaced(&places));
        }
        faults.extend(self.late(log));
        faults.extend(self.overtaken(&places));
        faults
    }

    /// Records nobody sent, sent twice, refused, or of another epoch.
    fn strangers(&self, log: &[Found]) -> Vec<String> {
        let sent: HashMap<(u64, u64), &Append> = self.appends.iter().map(|a| ((a.writer, a.number), a)).collect();
        let (mut seen, mut faults) = (HashSet::new(), Vec::new());
        for found in log {
            let Some(id) = found.id else {
                faults.push(format!("the bytes at {} are nobody's", found.lsn));
                continue;
            };
            if !seen.insert(id) {
                faults.push(format!("{id:?} is there twice, again at {}", found.lsn));
            }
            match sent.get(&(id.0, id.1)) {
                None => faults.push(format!("{id:?} at {} was never asked for", found.lsn)),
                Some(append) if append.outcome == Outcome::Refused => {
                    faults.push(format!("{id:?} at {} was refused", found.lsn));
                }
                Some(append) if append.epoch != found.epoch || id.2 >= append.records => {
                    faults.push(format!("{found:?} is not as it was asked for: {append:?}"));
                }
                Some(_) => {}
            }
        }
        let risen = |pair: &&[Found]| pair[0].lsn >= pair[1].lsn;
        faults.extend(log.windows(2).find(risen).map(|pair| format!("read out of order: {pair:?}")));
        faults
    }

    /// Records of an epoch behind its end, and epochs two hold for their own.
    fn late(&self, log: &[Found]) -> Vec<String> {
        let mut faults = Vec::new();
        let behind = |seal: &Seal| log.iter().find(|found| found.lsn > seal.end && found.epoch <= seal.epoch).cloned();
        faults.extend(self.seals.iter().filter_map(|seal| Some(format!("{:?} lies behind {seal:?}", behind(seal)?))));
        let (mut owned, mut ends) = (HashSet::new(), BTreeMap::new());
        for seal in &self.seals {
            if seal.first && !owned.insert(seal.next) {
                faults.push(format!("{} was given to two", seal.next));
            }
            if *ends.entry(seal.epoch).or_insert(seal.end) != seal.end {
                faults.push(format!("{} has two ends: {seal:?}", seal.epoch));
            }
        }
        faults
    }

    /// What was answered before another was asked must lie before it.
    fn overtaken(&self, places: &HashMap<Id, Lsn>) -> Vec<String> {
        let mut known = Vec::new();
        for append in &self.appends {
            let place = |at: u64| places.get(&(append.writer, append.number, at)).copied();
            let (first, last) = (place(0), (0..append.records).rev().find_map(place));
            let ended = if matches!(append.outcome, Outcome::Taken(_)) { append.ended } else { u64::MAX };
            known.extend(first.zip(last).map(|(first, last)| (append.begun, ended, first, last)));
        }
        let firsts = self.seals.iter().filter(|seal| seal.first);
        known.extend(firsts.map(|seal| (seal.begun, seal.ended, seal.end, seal.end)));
        known.sort_unstable();
        let mut ends: Vec<(u64, Lsn)> = known.iter().map(|known| (known.1, known.3)).collect();
        ends.sort_unstable();
        let (mut ends, mut highest, mut faults) = (ends.into_iter().peekable(), Lsn::ZERO, Vec::new());
        for (begun, _, first, _) in known {
            while let Some((_, last)) = ends.next_if(|(ended, _)| *ended < begun) {
                highest = highest.max(last);
            }
            if first <= highest {
                faults.push(format!(
                    "what was begun at moment {begun} lies at {first}, before {highest}, acknowledged earlier"
                ));
            }
        }
        faults
    }

    /// How many appends came to what.
    pub fn sums(&self) -> String {
        let count = |is: fn(&Outcome) -> bool| self.appends.iter().filter(|append| is(&append.outcome)).count();
        let mut text = String::new();
        let taken = count(|outcome| matches!(outcome, Outcome::Taken(_)));
        let (refused, unknown) = (count(|o| *o == Outcome::Refused), count(|o| *o == Outcome::Unknown));
        let _ = write!(text, "{taken} acknowledged, {refused} refused, {unknown} unknown, {} seals", self.seals.len());
        text
    }
}

impl Append {
    fn misplaced(&self, places: &HashMap<Id, Lsn>) -> Option<String> {
        let found: Vec<Option<Lsn>> =
            (0..self.records).map(|at| places.get(&(self.writer, self.number, at)).copied()).collect();
        let first = match self.outcome {
            Outcome::Taken(last) => Lsn((last.0 + 1).saturating_sub(self.records)),
            _ => found.first().copied().flatten().unwrap_or_default(),
        };
        // Of one nobody can tell about a begin may be there, never a piece from its middle.
        let there = found.iter().take_while(|place| place.is_some()).count();
        let whole = match self.outcome {
            Outcome::Taken(_) => there == found.len(),
            _ => found[there..].iter().all(Option::is_none),
        };
        let rows = found[..there].iter().zip(first.0..).all(|(place, lsn)| *place == Some(Lsn(lsn)));
        (!(whole && rows)).then(|| format!("{self:?} is at {found:?}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn append(number: u64, records: u64, last: u64, begun: u64) -> Append {
        let outcome = if last == 0 { Outcome::Refused } else { Outcome::Taken(Lsn(last)) };
        Append { writer: 1, number, records, epoch: Epoch(1), begun, ended: begun + 1, outcome }
    }

    fn found(lsn: u64, number: u64, at: u64) -> Found {
        Found { lsn: Lsn(lsn), epoch: Epoch(1), id: Some((1, number, at)) }
    }

    fn sound() -> (History, Vec<Found>) {
        let appends = vec![append(1, 2, 4, 1), append(2, 1, 6, 5), append(3, 1, 0, 7)];
        let seal = Seal { epoch: Epoch(1), next: Epoch(2), end: Lsn(7), first: true, begun: 9, ended: 10 };
        (History { appends, seals: vec![seal] }, vec![found(3, 1, 0), found(4, 1, 1), found(6, 2, 0)])
    }

    #[test]
    fn a_sound_log_has_no_faults() {
        let (history, log) = sound();
        assert_eq!(history.faults(&log), Vec::<String>::new());
        assert_eq!(id_of(&payload((3, 41, 2))), Some((3, 41, 2)));
        let mut changed = payload((3, 42, 2));
        *changed.last_mut().unwrap() ^= 1;
        assert_eq!(id_of(&changed), None);
    }

    #[test]
    fn every_kind_of_fault_is_found() {
        type Break = fn(&mut History, &mut Vec<Found>);
        let broken: [(&str, Break); 9] = [
            ("is at [Some(Lsn(3)), None]", |_, log| log.retain(|found| found.lsn != Lsn(4))),
            ("is there twice", |_, log| log.push(found(7, 2, 0))),
            ("was refused", |_, log| log.push(found(7, 3, 0))),
            ("nobody's", |_, log| log[0].id = None),
            ("never asked for", |_, log| log.push(found(7, 9, 0))),
            ("is at", |history, _| history.appends[1].outcome = Outcome::Taken(Lsn(5))),
            ("lies behind", |history, _| history.seals[0].end = Lsn(5)),
            ("acknowledged earlier", |history, _| history.appends[1].begun = 0),
            ("given to two", |history, _| history.seals.push(history.seals[0].clone())),
        ];
        for (word, breaks) in broken {
            let (mut history, mut log) = sound();
            breaks(&mut history, &mut log);
            if word == "acknowledged earlier" {
                // The later one was answered before the earlier one was asked.
                (history.appends[1].begun, history.appends[1].ended) = (0, 0);
            }
            let faults = history.faults(&log).join("\n");
            assert!(faults.contains(word), "{word}: {faults}");
        }
    }
}
