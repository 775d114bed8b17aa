//! What the keeper knows. Ids are given out once and never again, so that what a wiped store still claims is known as a ghost.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The first id the keeper gives out; below lie those of its own first members (seed 004 shows both ranges).
pub const FIRST_ID: u64 = 262_144;

/// Where a store stands, as `key:value` pairs, such as `region:west`.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Locality(pub BTreeMap<String, String>);

impl Locality {
    /// Reads `k:v;k2:v2`. A pair without a colon has an empty value; empty pairs are left out.
    pub fn read(text: &str) -> Locality {
        let pairs = text.split(';').filter(|pair| !pair.is_empty());
        let pair = |pair: &str| {
            let (key, value) = pair.split_once(':').unwrap_or((pair, ""));
            (key.to_owned(), value.to_owned())
        };
        Locality(pairs.map(pair).collect())
    }

    /// As `show logservice stores` shows it: no `;` at the end.
    pub fn text(&self) -> String {
        let pairs: Vec<String> = self.0.iter().map(|(key, value)| format!("{key}:{value}")).collect();
        pairs.join(";")
    }

    /// Whether it says nothing: stores of voters.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether it has every pair of another.
    pub fn has(&self, wanted: &Locality) -> bool {
        wanted.0.iter().all(|(key, value)| self.0.get(key) == Some(value))
    }
}

/// Where a store is reached.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Addresses {
    /// By other stores.
    pub raft: String,
    /// By clients.
    pub service: String,
    /// By whoever looks for the keeper.
    pub gossip: String,
}

/// What a replica is in its shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Role {
    /// It counts for agreement.
    Voter,
    /// It follows, and is never counted.
    Learner,
}

/// A replica as the store that holds it sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// The log.
    pub shard: u64,
    /// The copy.
    pub replica: u64,
    /// Of the election.
    pub term: u64,
    /// Of the membership: the place of the last change it applied.
    pub epoch: u64,
    /// The replica that leads, as far as it knows; 0 is unknown.
    pub leader: u64,
    /// Everything up to here is agreed on and applied, as far as it knows.
    #[serde(default)]
    pub end: u64,
    /// Members it knows of: replica to role and the store it lies on.
    pub members: BTreeMap<u64, (Role, String)>,
}

/// What a store says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heartbeat {
    /// Its name, a UUID.
    pub store: String,
    /// Drawn when its folder was begun: a store that was wiped is another one.
    #[serde(default)]
    pub born: u128,
    /// Where it is reached.
    pub addresses: Addresses,
    /// Where it stands.
    pub locality: Locality,
    /// What it runs.
    pub held: Vec<Held>,
}

/// A store as the keeper knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Store {
    /// The tick of its last heartbeat.
    pub tick: u64,
    /// What it said last.
    pub told: Heartbeat,
}

/// A shard as its latest members know it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shard {
    /// Of the membership.
    pub epoch: u64,
    /// Of the election.
    pub term: u64,
    /// The replica that leads; 0 is unknown.
    pub leader: u64,
    /// Replica to role and the store it lies on.
    pub members: BTreeMap<u64, (Role, String)>,
}

/// What `set logservice settings` sets.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// Learners of each shard.
    pub learners: u64,
    /// Where they must stand.
    pub locality: Locality,
}

/// How many, and how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Voters of each shard.
    pub voters: usize,
    /// Ticks without a heartbeat after which a store's replicas are made elsewhere.
    pub store_ticks: u64,
}

/// What a store is to do.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum OrderKind {
    /// Make a replica a learner of the shard that this store leads a replica of.
    Add {
        /// Of the new member.
        replica: u64,
        /// Where it will lie.
        on: String,
    },
    /// Let a learner of it vote.
    Promote {
        /// Of the member.
        replica: u64,
        /// Where it lies.
        on: String,
    },
    /// Take a member out of the shard that this store leads a replica of.
    Remove {
        /// Of the member.
        replica: u64,
    },
    /// Run a replica that is a member already.
    Start {
        /// Of the member.
        replica: u64,
        /// What it is.
        role: Role,
    },
    /// Run a replica as one of the first of a new shard.
    Found {
        /// Of the member.
        replica: u64,
        /// All first members with their stores: voters.
        voters: BTreeMap<u64, String>,
    },
    /// End a replica that is no member any more, and let go of its data.
    Stop {
        /// Of what was a member.
        replica: u64,
    },
}

