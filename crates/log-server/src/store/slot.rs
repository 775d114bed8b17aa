//! A replica in its store: what is asked of it until the next turn, and who watches it.

use super::{Parcel, Tip, Told, waiting::Waiting};
use crate::consensus::{Change, Command, Group, Message, Row, Ticket};
use log::{LogError, Positions};
use std::{collections::BTreeMap, sync::Arc};
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
    /// Where the others are, as of the change of members at this place.
    on: (u64, BTreeMap<u64, Arc<str>>),
    /// Where those were heard from that are not known as members here: a newcomer knows nobody.
    heard: BTreeMap<u64, Arc<str>>,
}

/// Strangers whose stores are remembered, at most.
const STRANGERS: usize = 64;

impl Slot {
    pub fn new(shard: u64, replica: u64, group: Group) -> Slot {
        let (asked, tip, on) = (Vec::new(), watch::Sender::new(Tip::default()), (0, BTreeMap::new()));
        let mut slot = Slot { shard, replica, group, asked, tip, stirred: true, on, heard: BTreeMap::new() };
        slot.learn();
        slot.publish();
        slot
    }

    pub fn has_work(&self) -> bool {
        self.stirred
    }

    pub fn rests(&mut self) {
        self.stirred = false;
    }

    pub fn step(&mut self, from: Arc<str>, message: Message) {
        self.stirred = true;
        if self.heard.len() < STRANGERS && !self.on.1.contains_key(&message.from) {
            self.heard.insert(message.from, from);
        }
        self.group.step(message);
    }

    pub fn unreachable(&mut self, store: &str) {
        let there = self.on.1.iter().filter(|(_, on)| ***on == *store);
        for replica in there.map(|(replica, _)| *replica).collect::<Vec<_>>() {
            self.stirred = true;
            self.group.unreachable(replica);
        }
    }

    /// Where the members are, if that changed.
    fn learn(&mut self) {
        let membership = self.group.membership();
        if self.on.0 != membership {
            let on = self.group.members().on;
            self.on = (membership, on.into_iter().map(|(replica, store)| (replica, store.into())).collect());
            self.heard.clear();
        }
    }

    pub fn tick(&mut self) {
        self.stirred = true;
        self.group.tick();
    }

    pub fn hand_over(&mut self) {
        self.stirred = true;
        self.group.hand_over();
    }

    /// Changes what the caller knew; an order that comes late is void.
    pub fn change(&mut self, membership: u64, changes: &[Change]) -> Result<(), LogError> {
        if self.group.membership() != membership {
            return Err(LogError::Unavailable("the members changed meanwhile".to_owned()));
        }
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
            for (ticket, _) in rows {
                waiting.fail(*ticket, error.clone());
            }
        }
    }

    /// Messages with where they go; nobody knows the way to a member nobody knows, and it will ask.
    pub fn parcels(&mut self, messages: Vec<Message>) -> Vec<Parcel> {
        self.learn();
        let store = |replica: u64| self.on.1.get(&replica).or_else(|| self.heard.get(&replica)).map(Arc::clone);
        let parcel = |message: Message| Some(Parcel { shard: self.shard, store: store(message.to)?, message });
        messages.into_iter().filter_map(parcel).collect()
    }

    fn now(&self) -> Tip {
        let (standing, positions) = (self.group.standing(), self.positions());
        Tip {
            end: positions.end,
            truncated: positions.truncated,
            epoch: positions.epoch,
            term: standing.term,
            leader: standing.leader,
            leads: standing.leads,
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
