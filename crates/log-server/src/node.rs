//! A log store as a program runs it: its doors, its thread, its part in the keeper, its beating heart.
//!
//! ```text
//!   start ─▶ meet the others ─▶ found the cluster, or join it ─▶ beat: tell the keeper what is, do what it orders
//!                                                                 └─ where shard 0 lies: follow its records; where it leads: answer
//! ```

mod desk;
mod founding;
mod heart;
mod mind;

use crate::{
    Directory, Disk, Entries, Hand, Identity, Service, StorageError, Store, StoreEntry, StoreOptions, Transport, drive,
    keeper::{Addresses, Locality, Wanted},
};
pub use founding::Founding;
use heart::Heart;
use mind::Mind;
use runtime::{Clock, Random};
use std::{
    fs::{File, TryLockError},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
    thread::JoinHandle,
    time::Duration,
};
use tokio::{net::TcpListener, sync::watch};

/// Where a store listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listen {
    /// For other stores.
    pub raft: String,
    /// For clients.
    pub service: String,
    /// For whoever looks for the cluster.
    pub gossip: String,
}

/// How often things happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// A tick of agreement.
    pub beat: Duration,
    /// The store tells the keeper what is.
    pub heartbeat: Duration,
    /// The keeper compares.
    pub check: Duration,
    /// Others are met.
    pub probe: Duration,
    /// Ticks of the keeper in a second.
    pub ticks_per_second: u64,
}

impl Default for Pace {
    fn default() -> Self {
        Pace {
            beat: Duration::from_millis(100),
            heartbeat: Duration::from_secs(1),
            check: Duration::from_secs(3),
            probe: Duration::from_secs(5),
            ticks_per_second: 10,
        }
    }
}

/// What a store is made of.
#[derive(Clone)]
pub struct NodeOptions {
    /// Who it is.
    pub identity: Identity,
    /// Where others reach it.
    pub addresses: Addresses,
    /// Where it listens.
    pub listen: Listen,
    /// Where its data is.
    pub folder: PathBuf,
    /// Where it stands.
    pub locality: Locality,
    /// Of its shards.
    pub store: StoreOptions,
    /// How often.
    pub pace: Pace,
    /// Any addresses of others, to begin with.
    pub seeds: Vec<String>,
    /// How it begins a cluster, if it may.
    pub founding: Option<Founding>,
}

