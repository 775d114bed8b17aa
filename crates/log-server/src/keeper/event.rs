//! What happens to the keeper: the records of log shard 0, in order, are all it knows.

use super::{
    check::check,
    settings::{Setting, SettingError},
    state::{FIRST_ID, Heartbeat, Limits, Node, State, Wanted},
};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use types::Lsn;

/// A record of log shard 0.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Ticks that went by since the one before.
    pub ticks: u64,
    /// What happened.
    pub what: What,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum What {
    /// The cluster is new, and is to have this.
    Begin(Wanted),
    /// A store spoke.
    Heard(Heartbeat),
    /// A service beside the stores spoke.
    Node(Node),
    /// Somebody set this, if the rule allows it.
    Set(Setting),
    /// It is time to compare what is with what should be.
    Check,
    /// All of it, so that what lies before need not be kept. Counts only if nothing lies between the place it was made at and its own.
    Whole(Lsn, Box<State>),
}

impl Event {
    /// As it is appended.
    pub fn bytes(&self) -> Bytes {
        Bytes::from(serde_json::to_vec(self).unwrap_or_default())
    }

    /// `None` for what no version of this program appended.
    pub fn read(bytes: &[u8]) -> Option<Event> {
        serde_json::from_slice(bytes).ok()
    }
}

/// What a store is told that lost its data.
pub fn lost(store: &str, known: u128, born: u128) -> String {
    let what = format!("store {store} was here before with other data (born {known:x}, now {born:x})");
    format!("{what}: a store that lost its data must come back under a new uuid, for it forgot what it promised")
}

impl State {
    /// Why a store may not take part, if it may not: one that was wiped does not remember what it promised.
    pub fn refusal(&self, store: &str, born: u128) -> Option<String> {
        let known = self.stores.get(store).map(|known| known.told.born).filter(|known| *known != born)?;
        Some(lost(store, known, born))
    }

    /// One record happened; `last` is the place of the one before it. A setting that the rule forbids changes nothing.
    pub fn apply(&mut self, event: &Event, last: Lsn) -> Result<(), SettingError> {
        self.tick = self.tick.saturating_add(event.ticks);
        match &event.what {
            What::Begin(wanted) => self.begin(wanted),
            What::Heard(heartbeat) => {
                if self.refusal(&heartbeat.store, heartbeat.born).is_none() {
                    self.hear(heartbeat.clone());
                }
            }
            What::Node(node) => {
                self.nodes.insert(node.name.clone(), (self.tick, node.clone()));
            }
            What::Set(setting) => {
                let limits = self.limits();
                return self.set(setting.clone(), &limits);
            }
            What::Check => {
                let limits = self.limits();
                self.orders = check(self, &limits);
            }
            What::Whole(made_at, state) => {
                if *made_at == last || last == Lsn::ZERO {
                    *self = (**state).clone();
                }
            }
        }
        Ok(())
    }

    fn begin(&mut self, wanted: &Wanted) {
        if self.wanted.is_none() {
            // The first number is the engine's own shard's, as seed 004 counts.
            self.last_id = self.last_id.max(FIRST_ID);
            // Somebody may have been quicker.
            if self.settings.locality.is_empty() {
                self.settings.locality = wanted.locality.clone();
            }
            self.wanted = Some(wanted.clone());
        }
    }

    /// As the cluster was begun.
    pub fn limits(&self) -> Limits {
        self.wanted.as_ref().map_or(Limits { voters: 1, store_ticks: 3000 }, |wanted| wanted.limits)
    }
}

#[cfg(test)]
mod tests {
    use super::super::state::{Addresses, Held, Locality, OrderKind, Role};
    use super::*;
    use std::collections::BTreeMap;

    fn beat(store: &str, born: u128, locality: &str, held: Vec<Held>) -> Event {
        let (addresses, locality) = (Addresses::default(), Locality::read(locality));
        Event { ticks: 10, what: What::Heard(Heartbeat { store: store.into(), born, addresses, locality, held }) }
    }

    fn held(shard: u64, replica: u64, members: &[(u64, Role, &str)]) -> Held {
        let member = |(replica, role, on): &(u64, Role, &str)| (*replica, (*role, (*on).to_owned()));
        let (epoch, leader) = (members.len() as u64, members[0].0);
        Held { shard, replica, term: 2, epoch, leader, end: 9, members: members.iter().map(member).collect() }
    }

