//! The keeper's mind: its state, made of the records of shard 0, and the one way to add to them.

use super::{Pace, founding::KEEPER};
use crate::{
    Hand, LocalLog, Tip,
    keeper::{Event, SettingError, State, Wanted, What},
};
use log::{Log, LogError, Most};
use runtime::{Clock, Instant};
use std::{
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};
use tokio::sync::{Mutex as Turn, watch};
use types::{Epoch, Lsn};

/// Records after which all of it is written down at once, so that the log can be cut.
const BETWEEN: u64 = 500;
/// Between two looks for a replica of the keeper's shard.
const LOOK: Duration = Duration::from_millis(100);
/// Limit for a record to be seen once it was agreed on.
const SEEN: Duration = Duration::from_secs(5);

/// What a store that holds the keeper's shard knows.
pub(super) struct Mind {
    hand: Hand,
    clock: Clock,
    pace: Pace,
    kept: Mutex<Kept>,
    /// The place of the last record that was taken in.
    seen: watch::Sender<Lsn>,
    /// Records are added one by one; with when the last was, and in which term.
    turn: Turn<Option<(Instant, u64)>>,
    wanted: OnceLock<Wanted>,
}

#[derive(Default)]
struct Kept {
    state: State,
    last: Lsn,
    since_whole: u64,
    /// The last setting that was refused, and where.
    forbidden: Option<(Lsn, SettingError)>,
}

