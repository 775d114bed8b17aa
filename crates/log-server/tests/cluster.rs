//! Whole stores: how a cluster begins, grows by learners, loses a store, and whom it refuses.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops loudly where it stands")]

mod bed;

use bed::nodes::{client, founders, log, options, start, state, taken, until};
use bytes::Bytes;
use log::{Log, Most};
use log_server::{
    Node, NodeError, NodeOptions,
    affairs::{Answer, Question},
    keeper::{Locality, Role, Setting, SettingError, State},
};
use types::Lsn;

const NORMAL: &str = "7c4dccb4-4d3c-41f8-b482-5251dc7a41bf";
const WEST: &str = "4c4dccb4-4d3c-41f8-b482-5251dc7a41bd";

/// Replica ids of a role, by shard.
fn replicas(state: &State, role: Role) -> Vec<(u64, u64)> {
    let of = |shard: &u64| {
        let members = state.shards[shard].members.iter().filter(|member| member.1.0 == role);
        members.map(|member| (*shard, *member.0)).collect::<Vec<_>>()
    };
    state.shards.keys().flat_map(of).collect()
}

/// Whether every member runs and knows who leads.
fn runs(state: &State) -> bool {
    state.shards.iter().all(|(shard, known)| {
        known.members.iter().all(|(replica, (_, on))| {
            let held = |store: &log_server::keeper::Store| {
                let mut held = store.told.held.iter();
                held.any(|held| (held.shard, held.replica, held.leader) == (*shard, *replica, known.leader))
            };
            known.leader != 0 && state.stores.get(on).is_some_and(held)
        })
    })
}

async fn set(door: &str, setting: Setting) -> Answer {
    client(door).ask(&Question::Set(setting), &[]).await.unwrap()
}

/// Seed 004: one store with the shards 0, 1 and 3, one in the west for learners.
struct Seed {
    folder: tempfile::TempDir,
    normal: (NodeOptions, Node),
    west: (NodeOptions, Node),
}

impl Seed {
    async fn start() -> Seed {
        let folder = tempfile::tempdir().unwrap();
        let mut normal = options(folder.path(), NORMAL, "", &[]);
        founders(&mut [&mut normal], &[1, 3]);
        let west = options(folder.path(), WEST, "region:west", &[&normal]);
        let nodes = (start(&normal).await.unwrap(), start(&west).await.unwrap());
        Seed { folder, normal: (normal, nodes.0), west: (west, nodes.1) }
    }

