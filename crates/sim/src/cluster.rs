//! A night: what may happen at each step, and the morning after.

use crate::{
    ledger::Ledger,
    member::{Member, store},
    network::Network,
};
use bytes::Bytes;
use log::LogError;
use log_server::consensus::{Change, Command, Group, Landed, Outcome, Ticket};
use runtime::Random;
use std::collections::BTreeMap;
use types::{Epoch, Lsn};

/// Rounds after which everything must be well again.
const PATIENCE: u32 = 4000;
/// Most members there ever are.
const MOST: usize = 9;

/// What a night came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Report {
    /// Steps taken.
    pub steps: u64,
    /// Places agreed on.
    pub agreed: usize,
    /// Records acknowledged.
    pub acked: usize,
    /// Power cuts.
    pub crashes: u32,
    /// Members that came and went.
    pub joined: usize,
    /// Rounds it took to heal.
    pub healed_in: u32,
}

/// Plays a night of so many steps; panics where something that must hold does not.
pub fn night(seed: u64, steps: u64) -> Report {
    let mut cluster = Cluster::new(seed);
    for _ in 0..steps {
        cluster.step();
    }
    let healed_in = cluster.heal();
    Report {
        steps,
        agreed: cluster.ledger.len(),
        acked: cluster.ledger.acked.len(),
        crashes: cluster.crashes,
        joined: cluster.members.len(),
        healed_in,
    }
}

struct Cluster {
    members: Vec<Member>,
    network: Network,
    ledger: Ledger,
    random: Random,
    /// What was asked under which ticket.
    asked: BTreeMap<Ticket, Command>,
    tickets: Ticket,
    /// The epoch clients go by.
    epoch: Epoch,
    crashes: u32,
    seed: u64,
    /// How many of ten things that happen to a member wait until it does what is to be done.
    gathers: u64,
}

impl Cluster {
    fn new(seed: u64) -> Cluster {
        let random = Random::seeded(seed);
        let voters: Vec<u64> = (1..=if random.below(2) == 0 { 3 } else { 5 }).collect();
        let mut members: Vec<Member> =
            voters.iter().map(|replica| Member::new(*replica, Some(&voters), random.clone())).collect();
        for member in &mut members {
            member.start();
        }
        let (network, ledger, asked) = (Network::default(), Ledger::default(), BTreeMap::new());
        let gathers = random.below(10);
        Cluster { members, network, ledger, random, asked, tickets: 0, epoch: Epoch::FIRST, crashes: 0, seed, gathers }
    }

    fn any(&self) -> usize {
        usize::try_from(self.random.below(self.members.len() as u64)).unwrap_or(0)
    }

    fn step(&mut self) {
        match self.random.below(1000) {
            0..450 => self.deliver(),
            450..700 => self.tick(),
            700..880 => self.ask(),
            880..900 => {
                let (which, lost) = (self.any(), self.members[self.any()].replica);
                self.with(which, |group| group.unreachable(lost));
            }
            900..915 => self.crash(),
            915..945 => self.start(),
            945..949 => {
                let (which, operations) = (self.any(), self.random.below(60));
                self.members[which].disk.fail_in(operations);
            }
            949..950 => {
                let (which, room) = (self.any(), self.random.below(40_000));
                self.members[which].disk.fill(room);
            }
            950..960 => self.part(),
            960..975 => self.network.heal(),
            975..985 => (self.network.lossy, self.network.doubling) = (self.random.below(30), self.random.below(20)),
            985..990 => self.transfer(),
            _ => self.change(),
        }
    }

    fn deliver(&mut self) {
        let Some(message) = self.network.arrive(&self.random) else { return };
        let to = message.to;
        if let Some(which) = self.members.iter().position(|member| member.replica == to) {
            self.with(which, |group| group.step(message));
        }
    }

    fn tick(&mut self) {
        let which = self.any();
        self.with(which, Group::tick);
    }

