//! From what is to what should be: the rules of placement.
//!
//! - Voters lie on stores without locality, learners on stores whose locality has all that is asked for; never two replicas of a
//!   shard on one store; of several stores the first by name.
//! - Missing members are added before surplus ones are removed, one change of a shard at a time.
//! - Of surplus members those on stores that are silent go first, then the lowest id, the leader last.
//! - Whoever is to vote begins as a learner, and votes once it has what the others have. A learner of the settings is never counted as a
//!   voter, and never made one.

use std::collections::BTreeMap;

use super::state::{Limits, Order, OrderKind, Pending, Role, Shard, State, Wanted};

/// Records a newcomer may lack of what the leader has when it begins to vote.
const NEAR: u64 = 1000;

/// What every store is to do now. Ids for new members are drawn from the state, so it must be kept.
pub fn check(state: &mut State, limits: &Limits) -> Vec<Order> {
    let shards: Vec<(u64, Shard)> = state.shards.iter().map(|(number, shard)| (*number, shard.clone())).collect();
    // First what the cluster was begun for, so that its ids are the lowest.
    let mut orders = found(state, limits);
    for (number, shard) in &shards {
        orders.extend(change(state, limits, *number, shard));
        orders.extend(starts(state, limits, *number, shard));
    }
    orders.extend(ghosts(state));
    orders
}

/// The first members of shards that are to be, once there are stores enough for them.
fn found(state: &mut State, limits: &Limits) -> Vec<Order> {
    let shards = state.wanted.as_ref().map(|wanted: &Wanted| wanted.shards.clone()).unwrap_or_default();
    let last = shards.last().copied();
    for shard in shards {
        if !state.shards.contains_key(&shard) && !state.founding.contains_key(&shard) {
            let free = |store: &&String| state.is_alive(store, limits) && may_hold(state, Role::Voter, store);
            let on: Vec<String> = state.stores.keys().filter(free).take(limits.voters).cloned().collect();
            if on.len() == limits.voters {
                let voters = on.into_iter().map(|store| (state.next_id(), store)).collect();
                state.founding.insert(shard, voters);
                if last == Some(shard) {
                    // The next number is the engine's own replica's, as seed 004 counts.
                    state.next_id();
                }
            }
        }
    }
    let order = |(shard, voters): (&u64, &BTreeMap<u64, String>)| {
        let each = voters.iter().map(|(replica, store)| {
            let kind = OrderKind::Found { replica: *replica, voters: voters.clone() };
            Order { store: store.clone(), shard: *shard, epoch: 0, kind }
        });
        each.collect::<Vec<_>>()
    };
    state.founding.iter().flat_map(order).collect()
}

/// At most one change of the members of a shard; the store of its leader makes it. What was ordered and is not seen yet stays ordered: a
/// second newcomer in its stead would be one too many.
fn change(state: &mut State, limits: &Limits, number: u64, shard: &Shard) -> Option<Order> {
    let (_, leader) = shard.members.get(&shard.leader)?;
    if !state.is_alive(leader, limits) {
        return None;
    }
    let age = |pending: &Pending| state.tick.saturating_sub(pending.tick);
    let under_way =
        state.pending.get(&number).filter(|pending| pending.epoch == shard.epoch && age(pending) < limits.store_ticks);
    if let Some(kind) = under_way.map(|pending| pending.kind.clone()) {
        return Some(Order { store: leader.clone(), shard: number, epoch: shard.epoch, kind });
    }
    let order = |state: &mut State, kind: OrderKind| {
        state.pending.insert(number, Pending { kind: kind.clone(), epoch: shard.epoch, tick: state.tick });
        Order { store: leader.clone(), shard: number, epoch: shard.epoch, kind }
    };
    let learners = usize::try_from(state.settings.learners).unwrap_or(usize::MAX);
    let wanted = [(Role::Voter, limits.voters), (Role::Learner, learners)];
    let newcomer = newcomer(state, limits, shard);
    if let Some((replica, on, is_ready)) = newcomer {
        return is_ready.then(|| order(state, OrderKind::Promote { replica, on }));
    }
    let kind = wanted
        .iter()
        .find_map(|(role, wanted)| add(state, limits, shard, *role, *wanted))
        .or_else(|| wanted.iter().find_map(|(role, wanted)| remove(state, limits, shard, *role, *wanted)))?;
    Some(order(state, kind))
}

