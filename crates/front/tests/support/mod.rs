//! A door on a free loopback port, over the two stores of seed 004, and the clients that knock at it.
#![allow(dead_code, reason = "each test file uses its part")]

pub mod certificate;
pub mod client;

use async_trait::async_trait;
use front::{FrontHandle, FrontSettings, LogService, ServiceError, serve};
use log_server::keeper::{Addresses, Heartbeat, Held, Limits, Locality, Role, Setting, State};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub const WEST: &str = "4c4dccb4-4d3c-41f8-b482-5251dc7a41bd";
pub const HOME: &str = "7c4dccb4-4d3c-41f8-b482-5251dc7a41bf";
const LIMITS: Limits = Limits { voters: 1, store_ticks: 3000 };

/// A log service that is one state in memory; the keeper's rule is the real one.
pub struct Memory(pub Mutex<State>);

#[async_trait]
impl LogService for Memory {
    async fn state(&self) -> Result<State, ServiceError> {
        Ok(self.0.lock().unwrap().clone())
    }

    async fn set(&self, setting: Setting) -> Result<(), ServiceError> {
        Ok(self.0.lock().unwrap().set(setting, &LIMITS)?)
    }
}

/// Shard, term, epoch, the voter at home, the learner in the west.
const SHARDS: [(u64, u64, u64, u64, u64); 3] =
    [(0, 2, 1059, 131_072, 262_148), (1, 2, 120, 262_145, 262_149), (3, 2, 12, 262_146, 262_150)];

fn held(west: bool) -> Vec<Held> {
    let one = |(shard, term, epoch, voter, learner): (u64, u64, u64, u64, u64)| {
        let members =
            BTreeMap::from([(voter, (Role::Voter, HOME.to_owned())), (learner, (Role::Learner, WEST.to_owned()))]);
        Held { shard, replica: if west { learner } else { voter }, term, epoch, leader: voter, end: 9, members }
    };
    SHARDS.map(one).into()
}

fn addresses(host: &str, first: u16) -> Addresses {
    let at = |place: u16| format!("{host}:{}", first + place);
    Addresses { raft: at(0), service: at(1), gossip: at(2) }
}

/// What seed 004 shows.
pub fn seed_state() -> State {
    let mut state = State { tick: 974, ..State::default() };
    let (locality, held_home) = (Locality::default(), held(false));
    state.hear(Heartbeat {
        born: 0,
        store: HOME.to_owned(),
        addresses: addresses("0.0.0.0", 32000),
        locality,
        held: held_home,
    });
    state.tick = 975;
    let (locality, held_west) = (Locality::read("region:west"), held(true));
    state.hear(Heartbeat {
        born: 0,
        store: WEST.to_owned(),
        addresses: addresses("127.0.0.1", 32010),
        locality,
        held: held_west,
    });
    state
}

/// An open door; closed when dropped.
pub struct Door {
    pub port: u16,
    pub service: Arc<Memory>,
    shutdown: CancellationToken,
    handle: Option<FrontHandle>,
}

impl Door {
    pub async fn open() -> Door {
        Self::with(FrontSettings::default()).await
    }

    pub async fn with(settings: FrontSettings) -> Door {
        let service = Arc::new(Memory(Mutex::new(seed_state())));
        let (handle, shutdown) = Self::over(service.clone(), settings).await;
        Door { port: handle.address.port(), service, shutdown, handle: Some(handle) }
    }

    pub async fn over(service: Arc<dyn LogService>, settings: FrontSettings) -> (FrontHandle, CancellationToken) {
        let shutdown = CancellationToken::new();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        (serve(listener, service, settings, shutdown.clone()).unwrap(), shutdown)
    }

    /// Closes it and waits for its clients to be gone.
    pub async fn close(mut self) {
        self.shutdown.cancel();
        self.handle.take().unwrap().ended().await;
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}