    /// A client asks whom it takes for the leader; now and then it is wrong, or speaks of an epoch that is over.
    fn ask(&mut self) {
        let which = self.leader().filter(|_| self.random.below(10) > 0).unwrap_or_else(|| self.any());
        let command = self.command();
        self.tickets += 1;
        let ticket = self.tickets;
        let mut taken = false;
        self.asked.insert(ticket, command.clone());
        self.with(which, |group| taken = group.propose(ticket, &command).is_ok());
        if !taken {
            self.asked.remove(&ticket);
        }
    }

    fn command(&self) -> Command {
        let stale = self.random.below(20) == 0;
        let epoch = if stale { Epoch(self.epoch.0.saturating_sub(1)) } else { self.epoch };
        match self.random.below(40) {
            0 => Command::Seal(epoch),
            1 | 2 => {
                let places = self.ledger.acked.len() as u64;
                let which = usize::try_from(self.random.below(places)).unwrap_or(0);
                Command::Truncate(self.ledger.acked.keys().nth(which / 2).copied().unwrap_or(Lsn::ZERO))
            }
            _ => {
                let length = usize::try_from(self.random.below(400)).unwrap_or(0);
                let text = format!("{} {}", self.tickets, "x".repeat(length));
                Command::Record(epoch, Bytes::from(text))
            }
        }
    }

    /// Who leads in the highest term.
    fn leader(&self) -> Option<usize> {
        let led = |member: &Member| member.group.as_ref().map(Group::standing).filter(|standing| standing.leads);
        let all = self.members.iter().enumerate();
        all.filter_map(|(which, member)| Some((led(member)?.term, which))).max().map(|(_, which)| which)
    }

    fn crash(&mut self) {
        let which = self.any();
        self.crashes += 1;
        self.members[which].crash(&self.random);
    }

    fn start(&mut self) {
        let which = self.any();
        if self.members[which].group.is_none() {
            // What is left of a failed disk is known only after the power went.
            self.members[which].crash(&self.random);
            self.members[which].start();
        }
    }

    fn part(&mut self) {
        let (from, to) = (self.members[self.any()].replica, self.members[self.any()].replica);
        self.network.cut(from, to);
        if self.random.below(2) == 0 {
            self.network.cut(to, from);
        }
    }

    fn transfer(&mut self) {
        let (Some(leader), to) = (self.leader(), self.members[self.any()].replica) else { return };
        self.with(leader, |group| group.transfer(to));
    }

    /// A newcomer follows, a learner begins to vote, or somebody goes: never so many that too few are left.
    fn change(&mut self) {
        let Some(leader) = self.leader() else { return };
        let members = self.members[leader].group.as_ref().map(Group::members).unwrap_or_default();
        let other = self.members[self.any()].replica;
        let mut changes = Vec::new();
        match self.random.below(4) {
            0 if self.members.len() < MOST => {
                let replica = self.members.len() as u64 + 1;
                let mut newcomer = Member::new(replica, None, self.random.clone());
                newcomer.start();
                self.members.push(newcomer);
                changes.push(Change::Learner(replica, store(replica)));
            }
            1 if members.learners.contains(&other) => changes.push(Change::Voter(other, store(other))),
            2 if members.voters.contains(&other) && members.voters.len() > 3 => changes.push(Change::Gone(other)),
            3 if members.learners.len() > 1 => {
                // A learner takes a voter's place, in one change.
                let learner = members.learners[0];
                if members.voters.contains(&other) {
                    changes.extend([Change::Voter(learner, store(learner)), Change::Gone(other)]);
                }
            }
            _ => {}
        }
        if !changes.is_empty() {
            self.with(leader, |group| drop(group.change(&changes)));
        }
    }

