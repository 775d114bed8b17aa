//! Rounds of faults on three log stores that must cost nothing that was acknowledged. `LOG_ROUNDS=200 LOG_SEED=7` plays more, or the same.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops loudly where it stands")]

mod trio;

use log::Log;
use runtime::{Clock, Random};
use std::{collections::BTreeMap, sync::atomic::Ordering::SeqCst, time::Duration};
use trio::{Trio, fault::Plan, history::Found, load::Load};
use types::Lsn;

/// Rounds between two in which the log is read again from its begin.
const AGAIN: u64 = 10;

/// What was read so far, from where it can be read again, and where to read on.
struct Ledger {
    log: Vec<Found>,
    begin: Lsn,
    next: Lsn,
}

/// Limit for reading and truncating while a fault lasts.
const MEANWHILE: Duration = Duration::from_millis(1500);

fn setting(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_fault_costs_what_was_acknowledged() {
    let (rounds, seed) = (setting("LOG_ROUNDS", 3), setting("LOG_SEED", 34));
    let (mut trio, load) = (Trio::start().await, Load::new());
    let (mut ledger, mut kinds) =
        (Ledger { log: Vec::new(), begin: Lsn(1), next: Lsn(1) }, BTreeMap::<String, u64>::new());
    let mut longest = Duration::ZERO;
    assert!(begun(&trio, &load).await, "no cluster was founded: {}", trio.stores[0].said());
    for round in 1..=rounds {
        let random = Random::seeded(seed.wrapping_mul(1_000_003).wrapping_add(round));
        let plan = Plan::draw(&random);
        let played = play(&mut trio, &load, plan, &random, &mut ledger, round % AGAIN == 0).await;
        let took = played.unwrap_or_else(|why| {
            fail(&mut trio, &load, &format!("seed {seed}, round {round}, {plan:?}: {why}"));
        });
        *kinds.entry(plan.fault.kind()).or_default() += 1;
        longest = longest.max(took);
        eprintln!("round {round}: {:?}: healed after {took:?}, {} so far", plan.fault, load.history().sums());
    }
    if let Err(why) = copies_agree(&mut trio, &ledger).await {
        fail(&mut trio, &load, &format!("seed {seed}, after {rounds} rounds: {why}"));
    }
    eprintln!("seed {seed}, {rounds} rounds {kinds:?}: {}, 0 lost", load.history().sums());
    eprintln!("the longest way back to an append after all was healed: {longest:?}");
}

fn fail(trio: &mut Trio, load: &Load, why: &str) -> ! {
    let folder = trio.keep();
    std::fs::write(folder.join("history.txt"), format!("{:#?}", load.history())).unwrap();
    let said: Vec<String> = trio.stores.iter().map(trio::store::Store::last_said).collect();
    panic!("{why}\nkept in {}\n{}", folder.display(), said.join("\n---\n"));
}

/// Founding takes some heartbeats.
async fn begun(trio: &Trio, load: &Load) -> bool {
    for _ in 0..4 {
        if load.probe(trio).await {
            return true;
        }
    }
    false
}

async fn play(
    trio: &mut Trio,
    load: &Load,
    plan: Plan,
    random: &Random,
    ledger: &mut Ledger,
    again: bool,
) -> Result<Duration, String> {
    let mut writers = load.start(trio, random);
    tokio::time::sleep(plan.before).await;
    plan.fault.strike(trio, load, random).await?;
    tokio::time::sleep(plan.length / 2).await;
    if plan.truncates {
        ledger.truncate(trio).await;
    }
    tokio::time::sleep(plan.length / 2).await;
    if let Some(fallen) = (0..3).find(|at| trio.stores[*at].fell()) {
        return Err(format!("store {fallen} ended by itself"));
    }
    trio.heal()?;
    let (clock, healed) = (Clock::real(), Clock::real().instant());
    let taken = load.probe(trio).await;
    let took = clock.since(healed);
    load.stop.store(true, SeqCst);
    while let Some(writer) = writers.join_next().await {
        writer.map_err(|error| error.to_string())?;
    }
    if !taken {
        return Err("nothing was taken within 15 seconds after all was healed".to_owned());
    }
    judge(trio, load, ledger, again).await?;
    Ok(took)
}

/// Reads what is new, or all again, and holds the whole log against the whole history.
async fn judge(trio: &Trio, load: &Load, ledger: &mut Ledger, again: bool) -> Result<(), String> {
    let history = load.history();
    ledger.read(trio, again).await?;
    let faults = history.faults(&ledger.log);
    let first: Vec<&String> = faults.iter().take(10).collect();
    if faults.is_empty() { Ok(()) } else { Err(format!("{} faults: {first:#?}", faults.len())) }
}

impl Ledger {
    async fn read(&mut self, trio: &Trio, again: bool) -> Result<(), String> {
        let from = if again { self.begin } else { self.next };
        let (mut new, next) = trio.read(from).await.map_err(|error| format!("it cannot be read: {error}"))?;
        let known = self.log.partition_point(|found| found.lsn < from);
        if !new.starts_with(&self.log[known..]) {
            return Err("what was read before is not read again".to_owned());
        }
        self.log.truncate(known);
        self.log.append(&mut new);
        self.next = next;
        Ok(())
    }

    /// Lets go of all that was read, if there is a majority to do so.
    async fn truncate(&mut self, trio: &Trio) {
        let read = tokio::time::timeout(MEANWHILE, trio.read(self.next)).await;
        if let Ok(Ok((mut new, next))) = read {
            self.log.append(&mut new);
            self.next = next;
            // Whatever becomes of it: from here on it can be read.
            self.begin = next;
            let through = Lsn(next.0 - 1);
            let _ = tokio::time::timeout(MEANWHILE, trio.log("truncator").truncate(through)).await;
        }
    }
}

/// The files of all three stores say the same, entry by entry, and what is read is what they say.
async fn copies_agree(trio: &mut Trio, ledger: &Ledger) -> Result<(), String> {
    let end = trio.agreed().await?;
    tokio::time::sleep(Duration::from_millis(500)).await;
    trio.stores.iter_mut().for_each(trio::store::Store::kill);
    let last = ledger.log.last().map_or(0, |found| found.lsn.0);
    let copies: Vec<_> = trio.stores.iter().map(|store| store.entries(ledger.begin.0)).collect();
    let length = copies.iter().map(Vec::len).min().unwrap_or(0);
    if copies.iter().any(|copy| copy[..length] != copies[0][..length]) {
        return Err("the stores hold different entries".to_owned());
    }
    let reached = copies[0].get(length.saturating_sub(1)).map_or(0, |entry| entry.index);
    if reached < last {
        return Err(format!("all stores agree up to {reached} of {end}, and {last} was acknowledged"));
    }
    Ok(())
}
