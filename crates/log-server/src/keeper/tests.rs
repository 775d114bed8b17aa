//! The keeper against a world of stores that come, go, and do what they are told late or never.

use super::*;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

const LIMITS: Limits = Limits { voters: 3, store_ticks: 5 };

/// A store of the world: it remembers its replicas while it is down.
#[derive(Debug, Clone)]
struct Place {
    up: bool,
    locality: Locality,
    holds: BTreeSet<(u64, u64)>,
}

/// What really is.
struct World {
    places: BTreeMap<String, Place>,
    shards: BTreeMap<u64, Shard>,
    state: State,
    /// Orders on their way.
    orders: Vec<Order>,
    given: BTreeMap<u64, (u64, String)>,
}

fn name(number: usize) -> String {
    format!("store-{number}")
}

impl World {
    /// So many plain stores and so many in the west; two shards with three voters on the first plain ones.
    fn new(plain: usize, west: usize) -> World {
        let place = |locality: &str| Place { up: true, locality: Locality::read(locality), holds: BTreeSet::new() };
        let localities = (0..plain).map(|_| "").chain((0..west).map(|_| "region:west;rack:9"));
        let places = localities.enumerate().map(|(number, locality)| (name(number), place(locality))).collect();
        let (state, orders) = (State::default(), Vec::new());
        let mut world = World { places, shards: BTreeMap::new(), state, orders, given: BTreeMap::new() };
        for shard in 0..2 {
            let member = |number: usize| (131_072 + shard * 10 + number as u64, (Role::Voter, name(number)));
            let members: BTreeMap<u64, (Role, String)> = (0..3).map(member).collect();
            for (replica, (_, on)) in &members {
                world.places.get_mut(on).unwrap().holds.insert((shard, *replica));
                world.given.insert(*replica, (shard, on.clone()));
            }
            let leader = *members.keys().next().unwrap();
            world.shards.insert(shard, Shard { epoch: 1, term: 1, leader, members });
        }
        world
    }

    /// Whether enough voters run to agree.
    fn agrees(&self, shard: &Shard) -> bool {
        let voters = shard.members.iter().filter(|(_, (role, _))| *role == Role::Voter);
        let up = voters.clone().filter(|(_, (_, on))| self.places[on].up).count();
        up * 2 > voters.count()
    }

    fn elect(&mut self) {
        let shards: Vec<u64> = self.shards.keys().copied().collect();
        for number in shards {
            let shard = self.shards[&number].clone();
            let runs =
                |replica: &u64, on: &String| self.places[on].up && self.places[on].holds.contains(&(number, *replica));
            let leads = shard.members.get(&shard.leader).is_some_and(|(_, on)| runs(&shard.leader, on));
            if !leads && self.agrees(&shard) {
                let mut voters = shard.members.iter().filter(|(_, (role, _))| *role == Role::Voter);
                if let Some((replica, _)) = voters.find(|(replica, (_, on))| runs(replica, on)) {
                    let new = self.shards.get_mut(&number).unwrap();
                    (new.leader, new.term) = (*replica, shard.term + 1);
                }
            }
        }
    }

    fn beat(&mut self) {
        self.state.tick += 1;
        for (store, place) in self.places.iter().filter(|(_, place)| place.up) {
            let held = place.holds.iter().map(|(number, replica)| {
                let shard = &self.shards[number];
                Held {
                    shard: *number,
                    replica: *replica,
                    term: shard.term,
                    epoch: shard.epoch,
                    leader: shard.leader,
                    end: 1,
                    members: shard.members.clone(),
                }
            });
            let (addresses, locality) = (Addresses::default(), place.locality.clone());
            self.state.hear(Heartbeat { born: 0, store: store.clone(), addresses, locality, held: held.collect() });
        }
    }

