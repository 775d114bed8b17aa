//! Writers: each has one append under way and writes down what became of it.

use super::{
    Trio,
    history::{Append, History, Outcome, Seal, payload},
};
use bytes::Bytes;
use log::{Log, LogError, RemoteLog};
use runtime::Random;
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
    },
    time::Duration,
};
use tokio::task::JoinSet;
use types::{Epoch, Lsn};

const WRITERS: u64 = 4;
/// Who asks for the append that must succeed once all is healed.
const PROBE: u64 = 9;

/// All that was asked, from the first round on.
#[derive(Clone, Default)]
pub struct Load {
    history: Arc<Mutex<History>>,
    moment: Arc<AtomicU64>,
    number: Arc<AtomicU64>,
    epoch: Arc<AtomicU64>,
    pub stop: Arc<AtomicBool>,
}

impl Load {
    pub fn new() -> Load {
        Load { epoch: Arc::new(AtomicU64::new(Epoch::FIRST.0)), ..Load::default() }
    }

    pub fn history(&self) -> History {
        self.history.lock().unwrap().clone()
    }

    fn now(&self) -> u64 {
        self.moment.fetch_add(1, SeqCst)
    }

    /// Starts the writers; they end once `stop` is set.
    pub fn start(&self, trio: &Trio, random: &Random) -> JoinSet<()> {
        self.stop.store(false, SeqCst);
        let mut tasks = JoinSet::new();
        for writer in 0..WRITERS {
            let (load, log) = (self.clone(), trio.log(&format!("writer-{writer}")));
            let random = Random::seeded(random.below(u64::MAX));
            tasks.spawn(async move {
                while !load.stop.load(SeqCst) {
                    let _ = load.append(&log, writer, 1 + random.below(5)).await;
                    tokio::time::sleep(Duration::from_millis(random.below(6))).await;
                }
            });
        }
        tasks
    }

    /// One append, written down.
    async fn append(&self, log: &RemoteLog, writer: u64, records: u64) -> Result<Lsn, LogError> {
        let (number, epoch) = (self.number.fetch_add(1, SeqCst), Epoch(self.epoch.load(SeqCst)));
        let payloads = (0..records).map(|at| Bytes::from(payload((writer, number, at)))).collect();
        let begun = self.now();
        let answer = log.append(epoch, payloads).await;
        let outcome = match &answer {
            Ok(last) => Outcome::Taken(*last),
            Err(LogError::Unknown(_)) => Outcome::Unknown,
            Err(LogError::Fenced { current, .. }) => {
                self.epoch.fetch_max(current.0, SeqCst);
                Outcome::Refused
            }
            Err(_) => Outcome::Refused,
        };
        let append = Append { writer, number, records, epoch, begun, ended: self.now(), outcome };
        self.history.lock().unwrap().appends.push(append);
        answer
    }

    /// Appends until it succeeds: true within a quarter of a minute.
    pub async fn probe(&self, trio: &Trio) -> bool {
        let log = trio.log("probe");
        let tries = async { while self.append(&log, PROBE, 1).await.is_err() {} };
        tokio::time::timeout(Duration::from_secs(15), tries).await.is_ok()
    }

    /// Two who hear of nobody end the epoch in force at once.
    pub async fn seal(&self, trio: &Trio) {
        let epoch = Epoch(self.epoch.load(SeqCst));
        let (one, other) = (trio.log("sealer-1"), trio.log("sealer-2"));
        tokio::join!(self.seal_by(&one, epoch), self.seal_by(&other, epoch));
    }

    async fn seal_by(&self, log: &RemoteLog, epoch: Epoch) {
        let begun = self.now();
        if let Ok(sealed) = log.seal(epoch).await {
            let (next, end, first) = (sealed.epoch, sealed.end, sealed.first);
            let seal = Seal { epoch, next, end, first, begun, ended: self.now() };
            self.history.lock().unwrap().seals.push(seal);
        }
    }
}