/// A learner that is to become a voter, as `(replica, store, whether it has what the others have)`: one more voter that has nothing might be
/// the one too many for a majority, of the keeper's own shard above all.
fn newcomer(state: &State, limits: &Limits, shard: &Shard) -> Option<(u64, String, bool)> {
    let good = members(state, limits, shard, Role::Voter).iter().filter(|member| member.1).count();
    let fits = |on: &String| state.is_alive(on, limits) && may_hold(state, Role::Voter, on);
    let mut learners = shard.members.iter().filter(|(_, (role, on))| *role == Role::Learner && fits(on));
    let (replica, (_, on)) = learners.next().filter(|_| good < limits.voters)?;
    let end = |replica: u64| {
        let (_, on) = shard.members.get(&replica)?;
        state.stores.get(on)?.told.held.iter().find(|held| held.replica == replica).map(|held| held.end)
    };
    let is_ready = end(*replica).zip(end(shard.leader)).is_some_and(|(own, leads)| own > 0 && own + NEAR >= leads);
    Some((*replica, on.clone(), is_ready))
}

/// Members of a role, as `(replica, whether its store lives and may hold it)`.
fn members(state: &State, limits: &Limits, shard: &Shard, role: Role) -> Vec<(u64, bool)> {
    let of_role = shard.members.iter().filter(|(_, (is, _))| *is == role);
    of_role.map(|(replica, (_, on))| (*replica, state.is_alive(on, limits) && may_hold(state, role, on))).collect()
}

/// Whether a store is one for replicas of a role, as the settings are now.
fn may_hold(state: &State, role: Role, store: &str) -> bool {
    let Some(locality) = state.stores.get(store).map(|store| &store.told.locality) else { return false };
    match role {
        Role::Voter => locality.is_empty(),
        Role::Learner => {
            let wanted = &state.settings.locality;
            !wanted.is_empty() && !locality.is_empty() && locality.has(wanted)
        }
    }
}

fn add(state: &mut State, limits: &Limits, shard: &Shard, role: Role, wanted: usize) -> Option<OrderKind> {
    let good = members(state, limits, shard, role).iter().filter(|member| member.1).count();
    if good >= wanted {
        return None;
    }
    let holds = |store: &str| shard.members.values().any(|(_, on)| on == store);
    let free = |store: &&String| state.is_alive(store, limits) && may_hold(state, role, store) && !holds(store);
    let on = state.stores.keys().find(free)?.clone();
    Some(OrderKind::Add { replica: state.next_id(), on })
}

/// A member too many, or one on a store that is silent or not for it. Never so many voters that fewer than wanted are left alive: what is
/// missing comes first.
fn remove(state: &State, limits: &Limits, shard: &Shard, role: Role, wanted: usize) -> Option<OrderKind> {
    let all = members(state, limits, shard, role);
    let good = all.iter().filter(|member| member.1).count();
    let enough = match role {
        Role::Voter => good >= wanted,
        Role::Learner => true,
    };
    if all.len() <= wanted && all.iter().all(|member| member.1) || !enough {
        return None;
    }
    let bad = all.iter().find(|member| !member.1);
    let surplus = || {
        let others = all.iter().filter(|member| member.0 != shard.leader);
        others.chain(all.iter().filter(|member| member.0 == shard.leader)).next().filter(|_| good > wanted)
    };
    let replica = bad.or_else(surplus)?.0;
    Some(OrderKind::Remove { replica })
}

/// Members whose store lives and does not run them.
fn starts(state: &State, limits: &Limits, number: u64, shard: &Shard) -> Vec<Order> {
    let missing = shard.members.iter().filter(|(replica, (_, on))| {
        let runs = |held: &super::Held| held.shard == number && held.replica == **replica;
        state.is_alive(on, limits) && !state.stores[on].told.held.iter().any(runs)
    });
    let order = |(replica, (role, on)): (&u64, &(Role, String))| Order {
        store: on.clone(),
        shard: number,
        epoch: shard.epoch,
        kind: OrderKind::Start { replica: *replica, role: *role },
    };
    missing.map(order).collect()
}

/// Replicas that run although they are members no longer.
fn ghosts(state: &State) -> Vec<Order> {
    let mut orders = Vec::new();
    for (name, store) in &state.stores {
        for held in &store.told.held {
            if state.gone.contains(&(held.shard, held.replica)) {
                let kind = OrderKind::Stop { replica: held.replica };
                orders.push(Order { store: name.clone(), shard: held.shard, epoch: held.epoch, kind });
            }
        }
    }
    orders
}
