//! A replica's log against a plain model, over a disk that loses what was not synced.

use super::*;
use crate::brittle::BrittleDisk;
use proptest::prelude::*;
use runtime::Random;
use std::path::Path;

const OWNER: Owner = Owner { cluster: 7, shard: 1, replica: 262_145 };
const SMALL: SegmentOptions = SegmentOptions { length: 4096, salt: 9 };

/// What a log should hold.
#[derive(Clone, Default, PartialEq)]
struct Model {
    entries: Vec<Entry>,
    promise: Promise,
    base: Base,
    /// What the base adds up to, and the last checkpoint.
    states: (Bytes, (u64, Bytes)),
}

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Promise { term, vote, commit } = self.promise;
        write!(f, "behind {}@{} promise {term}/{vote}/{commit}:", self.base.index, self.base.term)?;
        self.entries.iter().try_for_each(|entry| write!(f, " {}@{}", entry.index, entry.term))
    }
}

impl Model {
    fn last(&self) -> u64 {
        self.entries.last().map_or(self.base.index, |entry| entry.index)
    }

    fn push(&mut self, entry: Entry) {
        self.entries.retain(|other| other.index < entry.index);
        self.entries.push(entry);
    }

    fn term(&self, index: u64) -> Option<u64> {
        let found = self.entries.iter().find(|entry| entry.index == index).map(|entry| entry.term);
        found.or_else(|| (index == self.base.index).then_some(self.base.term))
    }
}

/// What a log holds.
fn seen(log: &ReplicaLog) -> Model {
    let entries = log.entries(log.first_index(), log.last_index() + 1, usize::MAX).expect("readable");
    Model { entries, promise: log.promise(), base: log.base(), states: (log.base_state().clone(), log.checkpoint()) }
}

fn open(disk: &BrittleDisk) -> Result<ReplicaLog, StorageError> {
    ReplicaLog::open(Arc::new(disk.clone()), Path::new("r"), OWNER, SMALL)
}

#[derive(Debug, Clone)]
enum Step {
    /// Go back so many entries, then write so many of such a length.
    Append {
        back: u64,
        count: usize,
        length: usize,
    },
    Promise,
    Checkpoint,
    Compact {
        back: u64,
    },
    Reset {
        ahead: u64,
    },
    Sync,
    Mark,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0_u64..5, 1_usize..6, 0_usize..700).prop_map(|(back, count, length)| Step::Append { back, count, length }),
        2 => Just(Step::Promise),
        1 => (0_u64..9).prop_map(|back| Step::Compact { back }),
        1 => (0_u64..3).prop_map(|ahead| Step::Reset { ahead }),
        1 => Just(Step::Checkpoint),
        4 => Just(Step::Sync),
        1 => Just(Step::Mark),
    ]
}

/// A log, what it should hold, and every state it may be found in after a crash now.
struct Bed {
    log: ReplicaLog,
    model: Model,
    possible: Vec<Model>,
    term: u64,
}

impl Bed {
    fn new(log: ReplicaLog, model: Model) -> Self {
        let term = model.promise.term + 100;
        Self { log, possible: vec![model.clone()], model, term }
    }

    /// Some words that are of this moment only.
    fn state(&self) -> Bytes {
        Bytes::from(format!("state of {}", self.term))
    }

    fn reached(&mut self) {
        self.possible.push(self.model.clone());
    }

    fn synced(&mut self) {
        self.possible = vec![self.model.clone()];
    }

