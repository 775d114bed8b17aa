//! Who waits for what.

use super::Answer;
use crate::consensus::{Outcome, Ticket};
use log::{LogError, Positions};
use std::collections::BTreeMap;

/// Elections without an answer after which a question is given up.
const PATIENCE: usize = 3;
/// The same for what may be agreed on later: whoever was taken out of its shard never hears of it.
const LONG: usize = 10;

/// Everybody who asked and was not answered.
#[derive(Default)]
pub(super) struct Waiting {
    last: Ticket,
    /// With their shard, and the ticks since they asked.
    outcomes: BTreeMap<Ticket, (u64, usize, Answer<Outcome>)>,
    /// With their shard, and the ticks since they asked.
    positions: BTreeMap<Ticket, (u64, usize, Answer<Positions>)>,
}

impl Waiting {
    fn next(&mut self) -> Ticket {
        self.last += 1;
        self.last
    }

    pub fn outcome(&mut self, shard: u64, answer: Answer<Outcome>) -> Ticket {
        let ticket = self.next();
        self.outcomes.insert(ticket, (shard, 0, answer));
        ticket
    }

    pub fn positions(&mut self, shard: u64, answer: Answer<Positions>) -> Ticket {
        let ticket = self.next();
        self.positions.insert(ticket, (shard, 0, answer));
        ticket
    }

    /// It was not done.
    pub fn fail(&mut self, ticket: Ticket, error: LogError) {
        if let Some((_, _, answer)) = self.outcomes.remove(&ticket) {
            let _ = answer.send(Err(error));
        } else if let Some((_, _, answer)) = self.positions.remove(&ticket) {
            let _ = answer.send(Err(error));
        }
    }

    pub fn done(&mut self, done: Vec<(Ticket, Result<Outcome, LogError>)>) {
        for (ticket, outcome) in done {
            if let Some((_, _, answer)) = self.outcomes.remove(&ticket) {
                let _ = answer.send(outcome);
            }
        }
    }

    pub fn confirmed(&mut self, tickets: &[Ticket], positions: Positions) {
        for ticket in tickets {
            if let Some((_, _, answer)) = self.positions.remove(ticket) {
                let _ = answer.send(Ok(positions));
            }
        }
    }

    /// A tick went by. Answers whose question must be asked anew: a leader forgets those of before its first agreement.
    pub fn tick(&mut self, election: usize) -> Vec<(u64, Ticket)> {
        let mut again = Vec::new();
        for (ticket, (shard, age, _)) in &mut self.positions {
            *age += 1;
            again.extend((*age % election == 0).then_some((*shard, *ticket)));
        }
        let tired = |age: usize, answer: &Answer<Positions>| age > PATIENCE * election || answer.is_closed();
        for (_, (_, _, answer)) in self.positions.extract_if(.., |_, (_, age, answer)| tired(*age, answer)) {
            let _ = answer.send(Err(LogError::Unavailable("no majority says who leads".to_owned())));
        }
        again.retain(|(_, ticket)| self.positions.contains_key(ticket));
        self.outcomes.values_mut().for_each(|(_, age, _)| *age += 1);
        let tired = self.outcomes.extract_if(.., |_, (_, age, _)| *age > LONG * election);
        for (_, (_, _, answer)) in tired {
            let _ = answer.send(Err(LogError::Unknown("no majority agreed on it in time, and one may yet".to_owned())));
        }
        again
    }

    /// A replica was ended here: what was asked of it others may still agree on.
    pub fn end(&mut self, ended: u64) {
        for (_, (_, _, answer)) in self.outcomes.extract_if(.., |_, (shard, _, _)| *shard == ended) {
            let _ = answer.send(Err(LogError::Unknown("the replica was ended".to_owned())));
        }
        for (_, (_, _, answer)) in self.positions.extract_if(.., |_, (shard, _, _)| *shard == ended) {
            let _ = answer.send(Err(LogError::Unavailable("the replica was ended".to_owned())));
        }
    }

    /// Nothing will be done any more.
    pub fn stop(&mut self, why: &str) {
        for (_, (_, _, answer)) in std::mem::take(&mut self.outcomes) {
            let _ = answer.send(Err(LogError::Unknown(why.to_owned())));
        }
        for (_, (_, _, answer)) in std::mem::take(&mut self.positions) {
            let _ = answer.send(Err(LogError::Stopped(why.to_owned())));
        }
    }
}