/// Why a store does not start.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// Its data cannot be used.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// A door cannot be opened.
    #[error(
        "{what} {address} cannot be listened on: {source}; is another process there? Change the address or end that process"
    )]
    Door {
        /// Which.
        what: &'static str,
        /// Where.
        address: String,
        /// What the system said.
        source: io::Error,
    },
    /// Somebody else works on its data.
    #[error(
        "{0} is in use by another process: two stores on one data directory would destroy it; end the other one first"
    )]
    InUse(PathBuf),
    /// The lock cannot be had for another reason, or the thread not be started.
    #[error("{path}: {source}")]
    System {
        /// The file, or what was tried.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// A store that runs. It ends when this is dropped and its tasks are.
pub struct Node {
    /// Its thread.
    pub hand: Hand,
    /// Whom it knows.
    pub directory: Directory,
    mind: Arc<Mind>,
    refused: watch::Receiver<Option<String>>,
    tasks: tokio::task::JoinSet<()>,
    thread: Option<JoinHandle<()>>,
    _lock: File,
}

impl Node {
    /// Starts a store; it is up once this returns, and finds its place afterwards.
    pub async fn start(
        options: NodeOptions,
        disk: Arc<dyn Disk>,
        clock: Clock,
        random: Random,
    ) -> Result<Node, NodeError> {
        let lock = lock(&options.folder)?;
        let doors = [
            door("raft-address", &options.listen.raft).await?,
            door("logservice-address", &options.listen.service).await?,
            door("gossip-address", &options.listen.gossip).await?,
        ];
        let owner = (options.identity.cluster, &*options.identity.store);
        let store = Store::open(Arc::clone(&disk), &options.folder, owner, options.store, random)?;
        let (book, directory) = (store.book().clone(), Directory::with(known(&options.folder)));
        directory.put(&book.store, StoreEntry { born: book.born, addresses: options.addresses.clone() });
        let transport = Transport::new(options.identity.clone(), directory.clone());
        let failed = |source| NodeError::System { path: "starting a thread".into(), source };
        let (hand, thread) = drive(store, disk, options.pace.beat, clock, transport.post()).map_err(failed)?;
        transport.attach(hand.clone());
        let mind = Arc::new(Mind::new(hand.clone(), clock, options.pace));
        let (refuse, refused) = watch::channel(None);
        let heart = Heart::new(options.clone(), book, hand.clone(), directory.clone(), Arc::clone(&mind), refuse);
        let control = Arc::new(desk::Desk::new(&heart));
        let (identity, own, whom) = (options.identity, hand.clone(), directory.clone());
        let service = Service { identity, hand: own, directory: whom, control };
        let mut tasks = tokio::task::JoinSet::new();
        for listener in doors {
            tasks.spawn(service.clone().serve(listener));
        }
        tasks.spawn(Arc::clone(&mind).follow());
        tasks.spawn(Arc::clone(&mind).keep());
        tasks.spawn(heart.run());
        Ok(Node { hand, directory, mind, refused, tasks, thread: Some(thread), _lock: lock })
    }

    /// Waits until it works no more, and says why: its disk failed, or the cluster will not have it.
    pub fn ended(&self) -> impl Future<Output = String> + Send + use<> {
        let (mut refused, hand) = (self.refused.clone(), self.hand.clone());
        async move {
            tokio::select! {
                why = hand.stopped() => why,
                said = refused.wait_for(Option::is_some) => said.ok().and_then(|said| said.clone()).unwrap_or_default(),
            }
        }
    }

    /// What the keeper knows, as far as this store heard; nothing if it holds none of shard 0.
    pub fn keeper(&self) -> crate::keeper::State {
        self.mind.state()
    }

    /// Ends it in good order: nothing is asked of it any more, all is on disk, its folder is free.
    pub async fn stop(mut self) {
        self.tasks.shutdown().await;
        self.hand.leave();
        if let Some(thread) = self.thread.take() {
            let _ = tokio::task::spawn_blocking(move || thread.join()).await;
        }
    }
}

impl Drop for Node {
    /// The folder is let go of only once nobody writes to it any more.
    fn drop(&mut self) {
        self.hand.leave();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// One process a folder.
fn lock(folder: &Path) -> Result<File, NodeError> {
    let path = folder.join("LOCK");
    let failed = |source| NodeError::System { path: path.clone(), source };
    std::fs::create_dir_all(folder).map_err(failed)?;
    let file = File::create(&path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(NodeError::InUse(folder.to_owned())),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

async fn door(what: &'static str, address: &str) -> Result<TcpListener, NodeError> {
    let failed = |source| NodeError::Door { what, address: address.to_owned(), source };
    TcpListener::bind(address).await.map_err(failed)
}

const KNOWN: &str = "directory.json";

/// Whom this store knew when it last ran: after a power cut of all, nobody is there to ask.
fn known(folder: &Path) -> Entries {
    let text = std::fs::read(folder.join(KNOWN)).unwrap_or_default();
    serde_json::from_slice(&text).unwrap_or_default()
}

/// Keeps it. What is lost of it others will tell again.
fn keep(folder: &Path, entries: &Entries) {
    let draft = folder.join("directory.json.draft");
    let text = serde_json::to_vec_pretty(entries).unwrap_or_default();
    let written = File::create(&draft).and_then(|mut file| {
        file.write_all(&text)?;
        file.sync_all()?;
        std::fs::rename(&draft, folder.join(KNOWN))?;
        File::open(folder)?.sync_all()
    });
    if let Err(error) = written {
        tracing::warn!("{}: {error}", draft.display());
    }
}

/// How this store asks others.
fn connect(identity: &Identity) -> log::Connect {
    let (cluster, name, tls) = (Some(identity.cluster), identity.store.to_string(), identity.tls.clone());
    let (patience, attempt) = (Duration::from_secs(5), Duration::from_secs(2));
    log::Connect { cluster, name, tls, patience, attempt }
}

/// What a new cluster is to have, from its founder.
pub(crate) fn wanted(founding: Option<&Founding>) -> Option<Wanted> {
    founding.map(|founding| founding.wanted.clone())
}