    /// Does it to both. What fails half done may have reached any of the states on the way.
    fn go(&mut self, step: &Step) -> Result<(), StorageError> {
        self.term += 1;
        match step {
            Step::Append { back, count, length } => {
                let first = (self.model.last() + 1).saturating_sub(*back).max(self.model.base.index + 1);
                let entry = |index| {
                    let payload = Bytes::from(vec![u8::try_from(index % 251).unwrap_or(0); *length]);
                    Entry { index, term: self.term, change: index % 3 == 0, payload }
                };
                let entries: Vec<Entry> = (first..first + *count as u64).map(entry).collect();
                for entry in &entries {
                    self.model.push(entry.clone());
                    self.reached();
                }
                self.log.append(&entries)?;
            }
            Step::Promise => {
                self.model.promise = Promise { term: self.term, vote: self.term % 3, commit: self.model.last() };
                self.reached();
                self.log.promise_to(self.model.promise)?;
            }
            Step::Compact { back } => {
                let index = self.model.last().saturating_sub(*back);
                if let Some(term) = self.model.term(index).filter(|_| index > self.model.base.index) {
                    self.model.base = Base { index, term };
                    self.model.entries.retain(|entry| entry.index > index);
                    self.model.states.0 = self.state();
                    self.reached();
                    self.log.compact(index, self.state())?;
                    self.synced();
                }
            }
            Step::Reset { ahead } => {
                let base = Base { index: self.model.last() + ahead, term: self.term };
                (self.model.base, self.model.entries) = (base, Vec::new());
                self.model.states = (self.state(), (0, Bytes::new()));
                self.reached();
                self.log.reset(base, self.state())?;
                self.synced();
            }
            Step::Checkpoint => {
                self.model.states.1 = (self.model.last() + 1, self.state());
                self.reached();
                self.log.write_checkpoint(self.model.last() + 1, self.state())?;
            }
            Step::Sync => {
                self.log.sync()?;
                self.synced();
            }
            Step::Mark => {
                self.log.mark()?;
                self.synced();
            }
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Without faults the log holds what it was given, before and after it is opened anew.
    #[test]
    fn it_holds_what_it_was_given(steps in proptest::collection::vec(step(), 1..60)) {
        let disk = BrittleDisk::new();
        let mut bed = Bed::new(open(&disk).unwrap(), Model::default());
        for step in &steps {
            bed.go(step).unwrap();
            prop_assert_eq!(bed.log.last_index(), bed.model.last());
        }
        prop_assert_eq!(&seen(&bed.log), &bed.model);
        for entry in &bed.model.entries {
            prop_assert_eq!(bed.log.term(entry.index), Some(entry.term));
        }
        bed.log.sync().unwrap();
        drop(bed.log);
        prop_assert_eq!(seen(&open(&disk).unwrap()), bed.model);
    }

    /// Any operation of the disk fails, then the power goes: what is found is a state the log went through, and none older than
    /// the last sync. Several times over.
    #[test]
    fn a_crash_loses_nothing_synced(
        lives in proptest::collection::vec((proptest::collection::vec(step(), 1..40), 0_u64..120), 1..5), seed: u64,
    ) {
        let (disk, random) = (BrittleDisk::new(), Random::seeded(seed));
        let mut possible = vec![Model::default()];
        for (steps, fails) in lives {
            let log = open(&disk).unwrap();
            let found = seen(&log);
            prop_assert!(possible.contains(&found), "found {found:?}\nnone of {possible:#?}");
            let mut bed = Bed::new(log, found);
            disk.fail_in(fails);
            for step in &steps {
                if bed.go(step).is_err() {
                    prop_assert!(matches!(bed.log.sync(), Err(StorageError::Stopped(_))), "it went on");
                    break;
                }
            }
            possible = bed.possible;
            disk.heal();
            disk.crash(&random);
        }
        prop_assert!(possible.contains(&seen(&open(&disk).unwrap())));
    }
}

#[test]
fn a_log_of_another_is_refused() {
    let disk = BrittleDisk::new();
    drop(open(&disk).unwrap());
    let other = Owner { replica: 5, ..OWNER };
    let refused = ReplicaLog::open(Arc::new(disk), Path::new("r"), other, SMALL).map(|_| ());
    assert!(matches!(refused, Err(StorageError::Foreign { .. })), "{refused:?}");
}

#[test]
fn what_does_not_follow_is_refused_and_harms_nothing() {
    let mut log = open(&BrittleDisk::new()).unwrap();
    let entry = |index| Entry { index, term: 1, change: false, payload: Bytes::new() };
    assert!(matches!(log.append(&[entry(2)]), Err(StorageError::Misuse(_))));
    assert!(matches!(log.append(&[entry(1), entry(3)]), Err(StorageError::Misuse(_))));
    log.append(&[entry(1), entry(2)]).unwrap();
    log.sync().unwrap();
    assert_eq!(log.last_index(), 2);
}

#[test]
fn a_missing_segment_is_told() {
    let disk = BrittleDisk::new();
    let mut log = open(&disk).unwrap();
    for index in 1..40 {
        log.append(&[Entry { index, term: 1, change: false, payload: Bytes::from(vec![1; 500]) }]).unwrap();
    }
    log.sync().unwrap();
    drop(log);
    disk.remove(Path::new("r/0000000002.segment")).unwrap();
    let refused = open(&disk).map(|_| ());
    assert!(matches!(refused, Err(StorageError::Damaged { .. })), "{refused:?}");
}