    /// Does an order as a real store would: not if it is down, does not lead, or could not agree.
    fn obey(&mut self, order: &Order) {
        if !self.places[&order.store].up {
            return;
        }
        let shard = self.shards[&order.shard].clone();
        let leads = shard.members.get(&shard.leader).is_some_and(|(_, on)| *on == order.store) && self.agrees(&shard);
        let now = self.shards.get_mut(&order.shard).unwrap();
        match &order.kind {
            OrderKind::Add { replica, on } if leads && order.epoch == shard.epoch => {
                assert!(!shard.members.values().any(|(_, other)| other == on), "two replicas of a shard on {on}");
                now.members.insert(*replica, (Role::Learner, on.clone()));
                now.epoch += 1;
            }
            OrderKind::Promote { replica, on } if leads && order.epoch == shard.epoch => {
                let place = &self.places[on];
                assert!(place.holds.contains(&(order.shard, *replica)), "a voter with nothing: {order:?}");
                assert!(place.locality.is_empty(), "a voter in the west: {order:?}");
                now.members.insert(*replica, (Role::Voter, on.clone()));
                now.epoch += 1;
            }
            OrderKind::Remove { replica }
                if leads
                    && order.epoch == shard.epoch
                    && *replica != shard.leader
                    && now.members.remove(replica).is_some() =>
            {
                now.epoch += 1;
            }
            OrderKind::Start { replica, .. } if shard.members.contains_key(replica) => {
                self.places.get_mut(&order.store).unwrap().holds.insert((order.shard, *replica));
            }
            OrderKind::Stop { replica } => {
                assert!(!shard.members.contains_key(replica), "a member is stopped: {order:?}");
                self.places.get_mut(&order.store).unwrap().holds.remove(&(order.shard, *replica));
            }
            _ => {}
        }
    }

    fn check(&mut self) {
        let orders = check(&mut self.state, &LIMITS);
        for order in &orders {
            if let OrderKind::Add { replica, on } = &order.kind {
                let place = (order.shard, on.clone());
                let before = self.given.insert(*replica, place.clone());
                assert!(before.is_none_or(|before| before == place), "id {replica} was given out twice");
            }
        }
        let changes = |shard: u64| {
            let of = orders.iter().filter(move |order| order.shard == shard);
            of.filter(|order| {
                matches!(order.kind, OrderKind::Add { .. } | OrderKind::Promote { .. } | OrderKind::Remove { .. })
            })
            .count()
        };
        assert!(self.shards.keys().all(|shard| changes(*shard) <= 1), "one change at a time: {orders:?}");
        self.orders.extend(orders);
    }

    fn round(&mut self) {
        self.elect();
        self.beat();
        self.check();
        for order in std::mem::take(&mut self.orders) {
            self.obey(&order);
        }
    }

    fn count(&self, shard: u64, role: Role) -> usize {
        self.shards[&shard].members.values().filter(|(is, _)| *is == role).count()
    }
}

#[test]
fn learners_come_and_go_as_they_are_set() {
    let mut world = World::new(3, 2);
    for _ in 0..20 {
        world.round();
    }
    assert_eq!((world.count(0, Role::Voter), world.count(0, Role::Learner)), (3, 0));
    world.state.settings = Settings { learners: 1, locality: Locality::read("region:west") };
    for _ in 0..20 {
        world.round();
    }
    for shard in 0..2 {
        assert_eq!((world.count(shard, Role::Voter), world.count(shard, Role::Learner)), (3, 1));
        let on = |(role, on): &(Role, String)| (*role == Role::Learner).then(|| on.clone());
        assert_eq!(world.shards[&shard].members.values().find_map(on), Some(name(3)), "the first by name");
    }
    world.state.settings.learners = 0;
    for _ in 0..20 {
        world.round();
    }
    assert!((0..2).all(|shard| world.count(shard, Role::Learner) == 0));
    assert!(world.places.values().all(|place| place.holds.len() <= 2), "what is gone was stopped");
    assert_eq!(world.places[&name(3)].holds.len(), 0);
}

#[test]
fn without_a_locality_there_is_no_learner() {
    let mut world = World::new(3, 2);
    world.state.settings = Settings { learners: 1, locality: Locality::default() };
    for _ in 0..20 {
        world.round();
    }
    assert_eq!(world.count(0, Role::Learner), 0);
}

