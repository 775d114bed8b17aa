//! Three log stores, each a process of its own, that reach each other over ways that can be cut.

pub mod fault;
pub mod history;
pub mod load;
pub mod store;
pub mod wires;

use history::{Found, id_of};
use log::{Connect, Log, LogError, Most, RemoteLog, Servers};
use log_server::affairs::{Answer, KeeperClient, Question, Tale};
use std::{net::TcpListener, path::PathBuf, sync::Arc, time::Duration};
use store::Store;
use types::Lsn;
use wires::Wires;

const NAMES: [&str; 3] = [
    "7c4dccb4-4d3c-41f8-b482-5251dc7a4101",
    "7c4dccb4-4d3c-41f8-b482-5251dc7a4102",
    "7c4dccb4-4d3c-41f8-b482-5251dc7a4103",
];
/// The log under test.
pub const SHARD: u64 = 1;

/// The stores and all between them.
pub struct Trio {
    pub stores: Vec<Store>,
    pub wires: Wires,
    /// Where clients reach the stores.
    services: Vec<String>,
    folder: Option<tempfile::TempDir>,
}

/// A port nobody listens on, of those the system gives nobody by itself: a store's port must be free while the store is down.
fn quiet_port(taken: &mut Vec<u16>) -> u16 {
    let first = u16::try_from(std::process::id() % 20_000).unwrap() + 10_000;
    let free = |port: &u16| !taken.contains(port) && TcpListener::bind(("127.0.0.1", *port)).is_ok();
    let port = (first..32_000).chain(10_000..first).find(free).unwrap();
    taken.push(port);
    port
}

impl Trio {
    /// Starts them; a cluster is founded soon after.
    pub async fn start() -> Trio {
        let folder = tempfile::tempdir().unwrap();
        let wires = Wires::new(NAMES.map(str::to_owned));
        let (mut taken, mut listen, mut told) = (Vec::new(), Vec::new(), Vec::new());
        for store in 0..3 {
            let doors = [(); 3].map(|()| format!("127.0.0.1:{}", quiet_port(&mut taken)));
            let mut before = Vec::new();
            for door in &doors {
                before.push(wires.before(store, door).await);
            }
            told.push(before);
            listen.push(doors);
        }
        let services = told.iter().map(|doors| doors[1].clone()).collect();
        let stores = (0..3).map(|at| Store::new(folder.path(), at, &listen[at], &told)).collect();
        let mut trio = Trio { stores, wires, services, folder: Some(folder) };
        for store in &mut trio.stores {
            store.start().unwrap();
        }
        trio
    }

    /// The log, as a client of this name has it.
    pub fn log(&self, name: &str) -> RemoteLog {
        self.patient_log(name, Duration::from_secs(2))
    }

    fn patient_log(&self, name: &str, attempt: Duration) -> RemoteLog {
        let patience = attempt * 5 / 2;
        let how = Connect { name: name.to_owned(), patience, attempt, ..Connect::default() };
        RemoteLog::new(Arc::new(Servers::new(self.services.clone(), how)), SHARD)
    }

    /// What a store tells of its copy of the log; nothing if it does not answer.
    async fn tale(&self, store: usize) -> Option<Tale> {
        let attempt = Duration::from_millis(500);
        let how = Connect { name: "asker".to_owned(), attempt, ..Connect::default() };
        let client = KeeperClient::new(Vec::new(), how);
        let Ok(Answer::Told(tales)) = client.ask_at(&self.stores[store].door, &Question::Told).await else {
            return None;
        };
        tales.into_iter().find(|tale| tale.shard == SHARD)
    }

    /// The store that leads, if one says so.
    pub async fn leader(&self) -> Option<usize> {
        let mut leads = Vec::new();
        for store in 0..3 {
            let tale = self.tale(store).await;
            leads.extend(tale.filter(|tale| tale.leader == tale.replica).map(|tale| (tale.term, store)));
        }
        leads.into_iter().max().map(|(_, store)| store)
    }

    /// Waits until all stores stand at the same place.
    pub async fn agreed(&self) -> Result<u64, String> {
        let mut seen = Vec::new();
        for _ in 0..150 {
            seen.clear();
            for store in 0..3 {
                seen.push(self.tale(store).await.map(|tale| (tale.end, tale.epoch)));
            }
            if let Some((end, _)) = seen[0].filter(|_| seen.windows(2).all(|pair| pair[0] == pair[1])) {
                return Ok(end);
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Err(format!("the stores do not come to stand at one place: {seen:?}"))
    }

    /// All that lies behind a place, as far as it was agreed on when this was asked; where to read on.
    pub async fn read(&self, from: Lsn) -> Result<(Vec<Found>, Lsn), LogError> {
        // Much is read at once, on a machine that may have more to do.
        let log = self.patient_log("reader", Duration::from_secs(12));
        let end = log.positions().await?.end;
        let (mut next, mut found) = (from, Vec::new());
        while next <= end {
            let batch = log.read(next, Most::default()).await?;
            found.extend(batch.records.iter().filter(|record| record.lsn <= end).map(|record| Found {
                lsn: record.lsn,
                epoch: record.epoch,
                id: id_of(&record.payload),
            }));
            if batch.next == next {
                // Whoever was asked may know less than whoever said where the end is.
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            next = batch.next;
        }
        Ok((found, end.next()))
    }

    /// All that ran goes on: processes that were frozen or killed, ways that were cut.
    pub fn heal(&mut self) -> Result<(), String> {
        self.wires.mend();
        self.stores.iter().for_each(Store::thaw);
        self.stores.iter_mut().try_for_each(Store::start)
    }

    /// Keeps the folder for whoever looks for a cause.
    pub fn keep(&mut self) -> PathBuf {
        let folder = self.folder.take().map(tempfile::TempDir::keep).unwrap_or_default();
        self.stores.iter_mut().for_each(Store::kill);
        folder
    }
}