    fn happens(state: &mut State, event: &Event) {
        assert_eq!(state.apply(event, Lsn(1)), Ok(()));
    }

    fn check_now(state: &mut State) -> Vec<(String, u64, OrderKind)> {
        happens(state, &Event { ticks: 30, what: What::Check });
        state.orders.iter().map(|order| (order.store.clone(), order.shard, order.kind.clone())).collect()
    }

    /// Seed 004: one voter for each of the shards 0, 1 and 3 on the plain store, then a learner of each in the west.
    #[test]
    fn the_seeds_cluster_comes_to_be() {
        let mut state = State::default();
        let limits = Limits { voters: 1, store_ticks: 3000 };
        let wanted = Wanted { shards: vec![1, 3], limits, locality: Locality::default() };
        happens(&mut state, &Event { ticks: 0, what: What::Begin(wanted) });
        let zero = held(0, 131_072, &[(131_072, Role::Voter, "7c")]);
        happens(&mut state, &beat("7c", 1, "", vec![zero.clone()]));
        happens(&mut state, &beat("4c", 2, "region:west", vec![]));
        let first = |replica: u64| OrderKind::Found { replica, voters: BTreeMap::from([(replica, "7c".to_owned())]) };
        let founding = vec![("7c".to_owned(), 1, first(262_145)), ("7c".to_owned(), 3, first(262_146))];
        assert_eq!(check_now(&mut state), founding);
        assert_eq!(check_now(&mut state), founding, "the same ids as long as nobody did it");
        let one = held(1, 262_145, &[(262_145, Role::Voter, "7c")]);
        let three = held(3, 262_146, &[(262_146, Role::Voter, "7c")]);
        happens(&mut state, &beat("7c", 1, "", vec![zero, one, three]));
        assert_eq!(check_now(&mut state), vec![]);
        let set = |setting| Event { ticks: 0, what: What::Set(setting) };
        let early = state.apply(&set(Setting::Learners(1)), Lsn(1));
        assert_eq!(early, Err(SettingError::NoLocality));
        for setting in [Setting::Locality(Locality::read("region:west")), Setting::Learners(1)] {
            happens(&mut state, &set(setting));
        }
        let add = |shard, replica| ("7c".to_owned(), shard, OrderKind::Add { replica, on: "4c".to_owned() });
        let wanted = vec![add(0, 262_148), add(1, 262_149), add(3, 262_150)];
        assert_eq!(check_now(&mut state), wanted);
        assert_eq!(check_now(&mut state), wanted, "no second newcomer for the first one");
        let zero = held(0, 131_072, &[(131_072, Role::Voter, "7c"), (262_148, Role::Learner, "4c")]);
        happens(&mut state, &beat("7c", 1, "", vec![zero]));
        let start = ("4c".to_owned(), 0, OrderKind::Start { replica: 262_148, role: Role::Learner });
        assert!(check_now(&mut state).contains(&start), "{:?}", state.orders);
    }

    #[test]
    fn a_store_that_was_wiped_is_not_heard() {
        let mut state = State::default();
        let zero = held(0, 131_072, &[(131_072, Role::Voter, "7c")]);
        happens(&mut state, &beat("7c", 1, "", vec![zero]));
        let before = state.stores.clone();
        happens(&mut state, &beat("7c", 2, "", vec![]));
        assert_eq!(state.stores, before);
        assert!(state.refusal("7c", 2).unwrap().contains("under a new uuid") && state.refusal("7c", 1).is_none());
        assert_eq!(state.refusal("8c", 5), None);
    }

    #[test]
    fn all_of_it_stands_for_what_lay_before() {
        let mut state = State::default();
        happens(&mut state, &beat("7c", 1, "", vec![]));
        let whole = |at: u64, state: &State| Event { ticks: 0, what: What::Whole(Lsn(at), Box::new(state.clone())) };
        let mut newcomer = State::default();
        assert_eq!(newcomer.apply(&whole(5, &state), Lsn::ZERO), Ok(()));
        assert_eq!(newcomer, state, "whoever begins there knows all");
        let old = whole(5, &State::default());
        assert_eq!(state.apply(&old, Lsn(6)), Ok(()));
        assert_eq!(newcomer, state, "something lay in between");
        let read = Event::read(&old.bytes());
        assert_eq!(read, Some(old));
    }
}