impl Mind {
    pub fn new(hand: Hand, clock: Clock, pace: Pace) -> Mind {
        let (kept, seen) = (Mutex::default(), watch::channel(Lsn::ZERO).0);
        Mind { hand, clock, pace, kept, seen, turn: Turn::new(None), wanted: OnceLock::new() }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn state(&self) -> State {
        self.kept().state.clone()
    }

    /// Asks something of the state without copying it.
    pub fn with<T>(&self, ask: impl FnOnce(&State) -> T) -> T {
        ask(&self.kept().state)
    }

    /// What the cluster is to have, should this store be the one to begin it.
    pub fn want(&self, wanted: Wanted) {
        let _ = self.wanted.set(wanted);
    }

    /// Where the keeper's shard stands here, if this store holds it.
    pub async fn tip(&self) -> Option<Tip> {
        let tip = self.hand.watch(KEEPER).await.ok()?;
        Some(*tip.borrow())
    }

    /// Takes in the records of shard 0, for as long as it is polled.
    pub async fn follow(self: Arc<Self>) {
        let mut next = Lsn::ZERO;
        loop {
            let Ok(mut tip) = self.hand.watch(KEEPER).await else {
                tokio::time::sleep(LOOK).await;
                continue;
            };
            loop {
                match self.hand.read(KEEPER, next, Most::default()).await {
                    Ok(batch) if batch.records.is_empty() => {
                        next = batch.next;
                        self.seen.send_modify(|seen| *seen = (*seen).max(Lsn(next.0.saturating_sub(1))));
                        if tip.changed().await.is_err() {
                            break;
                        }
                    }
                    Ok(batch) => {
                        batch.records.iter().for_each(|record| self.take(record));
                        next = batch.next;
                    }
                    Err(LogError::Truncated { truncated, .. }) => {
                        // What is left begins with all of it.
                        *self.kept() = Kept::default();
                        next = truncated.next();
                    }
                    Err(_) => {
                        tokio::time::sleep(LOOK).await;
                        break;
                    }
                }
            }
        }
    }

    fn take(&self, record: &log::Record) {
        let mut kept = self.kept();
        if let Some(event) = Event::read(&record.payload) {
            let last = kept.last;
            let counts = matches!(&event.what, What::Whole(at, _) if *at == last || last == Lsn::ZERO);
            kept.since_whole = if counts { 0 } else { kept.since_whole + 1 };
            if let Err(why) = kept.state.apply(&event, last) {
                kept.forbidden = Some((record.lsn, why));
            }
        }
        kept.last = record.lsn;
        drop(kept);
        self.seen.send_replace(record.lsn);
    }

    /// Adds a record, waits until it was taken in, and tells what the rule of settings said. Only where the keeper's shard leads.
    pub async fn happen(&self, what: What) -> Result<Result<(), SettingError>, LogError> {
        let mut turn = self.turn.lock().await;
        let term = self.tip().await.map_or(0, |tip| tip.term);
        let ticks = self.ticks(turn.filter(|(_, then)| *then == term).map(|(last, _)| last));
        let lsn = self.add(Event { ticks, what }).await?;
        *turn = Some((self.clock.instant(), term));
        let forbidden = self.kept().forbidden.take().filter(|(at, _)| *at == lsn);
        Ok(forbidden.map_or(Ok(()), |(_, why)| Err(why)))
    }

    /// Ticks since the last record of ours; a leader that is new does not know how long nobody led.
    fn ticks(&self, last: Option<Instant>) -> u64 {
        let millis = last.map_or(0, |last| self.clock.since(last).as_millis());
        // Rounded, so that many short spans add up to a long one.
        let ticks = (millis * u128::from(self.pace.ticks_per_second) + 500) / 1000;
        u64::try_from(ticks).unwrap_or(0).min(60 * self.pace.ticks_per_second)
    }

    async fn add(&self, event: Event) -> Result<Lsn, LogError> {
        let log = LocalLog::new(self.hand.clone(), KEEPER);
        let appended = tokio::time::timeout(SEEN, log.append(Epoch::FIRST, vec![event.bytes()])).await;
        let lsn = appended.map_err(|_| LogError::Unknown("no majority agreed on it in time".to_owned()))??;
        let mut seen = self.seen.subscribe();
        let waited = tokio::time::timeout(SEEN, seen.wait_for(|seen| *seen >= lsn)).await;
        waited.map_err(|_| LogError::Unknown("the keeper does not follow its log".to_owned())).map(|_| lsn)
    }

    /// Waits until everything up to a place was taken in, as far as it holds records.
    pub async fn reach(&self, place: Lsn) {
        let mut seen = self.seen.subscribe();
        let _ = tokio::time::timeout(SEEN, seen.wait_for(|seen| *seen >= place)).await;
    }

    /// What must be done now and then where the keeper's shard leads: begin, compare, cut the log.
    pub async fn keep(self: Arc<Self>) {
        let (pause, mut since) = (LOOK.min(self.pace.check), Duration::ZERO);
        loop {
            tokio::time::sleep(pause).await;
            since += pause;
            if self.tip().await.is_some_and(|tip| tip.leads) {
                let _ = self.begin().await;
                if since >= self.pace.check {
                    since = Duration::ZERO;
                    let _ = self.duties().await;
                }
            }
        }
    }

    /// A new cluster is told at once what it is to have.
    async fn begin(&self) -> Result<(), LogError> {
        if let Some(wanted) = self.wanted.get().filter(|_| self.with(|state| state.wanted.is_none())) {
            let _ = self.happen(What::Begin(wanted.clone())).await?;
        }
        Ok(())
    }

    async fn duties(&self) -> Result<(), LogError> {
        let _ = self.happen(What::Check).await?;
        if self.kept().since_whole >= BETWEEN { self.cut().await } else { Ok(()) }
    }

    /// Writes all of it down, and lets go of what lay before, if nothing came in between.
    async fn cut(&self) -> Result<(), LogError> {
        let _turn = self.turn.lock().await;
        let (at, state) = {
            let kept = self.kept();
            (kept.last, Box::new(kept.state.clone()))
        };
        let lsn = self.add(Event { ticks: 0, what: What::Whole(at, state) }).await?;
        if self.kept().since_whole == 0 {
            LocalLog::new(self.hand.clone(), KEEPER).truncate(Lsn(lsn.0 - 1)).await?;
        }
        Ok(())
    }
}