    /// Something happens to a member that runs; then it does what is to be done, or lets it gather for the next time.
    fn with(&mut self, which: usize, happens: impl FnOnce(&mut Group)) {
        let Some(group) = self.members[which].group.as_mut() else { return };
        happens(group);
        if self.random.below(10) >= self.gathers {
            self.drive(which);
        }
    }

    fn drive(&mut self, which: usize) {
        let dies = self.random.below(300) == 0;
        let Some((out, landed)) = self.members[which].drive(dies) else { return };
        self.network.send(out, &self.random);
        for landed in landed {
            self.answered(landed);
        }
        if dies {
            self.crashes += 1;
            self.members[which].crash(&self.random);
        }
        self.look(which);
    }

    fn look(&mut self, which: usize) {
        let member = &mut self.members[which];
        let Some(group) = &member.group else { return };
        self.ledger.saw(member.replica, group);
        self.ledger.applied(member.replica, group, member.looked);
        member.looked = group.standing().applied;
    }

    fn answered(&mut self, landed: Landed) {
        for (ticket, answer) in landed.done {
            let asked = self.asked.remove(&ticket).expect("each ticket is answered once");
            match (asked, answer) {
                (Command::Record(_, payload), Ok(Outcome::Appended(lsn))) => {
                    let before = self.ledger.acked.insert(lsn, payload);
                    assert_eq!(before, None, "two records were told {lsn}");
                }
                (Command::Seal(epoch), Ok(Outcome::Sealed(sealed))) => {
                    let end = *self.ledger.sealed.entry(epoch).or_insert(sealed.end);
                    assert_eq!(end, sealed.end, "epoch {epoch} ended twice");
                    self.epoch = self.epoch.max(sealed.epoch);
                }
                (_, Ok(Outcome::Refused(LogError::Fenced { current, .. }))) => self.epoch = self.epoch.max(current),
                _ => {}
            }
        }
    }

    /// The faults stop: within its patience one leads, all who take part have applied the same, and something new is taken.
    fn heal(&mut self) -> u32 {
        self.network.heal();
        for which in 0..self.members.len() {
            self.members[which].disk.heal();
            if self.members[which].group.is_none() {
                self.members[which].crash(&self.random);
                self.members[which].start();
            }
        }
        let before = self.ledger.acked.len();
        for round in 0..PATIENCE {
            self.round();
            if round % 20 == 19 && self.ledger.acked.len() == before {
                self.ask();
            }
            if self.ledger.acked.len() > before && self.is_well() {
                let leader = self.leader().and_then(|which| self.members[which].group.as_ref()).expect("it is well");
                self.ledger.settle(leader.machine());
                return round;
            }
        }
        panic!("seed {}: not healed: {:#?}", self.seed, self.standings());
    }

    fn round(&mut self) {
        for which in 0..self.members.len() {
            self.with(which, Group::tick);
            if self.members[which].group.is_none() {
                self.members[which].start();
            }
        }
        while !self.network.is_empty() {
            self.deliver();
        }
        (0..self.members.len()).for_each(|which| self.drive(which));
    }

    fn is_well(&self) -> bool {
        let Some(leader) = self.leader().and_then(|which| self.members[which].group.as_ref()) else { return false };
        let (standing, members) = (leader.standing(), leader.members());
        let part =
            |member: &&Member| members.voters.contains(&member.replica) || members.learners.contains(&member.replica);
        self.members.iter().filter(part).all(|member| {
            let group = member.group.as_ref();
            let same = |group: &Group| {
                let own = group.standing();
                let level = own.applied == standing.commit && own.leader == standing.leader;
                assert!(!level || group.machine() == leader.machine(), "seed {}: {:?}", self.seed, group.machine());
                level
            };
            group.is_some_and(same)
        })
    }

    fn standings(&self) -> Vec<String> {
        let told = |member: &Member| {
            let group = member.group.as_ref();
            format!("{}: {:?} {:?}", member.replica, group.map(Group::standing), group.map(Group::members))
        };
        self.members.iter().map(told).collect()
    }
}