#[test]
fn a_silent_voter_is_replaced_and_never_before_there_is_another() {
    let mut world = World::new(4, 0);
    world.round();
    world.places.get_mut(&name(1)).unwrap().up = false;
    let mut least = 3;
    for _ in 0..30 {
        world.round();
        least = least.min(world.count(0, Role::Voter));
    }
    assert_eq!(least, 3, "added before removed");
    assert!(!world.shards[&0].members.values().any(|(_, on)| *on == name(1)));
    // It comes back with a replica nobody counts any more.
    world.places.get_mut(&name(1)).unwrap().up = true;
    for _ in 0..30 {
        world.round();
    }
    assert_eq!(world.places[&name(1)].holds.len(), 0);
    assert_eq!(world.count(0, Role::Voter), 3);
}

#[derive(Debug, Clone)]
enum Step {
    Round,
    Down(usize),
    Up(usize),
    Settings(u64, bool),
    /// An order is lost, or is done a second time.
    Lose,
    Repeat,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        10 => Just(Step::Round),
        1 => (0_usize..8).prop_map(Step::Down),
        2 => (0_usize..8).prop_map(Step::Up),
        1 => (0_u64..4, any::<bool>()).prop_map(|(learners, west)| Step::Settings(learners, west)),
        1 => Just(Step::Lose),
        1 => Just(Step::Repeat),
    ]
}

proptest! {
    /// Whatever happens: the rules hold at every step (asserted where orders are given and done); once all stores are up again, every shard is
    /// as it was asked for.
    #[test]
    fn placement_comes_to_what_was_asked(
        plain in 3_usize..6, west in 0_usize..3, steps in proptest::collection::vec(step(), 0..120),
    ) {
        let mut world = World::new(plain, west);
        let mut last = Vec::new();
        for step in steps {
            match step {
                Step::Round => {
                    world.elect();
                    world.beat();
                    world.check();
                    last = std::mem::take(&mut world.orders);
                    for order in &last {
                        world.obey(order);
                    }
                }
                Step::Down(which) | Step::Up(which) => {
                    let up = matches!(step, Step::Up(_));
                    if let Some(place) = world.places.get_mut(&name(which)) {
                        place.up = up;
                    }
                }
                Step::Settings(learners, true) => {
                    world.state.settings = Settings { learners, locality: Locality::read("region:west") };
                }
                Step::Settings(learners, false) => world.state.settings = Settings { learners, locality: Locality::default() },
                Step::Lose => {
                    world.elect();
                    world.beat();
                    world.check();
                    world.orders.clear();
                }
                Step::Repeat => {
                    for order in last.clone() {
                        // An order that comes late may not fit any more; what must not happen is asserted where it is done.
                        if !matches!(order.kind, OrderKind::Add { .. } | OrderKind::Stop { .. }) {
                            world.obey(&order);
                        }
                    }
                }
            }
        }
        world.places.values_mut().for_each(|place| place.up = true);
        for _ in 0..60 {
            world.round();
        }
        let asked = usize::try_from(world.state.settings.learners).unwrap();
        let learners = if world.state.settings.locality.is_empty() { 0 } else { asked.min(west) };
        for shard in 0..2 {
            prop_assert_eq!(world.count(shard, Role::Voter), 3, "{:?}", world.shards[&shard]);
            prop_assert_eq!(world.count(shard, Role::Learner), learners, "{:?}", world.shards[&shard]);
            let on: BTreeSet<&String> = world.shards[&shard].members.values().map(|(_, on)| on).collect();
            prop_assert_eq!(on.len(), world.shards[&shard].members.len());
        }
    }
}

#[test]
fn a_locality_is_read_as_the_settings_write_it() {
    let locality = Locality::read("region:west;rack;;a:b:c");
    assert_eq!(locality.text(), "a:b:c;rack:;region:west");
    assert!(locality.has(&Locality::read("region:west")) && !locality.has(&Locality::read("region:east")));
    assert!(Locality::read("").is_empty());
}
