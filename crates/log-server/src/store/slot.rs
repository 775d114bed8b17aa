//! A replica in its store: what is asked of it until the next turn, and who watches it.

use super::{Parcel, Tip, Told, waiting::Waiting};
use crate::consensus::{Change, Command, Group, Message, Row, Ticket};
use log::{LogError, Positions};
use tokio::sync::watch;

/// Bytes of commands that are proposed together, about.
const TOGETHER: usize = 1 << 20;

/// A replica that runs.
pub(super) struct Slot {
    pub shard: u64,
    pub replica: u64,
    pub group: Group,
    asked: Vec<Row>,
    tip: watch::Sender<Tip>,
    /// Something came since it last had nothing to do.
    stirred: bool,
}

impl Slot {
    pub fn new(shard: u64, replica: u64, group: Group) -> Slot {
        let mut slot =
            Slot { shard, replica, group, asked: Vec::new(), tip: watch::Sender::new(Tip::default()), stirred: true };
        slot.publish();
        slot
    }

    pub fn has_work(&self) -> bool {
        self.stirred
    }

    pub fn rests(&mut self) {
        self.stirred = false;
    }

    pub fn step(&mut self, message: Message) {
        self.stirred = true;
        self.group.step(message);
    }

    pub fn tick(&mut self) {
        self.stirred = true;
        self.group.tick();
    }

    pub fn transfer(&mut self, replica: u64) {
        self.stirred = true;
        self.group.transfer(replica);
    }

    pub fn change(&mut self, changes: &[Change]) -> Result<(), LogError> {
        self.stirred = true;
        self.group.change(changes)
    }

    pub fn confirm(&mut self, ticket: Ticket) -> Result<(), LogError> {
        self.stirred = true;
        self.group.confirm(ticket)
    }

    /// Commands for the next turn.
    pub fn queue(&mut self, ticket: Ticket, commands: Vec<Command>) {
        self.stirred = true;
        self.asked.push((ticket, commands));
    }

    /// Proposes what was asked since the last turn, as much together as is good.
    pub fn propose(&mut self, waiting: &mut Waiting) {
        let (mut rows, mut bytes) = (Vec::new(), 0);
        for row in std::mem::take(&mut self.asked) {
            let more = row.1.iter().map(weight).sum::<usize>();
            if bytes + more > TOGETHER && !rows.is_empty() {
                self.propose_rows(&std::mem::take(&mut rows), waiting);
                bytes = 0;
            }
            bytes += more;
            rows.push(row);
        }
        self.propose_rows(&rows, waiting);
    }

    fn propose_rows(&mut self, rows: &[Row], waiting: &mut Waiting) {
        if rows.is_empty() {
            return;
        }
        if let Err(error) = self.group.propose_rows(rows) {
            rows.iter().for_each(|(ticket, _)| waiting.fail(*ticket, error.clone()));
        }
    }

    pub fn parcels(&self, messages: Vec<Message>) -> Vec<Parcel> {
        messages.into_iter().map(|message| Parcel { shard: self.shard, message }).collect()
    }

    fn now(&self) -> Tip {
        let (standing, positions) = (self.group.standing(), self.positions());
        Tip {
            end: positions.end,
            truncated: positions.truncated,
            epoch: positions.epoch,
            term: standing.term,
            leader: standing.leader,
        }
    }

    /// Tells whoever watches, if there is anything new.
    pub fn publish(&mut self) {
        let now = self.now();
        self.tip.send_if_modified(|tip| std::mem::replace(tip, now) != now);
    }

    pub fn watch(&self) -> watch::Receiver<Tip> {
        self.tip.subscribe()
    }

    pub fn positions(&self) -> Positions {
        let machine = self.group.machine();
        Positions { truncated: machine.truncated(), end: machine.applied(), epoch: machine.epoch() }
    }

    pub fn told(&self) -> Told {
        let (tip, members) = (self.now(), self.group.members());
        Told { shard: self.shard, replica: self.replica, tip, membership: self.group.membership(), members }
    }
}

fn weight(command: &Command) -> usize {
    match command {
        Command::Record(_, payload) => payload.len() + 64,
        _ => 64,
    }
}
