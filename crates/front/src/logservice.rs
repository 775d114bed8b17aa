//! The log service's state as rows: columns, kinds, order and texts as `MatrixOne` shows them.

use crate::statement::Listing;
use log_server::keeper::{Heartbeat, Held, Role, State, Store};
use wire::{Answer, Column, ColumnKind, Rows};

type Row = Vec<Option<String>>;

/// What is asked for.
pub(crate) fn list(listing: Listing, state: &State) -> Answer {
    let (columns, rows) = match listing {
        Listing::Stores => (STORES, state.stores.values().map(store).collect()),
        Listing::Replicas => (REPLICAS, replicas(state)),
        Listing::Settings => (SETTINGS, settings(state)),
    };
    let columns = columns.iter().map(|(name, kind)| Column::new(*name, *kind)).collect();
    Answer::Rows(Rows { columns, rows })
}

/// Name and kind of each column.
type Columns = &'static [(&'static str, ColumnKind)];

const STORES: Columns = &[
    ("store_id", ColumnKind::Text),
    ("tick", ColumnKind::Long),
    ("replica_num", ColumnKind::Long),
    ("replicas", ColumnKind::Text),
    ("locality", ColumnKind::Text),
    ("raft_address", ColumnKind::Text),
    ("service_address", ColumnKind::Text),
    ("gossip_address", ColumnKind::Text),
];

/// Whether a replica is a learner is told in words: `true`, `false`.
const REPLICAS: Columns = &[
    ("shard_id", ColumnKind::Long),
    ("replica_id", ColumnKind::Long),
    ("replica_role", ColumnKind::Text),
    ("replica_is_non_voting", ColumnKind::Text),
    ("term", ColumnKind::Long),
    ("epoch", ColumnKind::Long),
    ("store_info", ColumnKind::Text),
];

const SETTINGS: Columns = &[("name", ColumnKind::Text), ("value", ColumnKind::Text)];

/// One store; the state keeps them by name.
fn store(store: &Store) -> Row {
    let Heartbeat { store: name, addresses, locality, held, .. } = &store.told;
    let mut held: Vec<(u64, u64)> = held.iter().map(|held| (held.shard, held.replica)).collect();
    held.sort_unstable();
    let pairs: Vec<String> = held.iter().map(|(shard, replica)| format!("{shard}:{replica}")).collect();
    let cells = [
        name.clone(),
        store.tick.to_string(),
        held.len().to_string(),
        pairs.join(";"),
        locality.text(),
        addresses.raft.clone(),
        addresses.service.clone(),
        addresses.gossip.clone(),
    ];
    cells.map(Some).into()
}

/// By shard, its leader first, then by id; stores that hold nothing come last, with their name alone.
fn replicas(state: &State) -> Vec<Row> {
    let on = |store: &Store| store.told.held.iter().map(|held| (held.clone(), store.told.store.clone())).collect();
    let mut held: Vec<(Held, String)> = state.stores.values().flat_map(|store| -> Vec<_> { on(store) }).collect();
    held.sort_by_key(|(held, _)| (held.shard, !leads(held), held.replica));
    let idle = state.stores.values().filter(|store| store.told.held.is_empty());
    let mut rows: Vec<Row> = held.into_iter().map(|(held, store)| replica(&held, state, store)).collect();
    rows.extend(idle.map(|store| bare(&store.told.store)));
    rows
}

/// As the replica itself sees it: for a moment there may be two leaders, or none.
fn leads(held: &Held) -> bool {
    held.leader == held.replica
}

fn replica(held: &Held, state: &State, store: String) -> Row {
    let cells = [
        held.shard.to_string(),
        held.replica.to_string(),
        if leads(held) { "Leader" } else { "Follower" }.to_owned(),
        is_learner(held, state).to_string(),
        held.term.to_string(),
        held.epoch.to_string(),
        store,
    ];
    cells.map(Some).into()
}

/// As it knows itself; one that has not heard of its own membership yet, as the shard knows it.
fn is_learner(held: &Held, state: &State) -> bool {
    let known = || state.shards.get(&held.shard)?.members.get(&held.replica);
    let member = held.members.get(&held.replica).or_else(known);
    member.is_some_and(|(role, _)| *role == Role::Learner)
}

fn bare(store: &str) -> Row {
    let mut row = vec![None; REPLICAS.len() - 1];
    row.push(Some(store.to_owned()));
    row
}

fn settings(state: &State) -> Vec<Row> {
    state.settings.shown().map(|(name, value)| vec![Some(name.to_owned()), Some(value)]).into()
}
