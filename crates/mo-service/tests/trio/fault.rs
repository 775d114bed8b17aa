//! What happens to three stores: drawn from a seed, done, and undone.

use super::{
    Trio,
    load::Load,
    store::{bytes_at, overwrite},
};
use runtime::Random;
use std::time::Duration;

/// A fault. Stores are drawn; "the leader" is whoever leads when it happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    KillOne(usize),
    KillLeader,
    /// All but this one.
    KillTwo(usize),
    KillAll,
    FreezeOne(usize),
    FreezeLeader,
    /// Nothing goes from the one to the other.
    OneWay(usize, usize),
    /// The leader speaks and hears nothing.
    LeaderDeaf,
    /// The leader hears and is not heard.
    LeaderMute,
    TwoWay(usize, usize),
    Isolate(usize),
    IsolateLeader,
    /// Others end the epoch meanwhile.
    Seal,
    /// A store dies while it writes: something lies behind the end of its log.
    TornTail(usize),
    /// Bytes of a store's log change while it is down: it must not start, and say where.
    Damage(usize),
}

/// What a round does: the fault, the moment before it and its length, and whether the log is truncated meanwhile: whoever misses that
/// comes back to a log that begins behind its own end.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    pub fault: Fault,
    pub before: Duration,
    pub length: Duration,
    pub truncates: bool,
}

fn some(random: &Random, below: u64) -> usize {
    usize::try_from(random.below(below)).unwrap()
}

impl Plan {
    /// The plan of a round: the same for the same seed.
    pub fn draw(random: &Random) -> Plan {
        let (one, step) = (some(random, 3), 1 + some(random, 2));
        let other = (one + step) % 3;
        let faults = [
            Fault::KillOne(one),
            Fault::KillLeader,
            Fault::KillTwo(one),
            Fault::KillAll,
            Fault::FreezeOne(one),
            Fault::FreezeLeader,
            Fault::OneWay(one, other),
            Fault::LeaderDeaf,
            Fault::LeaderMute,
            Fault::TwoWay(one, other),
            Fault::Isolate(one),
            Fault::IsolateLeader,
            Fault::Seal,
            Fault::TornTail(one),
            Fault::Damage(one),
        ];
        let fault = faults[some(random, faults.len() as u64)];
        let before = Duration::from_millis(100 + random.below(500));
        let length = Duration::from_millis(match fault {
            Fault::FreezeOne(_) | Fault::FreezeLeader => 1000 + random.below(2000),
            _ => 300 + random.below(2200),
        });
        let truncates = random.below(3) == 0;
        Plan { fault, before, length, truncates }
    }
}

impl Fault {
    /// Its name without the stores it happens to.
    pub fn kind(self) -> String {
        format!("{self:?}").split('(').next().unwrap_or_default().to_owned()
    }

    /// Makes it happen.
    pub async fn strike(self, trio: &mut Trio, load: &Load, random: &Random) -> Result<(), String> {
        if let Fault::Damage(one) = self {
            grown(trio, one).await?;
        }
        let leader = trio.leader().await.unwrap_or(0);
        match self {
            Fault::KillOne(one) | Fault::TornTail(one) | Fault::Damage(one) => trio.stores[one].kill(),
            Fault::KillLeader => trio.stores[leader].kill(),
            Fault::KillTwo(spared) => (0..3).filter(|at| *at != spared).for_each(|at| trio.stores[at].kill()),
            Fault::KillAll => trio.stores.iter_mut().for_each(super::store::Store::kill),
            Fault::FreezeOne(one) => trio.stores[one].freeze(),
            Fault::FreezeLeader => trio.stores[leader].freeze(),
            Fault::OneWay(from, to) => trio.wires.cut(from, to),
            Fault::LeaderDeaf => (0..3).for_each(|from| trio.wires.cut(from, leader)),
            Fault::LeaderMute => (0..3).for_each(|to| trio.wires.cut(leader, to)),
            Fault::TwoWay(one, other) => {
                trio.wires.cut(one, other);
                trio.wires.cut(other, one);
            }
            Fault::Isolate(one) => trio.wires.isolate(one),
            Fault::IsolateLeader => trio.wires.isolate(leader),
            Fault::Seal => load.seal(trio).await,
        }
        match self {
            Fault::TornTail(one) => tear(trio, one, random),
            Fault::Damage(one) => damage(trio, one, random)?,
            _ => {}
        }
        Ok(())
    }
}

/// Something that is no record lies behind the end, as after a write that a crash cut short.
fn tear(trio: &Trio, store: usize, random: &Random) {
    let (path, end) = trio.stores[store].last_segment();
    let room = std::fs::metadata(&path).unwrap().len().saturating_sub(end);
    let mut rest = vec![0; some(random, 2000) + 16];
    random.fill(&mut rest);
    // Records begin at multiples of eight; a full segment has no room for one.
    if room > rest.len() as u64 + 8 {
        overwrite(&path, end.next_multiple_of(8), &rest);
    }
}

/// Bytes in front of which there is something to damage, with records behind it that know it was on disk.
const WRITTEN: u64 = 8 << 10;

/// Waits until enough was written since the last file was begun.
async fn grown(trio: &Trio, store: usize) -> Result<(), String> {
    for _ in 0..200 {
        if trio.stores[store].last_segment().1 >= WRITTEN {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Err(format!("nobody writes to store {store}"))
}

/// Sixteen bytes change where later records say that all before them was on disk.
fn damage(trio: &mut Trio, store: usize, random: &Random) -> Result<(), String> {
    let (path, end) = trio.stores[store].last_segment();
    let place = 512 + random.below(WRITTEN / 2 - 512);
    let sound = bytes_at(&path, place, 16);
    let flipped: Vec<u8> = sound.iter().map(|byte| !byte).collect();
    overwrite(&path, place, &flipped);
    let said = trio.stores[store].start();
    overwrite(&path, place, &sound);
    match said {
        Err(said) if said.contains("is damaged at byte") => Ok(()),
        said => Err(format!("{} was damaged at byte {place} of {end}, and the store said: {said:?}", path.display())),
    }
}

#[test]
fn a_seed_draws_the_same_faults_again_and_in_time_all_of_them() {
    let draw = |random: Random| (0..400).map(|_| Plan::draw(&random).fault).collect::<Vec<_>>();
    let faults = draw(Random::seeded(7));
    assert_eq!(faults, draw(Random::seeded(7)));
    let kinds: std::collections::BTreeSet<String> = faults.iter().map(|fault| fault.kind()).collect();
    assert_eq!(kinds.len(), 15, "{kinds:?}");
}