    fn door(&self) -> &str {
        &self.normal.0.addresses.service
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_seeds_cluster_begins_and_learners_come_and_go_as_they_are_set() {
    let seed = Seed::start().await;
    let begun = until(seed.door(), "three shards and both stores", |state| {
        state.shards.len() == 3 && state.stores.len() == 2 && runs(state)
    });
    let begun = begun.await;
    assert_eq!(replicas(&begun, Role::Voter), [(0, 131_072), (1, 262_145), (3, 262_146)]);
    assert_eq!(replicas(&begun, Role::Learner), []);
    log(seed.door(), 1).append(types::Epoch::FIRST, vec![Bytes::from_static(b"before")]).await.unwrap();
    let early = set(seed.door(), Setting::Learners(1)).await;
    assert_eq!(early, Answer::Forbidden(SettingError::NoLocality));
    assert_eq!(set(seed.door(), Setting::Locality(Locality::read("region:west"))).await, Answer::Done);
    assert_eq!(set(seed.door(), Setting::Learners(1)).await, Answer::Done);
    let grown =
        until(seed.door(), "a learner of each", |state| replicas(state, Role::Learner).len() == 3 && runs(state));
    let grown = grown.await;
    assert!(
        grown
            .shards
            .values()
            .flat_map(|shard| shard.members.values())
            .all(|(role, on)| { on == if *role == Role::Learner { WEST } else { NORMAL } })
    );
    // The learner has what was appended before it came.
    let there = &seed.west.1.hand;
    let end = log(seed.door(), 1).positions().await.unwrap().end;
    let mut tip = there.watch(1).await.unwrap();
    tip.wait_for(|tip| tip.end >= end).await.unwrap();
    let batch = there.read(1, Lsn::ZERO, Most::default()).await.unwrap();
    assert_eq!(batch.records.iter().map(|record| record.payload.clone()).collect::<Vec<_>>(), ["before"]);
    assert_eq!(set(seed.door(), Setting::Learners(0)).await, Answer::Done);
    let gone = |state: &State| replicas(state, Role::Learner).is_empty() && state.stores[WEST].told.held.is_empty();
    until(seed.door(), "no learner", gone).await;
    assert_eq!(set(seed.door(), Setting::Learners(1)).await, Answer::Done);
    let again = until(seed.door(), "new learners", |state| replicas(state, Role::Learner).len() == 3 && runs(state));
    let (first, second) = (replicas(&grown, Role::Learner), replicas(&again.await, Role::Learner));
    assert!(second.iter().all(|replica| !first.contains(replica)), "{first:?} {second:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_door_of_every_store_leads_to_the_keeper() {
    let seed = Seed::start().await;
    until(seed.door(), "both stores", |state| state.stores.len() == 2).await;
    for addresses in [&seed.normal.0.addresses, &seed.west.0.addresses] {
        for door in [&addresses.raft, &addresses.service, &addresses.gossip] {
            let stores = state(door).await.unwrap().stores.len();
            assert_eq!(stores, 2, "{door}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_was_down_comes_back_with_what_it_had() {
    let folder = tempfile::tempdir().unwrap();
    let mut stores: Vec<NodeOptions> =
        ["a", "b", "c"].iter().map(|name| options(folder.path(), name, "", &[])).collect();
    founders(&mut stores.iter_mut().collect::<Vec<_>>(), &[1]);
    let door = stores[0].addresses.service.clone();
    let mut nodes = Vec::new();
    for store in &stores {
        nodes.push(start(store).await.unwrap());
    }
    until(&door, "three voters of each", |state| replicas(state, Role::Voter).len() == 6 && runs(state)).await;
    let lsn = log(&door, 1).append(types::Epoch::FIRST, vec![Bytes::from_static(b"kept")]).await.unwrap();
    for node in nodes.drain(..) {
        node.stop().await;
    }
    // Nobody is told of the others any more: they remember.
    for store in &mut stores {
        store.seeds.clear();
        nodes.push(start(store).await.unwrap());
    }
    let batch = log(&door, 1).read(lsn, Most::default()).await.unwrap();
    assert_eq!(batch.records[0].payload, "kept");
    until(&door, "everybody", |state| runs(state) && state.stores.len() == 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_store_is_replaced_and_what_it_held_is_ended_when_it_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let mut stores: Vec<NodeOptions> =
        ["a", "b", "c"].iter().map(|name| options(folder.path(), name, "", &[])).collect();
    founders(&mut stores.iter_mut().collect::<Vec<_>>(), &[1]);
    let spare = options(folder.path(), "d", "", &[&stores[0]]);
    let mut nodes = Vec::new();
    for store in stores.iter().chain([&spare]) {
        nodes.push(start(store).await.unwrap());
    }
    let door = spare.addresses.service.clone();
    let begun = until(&door, "four stores", |state| {
        state.stores.len() == 4 && replicas(state, Role::Voter).len() == 6 && runs(state)
    });
    let before = begun.await;
    let lsn = log(&door, 1).append(types::Epoch::FIRST, vec![Bytes::from_static(b"kept")]).await.unwrap();
    // The one that leads the keeper's shard, if it is one of the founders: all of them are.
    let lost = before.shards[&0].members[&before.shards[&0].leader].1.clone();
    let which = stores.iter().position(|store| *store.identity.store == *lost).unwrap();
    nodes.remove(which).stop().await;
    let is_replaced = |state: &State| {
        let voters = |shard: &u64| {
            let members = state.shards[shard].members.values();
            let (on, roles): (Vec<_>, Vec<_>) = members.map(|(role, on)| (on.as_str(), *role)).unzip();
            on.len() == 3 && on.contains(&"d") && !on.contains(&lost.as_str()) && roles == [Role::Voter; 3]
        };
        [0, 1].iter().all(voters) && runs(state)
    };
    until(&door, "the spare in its place", is_replaced).await;
    assert_eq!(log(&door, 1).read(lsn, Most::default()).await.unwrap().records[0].payload, "kept");
    nodes.push(start(&stores[which]).await.unwrap());
    until(&door, "nothing on what came back", |state| state.stores[&lost].told.held.is_empty() && runs(state)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_lost_its_data_is_refused_under_its_old_name() {
    let seed = Seed::start().await;
    until(seed.door(), "both stores", |state| state.stores.len() == 2).await;
    let Seed { folder, normal, west: (west, node) } = seed;
    node.stop().await;
    std::fs::remove_dir_all(folder.path().join(WEST)).unwrap();
    let wiped = start(&west).await.unwrap();
    let why = tokio::time::timeout(std::time::Duration::from_secs(10), wiped.ended()).await.unwrap();
    assert!(why.contains("was here before with other data") && why.contains("under a new uuid"), "{why}");
    drop(normal);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_whose_files_are_gone_does_not_begin_anew() {
    let seed = Seed::start().await;
    until(seed.door(), "three shards", |state| state.shards.len() == 3 && runs(state)).await;
    let Seed { normal: (normal, node), .. } = seed;
    node.stop().await;
    std::fs::remove_dir_all(normal.folder.join("shard-1-262145")).unwrap();
    let Err(error) = start(&normal).await else { panic!("it forgot what it promised") };
    assert!(error.to_string().contains("files are gone"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_store_on_one_folder_and_a_taken_port_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let one = options(folder.path(), NORMAL, "", &[]);
    let running = start(&one).await.unwrap();
    let mut two = options(folder.path(), NORMAL, "", &[]);
    let Err(NodeError::InUse(path)) = start(&two).await else { panic!("two stores on one folder") };
    assert_eq!(path, one.folder);
    let (_held, address) = taken();
    two = options(folder.path(), WEST, "", &[]);
    two.listen.service = address.clone();
    let Err(error) = start(&two).await else { panic!("a taken port") };
    assert!(error.to_string().starts_with(&format!("logservice-address {address} cannot be listened on")), "{error}");
    running.stop().await;
    let mut stranger = options(folder.path(), NORMAL, "", &[]);
    stranger.identity.cluster += 1;
    let Err(error) = start(&stranger).await else { panic!("the data of another cluster") };
    assert!(error.to_string().contains("of cluster 7"), "{error}");
}
