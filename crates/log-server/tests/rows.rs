//! What a row of commands came to that another leader cut short.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops loudly where it stands")]

use bytes::Bytes;
use log::LogError;
use log_server::{
    Owner, RealDisk, ReplicaLog, SegmentOptions,
    consensus::{Command, Group, Message, Outcome, Rhythm, Ticket, bootstrap},
};
use runtime::Random;
use std::{collections::BTreeMap, path::Path, sync::Arc};
use types::Epoch;

/// More than half of what one message between stores carries.
const LARGE: usize = 600 << 10;

struct Three {
    _folder: tempfile::TempDir,
    groups: Vec<Group>,
    answers: Vec<(u64, Ticket, Result<Outcome, LogError>)>,
}

fn member(folder: &Path, replica: u64) -> Group {
    let voters: BTreeMap<u64, String> = (1..=3).map(|replica| (replica, format!("store-{replica}"))).collect();
    let owner = Owner { cluster: 7, shard: 1, replica };
    let (folder, options) = (folder.join(replica.to_string()), SegmentOptions::default());
    let mut log = ReplicaLog::open(Arc::new(RealDisk), &folder, owner, options).unwrap();
    bootstrap(&mut log, &voters).unwrap();
    Group::new(replica, log, Rhythm::default(), Random::seeded(replica)).unwrap()
}

impl Three {
    fn new() -> Three {
        let folder = tempfile::tempdir().unwrap();
        let groups = (1..=3).map(|replica| member(folder.path(), replica)).collect();
        Three { _folder: folder, groups, answers: Vec::new() }
    }

    /// Until nobody has anything to say that goes through.
    fn settle(&mut self, goes: &dyn Fn(&Message) -> bool) {
        loop {
            let mut letters = Vec::new();
            for (replica, group) in (1..).zip(&mut self.groups) {
                while let Some(mut wave) = group.wave().unwrap() {
                    letters.append(&mut wave.now);
                    group.sync().unwrap();
                    let landed = group.land(wave).unwrap();
                    letters.extend(landed.messages);
                    self.answers.extend(landed.done.into_iter().map(|(ticket, answer)| (replica, ticket, answer)));
                }
            }
            letters.retain(goes);
            if letters.is_empty() {
                return;
            }
            for letter in letters {
                let to = usize::try_from(letter.to).unwrap() - 1;
                self.groups[to].step(letter);
            }
        }
    }

    /// Time goes by until one of these leads.
    fn elect(&mut self, some: &[usize], goes: &dyn Fn(&Message) -> bool) {
        for _ in 0..1000 {
            self.groups.iter_mut().for_each(Group::tick);
            self.settle(goes);
            if some.iter().any(|at| self.groups[*at].standing().leads) {
                return;
            }
        }
        panic!("nobody is elected");
    }

    /// All agree on the first member.
    fn first_leads(&mut self) {
        let all = |_: &Message| true;
        for _ in 0..100 {
            self.elect(&[0, 1, 2], &all);
            self.groups.iter_mut().for_each(|group| group.transfer(1));
            self.settle(&all);
            if self.groups[0].standing().leads {
                return;
            }
        }
        panic!("the first is not elected");
    }

    /// What the first member answers to a row of three, of which so many were heard by the second before that one led.
    fn cut_short(mut self, heard: u64) -> Result<Outcome, LogError> {
        let all = |_: &Message| true;
        self.first_leads();
        let first = self.groups[0].log().last_index() + 1;
        let row = vec![Command::Record(Epoch::FIRST, Bytes::from(vec![7; LARGE])); 3];
        self.groups[0].propose_rows(&[(70, row)]).unwrap();
        self.settle(&|letter| {
            let new = letter.entries.iter().all(|entry| entry.index < first + heard);
            letter.to == 2 && !letter.entries.is_empty() && new
        });
        assert_eq!(self.groups[1].log().last_index(), first + heard - 1);
        let apart = |letter: &Message| letter.from != 1 && letter.to != 1;
        self.elect(&[1, 2], &apart);
        for ticket in 0..40 {
            self.groups.iter_mut().for_each(Group::tick);
            // Its place is passed once others have taken it.
            self.groups.iter_mut().skip(1).for_each(|group| drop(group.propose(ticket, &Command::Seal(Epoch::FIRST))));
            self.settle(&all);
        }
        let mut own = self.answers.into_iter().filter(|(replica, ticket, _)| (*replica, *ticket) == (1, 70));
        own.next().unwrap().2
    }
}

#[test]
fn a_row_of_which_a_part_is_agreed_on_is_not_said_to_be_undone() {
    let answer = Three::new().cut_short(1);
    assert!(matches!(answer, Err(LogError::Unknown(_))), "{answer:?}");
}

#[test]
fn a_row_nobody_heard_of_may_be_asked_for_again() {
    let answer = Three::new().cut_short(0);
    assert!(matches!(answer, Err(LogError::Unavailable(_))), "{answer:?}");
}

#[test]
fn a_row_whose_place_is_asked_for_again_is_answered_all_the_same() {
    let mut three = Three::new();
    three.first_leads();
    let row = vec![Command::Record(Epoch::FIRST, Bytes::from_static(b"x")); 3];
    three.groups[0].propose_rows(&[(70, row)]).unwrap();
    // Nobody hears it. The next leader's mark takes its first place, our own mark the second, and what we ask for then the third.
    three.elect(&[1, 2], &|letter: &Message| letter.from != 1 && letter.to != 1);
    while three.groups[0].standing().leads {
        three.groups.iter_mut().for_each(Group::tick);
        three.settle(&|_| true);
    }
    three.first_leads();
    three.groups[0].propose(71, &Command::Seal(Epoch::FIRST)).unwrap();
    three.settle(&|_| true);
    let own: Vec<_> = three.answers.iter().filter(|answer| answer.0 == 1).collect();
    assert!(matches!(own[..], [(_, 70, Err(LogError::Unknown(_))), (_, 71, Ok(Outcome::Sealed(_)))]), "{own:?}");
}