/// An order for one store, about one shard.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Order {
    /// Who is to do it.
    pub store: String,
    /// The log.
    pub shard: u64,
    /// The membership it is about: where that has changed since, the order is void.
    #[serde(default)]
    pub epoch: u64,
    /// What.
    pub kind: OrderKind,
}

/// All the keeper knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// Ticks since the keeper began.
    pub tick: u64,
    /// By name.
    pub stores: BTreeMap<String, Store>,
    /// By number.
    pub shards: BTreeMap<u64, Shard>,
    /// As set.
    pub settings: Settings,
    /// The last id given out.
    pub last_id: u64,
    /// Replicas that were members once and are not any more.
    pub gone: BTreeSet<(u64, u64)>,
    /// Services beside the stores, by name.
    #[serde(default)]
    pub nodes: BTreeMap<String, (u64, Node)>,
    /// Shards that are to be, and how many voters each begins with.
    #[serde(default)]
    pub wanted: Option<Wanted>,
    /// First members of shards that have not been heard of yet.
    #[serde(default)]
    pub founding: BTreeMap<u64, BTreeMap<u64, String>>,
    /// Changes of members that were ordered and have not been seen.
    #[serde(default)]
    pub pending: BTreeMap<u64, Pending>,
    /// What stores are to do, as of the last check.
    #[serde(default)]
    pub orders: Vec<Order>,
}

/// A service that holds no log: it runs an engine, or serves SQL.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// Its name, a UUID.
    pub name: String,
    /// `TN` or `CN`.
    pub kind: String,
    /// Where it is reached.
    pub service: String,
    /// Where it serves SQL, if it does.
    #[serde(default)]
    pub sql: String,
}

/// What a new cluster is to have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wanted {
    /// Log shards beside the keeper's own.
    pub shards: Vec<u64>,
    /// As long as it lives.
    pub limits: Limits,
    /// Learners from the begin on: where.
    #[serde(default)]
    pub locality: Locality,
}

/// A change that was ordered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// What.
    pub kind: OrderKind,
    /// The membership it is to change.
    pub epoch: u64,
    /// When it was ordered.
    pub tick: u64,
}

impl Default for State {
    fn default() -> Self {
        State {
            tick: 0,
            stores: BTreeMap::new(),
            shards: BTreeMap::new(),
            settings: Settings::default(),
            last_id: FIRST_ID - 1,
            gone: BTreeSet::new(),
            nodes: BTreeMap::new(),
            wanted: None,
            founding: BTreeMap::new(),
            pending: BTreeMap::new(),
            orders: Vec::new(),
        }
    }
}

impl State {
    /// A new id.
    pub fn next_id(&mut self) -> u64 {
        self.last_id = self.last_id.saturating_add(1);
        self.last_id
    }

    /// A store speaks.
    pub fn hear(&mut self, heartbeat: Heartbeat) {
        for held in &heartbeat.held {
            self.learn(held);
        }
        let store = Store { tick: self.tick, told: heartbeat };
        self.stores.insert(store.told.store.clone(), store);
    }

    /// The members of the latest change count; who was one and is not any more is gone for good.
    fn learn(&mut self, held: &Held) {
        let shard = self.shards.entry(held.shard).or_default();
        if held.epoch > shard.epoch {
            self.founding.remove(&held.shard);
            self.pending.remove(&held.shard);
            let left = shard.members.keys().filter(|replica| !held.members.contains_key(replica));
            self.gone.extend(left.map(|replica| (held.shard, *replica)));
            (shard.epoch, shard.members) = (held.epoch, held.members.clone());
            let highest = held.members.keys().max().copied().unwrap_or_default();
            // Nobody was ever given an id near the end of the numbers, whatever somebody says.
            self.last_id = self.last_id.max(highest.min(1 << 62));
        }
        if held.term > shard.term || (held.term == shard.term && held.leader != 0) {
            (shard.term, shard.leader) = (held.term, held.leader);
        }
    }

    /// Whether a store was heard of lately.
    pub fn is_alive(&self, store: &str, limits: &Limits) -> bool {
        self.stores.get(store).is_some_and(|store| self.tick.saturating_sub(store.tick) < limits.store_ticks)
    }
}
