//! Servers that only pretend: old dialects that cannot be had, and fleets too large to start. They speak the real
//! protocol on loopback and answer from a script; what is not in it is 1064, as an unknown spelling is.

mod dialect;
mod fleet;
mod script;

pub use dialect::Dialect;
pub use fleet::{FakeFleet, FakeNode};
pub use script::Script;

use crate::{PASSWORD, USER};
use runtime::Random;
use std::sync::Arc;
use tokio::{net::TcpListener, task::JoinHandle};
use types::{Address, Secret};
use wire::{Answer, Client, Credential, Handler, Plugin, Settings, Value};

/// One pretending server; gone when dropped.
pub struct Fake {
    address: Address,
    task: JoinHandle<()>,
}

impl Fake {
    /// Answers from `script` on a free port.
    pub async fn start(script: Script) -> Fake {
        Self::serve(Self::bind().await, script)
    }

    /// A listener on a free loopback port, for scripts that must know their own address.
    pub(crate) async fn bind() -> TcpListener {
        TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port")
    }

    pub(crate) fn serve(listener: TcpListener, script: Script) -> Fake {
        let port = listener.local_addr().expect("a bound socket has an address").port();
        let task = tokio::spawn(accept(listener, Arc::new(script)));
        Fake { address: Address::new("127.0.0.1", port), task }
    }

    /// Loopback address.
    pub fn address(&self) -> Address {
        self.address.clone()
    }

    /// Address and the account every fake knows.
    pub fn endpoint(&self) -> mysql::Endpoint {
        mysql::Endpoint::new(self.address(), USER, Secret::new(PASSWORD))
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, script: Arc<Script>) {
    let (random, mut connection_id) = (Random::real(), 0);
    while let Ok((stream, _)) = listener.accept().await {
        connection_id += 1;
        let mut nonce = [0; 20];
        random.fill(&mut nonce);
        let settings = Settings::new(script.version(), connection_id, nonce);
        let settings = Settings { plugin: script.plugin, max_packet: 1 << 20, ..settings };
        let mut actor = Actor(script.clone());
        tokio::spawn(async move { wire::serve(stream, &settings, &mut actor).await });
    }
}

struct Actor(Arc<Script>);

impl Handler for Actor {
    fn credential(&self, user: &str) -> Option<Credential> {
        (user == USER).then(|| Credential::of(&Secret::new(PASSWORD)))
    }

    async fn query(&mut self, _: &mut Client, sql: &str, _: &[Value]) -> Answer {
        tokio::time::sleep(self.0.delay).await;
        self.0.answer(sql)
    }
}

/// Which proof an engine of that version asks for first.
pub(crate) fn plugin_of(version: &str) -> Plugin {
    let old = version.starts_with("5.") || version.to_ascii_lowercase().contains("mariadb");
    if old { Plugin::Native } else { Plugin::CachingSha2 }
}
