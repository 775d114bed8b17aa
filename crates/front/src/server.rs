//! Listening, and ending.

use crate::session::{Room, Session};
use crate::{FrontSettings, LogService, check_bind};
use runtime::Random;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use types::{Code, Failure};
use wire::{ErrorAnswer, Plugin, Settings};

/// What clients take us for, and behind it what we are.
const VERSION: &str = concat!("8.0.30-MatrixOne-v", env!("CARGO_PKG_VERSION"));
/// Rest after a failed accept: where there are no more files to be had, trying again at once would only burn.
const REST: Duration = Duration::from_millis(100);

/// An open door.
#[derive(Debug)]
pub struct FrontHandle {
    /// Where it really listens (the port that 0 became).
    pub address: SocketAddr,
    task: JoinHandle<()>,
}

impl FrontHandle {
    /// Waits until it is closed, which it is once its shutdown token is cancelled and its clients are gone.
    pub async fn ended(self) {
        let _ = self.task.await;
    }
}

/// Answers clients until `shutdown` is cancelled; runs on the tokio runtime it is called on. 1001 if others could come in with a password
/// everybody knows.
pub fn serve(
    listener: TcpListener,
    service: Arc<dyn LogService>,
    settings: FrontSettings,
    shutdown: CancellationToken,
) -> Result<FrontHandle, Failure> {
    let address = listener.local_addr().map_err(|error| deaf(&error))?;
    check_bind(address, &settings.accounts)?;
    if !address.ip().to_canonical().is_loopback() && settings.tls.is_none() {
        tracing::warn!(%address, "what is asked and answered crosses the network in clear: give the SQL door a certificate");
    }
    tracing::info!(%address, tls = settings.tls.is_some(), "SQL listening");
    let (accounts, version) = (Arc::new(settings.accounts.clone()), VERSION.to_owned());
    let room = Room { service, accounts, version, answer_limit: settings.answer_limit };
    let places = Arc::new(Semaphore::new(settings.connections));
    let door = Door { listener, room, settings, places, clients: TaskTracker::new(), shutdown };
    Ok(FrontHandle { address, task: tokio::spawn(door.run()) })
}

fn deaf(error: &std::io::Error) -> Failure {
    let next = "give the SQL door a listener that is bound";
    Failure::new(Code::InvalidArgument, format!("the SQL door has nothing to listen on: {error}"), next)
        .with("field", "sql")
}

/// The door and who is behind it.
struct Door {
    listener: TcpListener,
    room: Room,
    settings: FrontSettings,
    places: Arc<Semaphore>,
    clients: TaskTracker,
    shutdown: CancellationToken,
}

impl Door {
    async fn run(self) {
        let mut connection_id = 0_u32;
        while let Some(accepted) = self.shutdown.run_until_cancelled(self.listener.accept()).await {
            match accepted {
                Ok((stream, peer)) => {
                    connection_id = connection_id.wrapping_add(1);
                    self.greet(stream, peer, connection_id);
                }
                Err(error) => {
                    tracing::warn!(%error, "a client could not come in");
                    tokio::time::sleep(REST).await;
                }
            }
        }
        self.clients.close();
        self.clients.wait().await;
    }

    fn greet(&self, stream: TcpStream, peer: SocketAddr, connection_id: u32) {
        // Small packets back and forth: waiting to fill one up would cost 40 ms each.
        let _ = stream.set_nodelay(true);
        let shutdown = self.shutdown.clone();
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            let full = ErrorAnswer::new(1040, "08004", "Too many connections");
            self.clients.spawn(shutdown.run_until_cancelled_owned(async move { wire::turn_away(stream, &full).await }));
            return;
        };
        let settings = self.opening(connection_id);
        let host = peer.ip().to_canonical().to_string();
        let mut session = Session { room: self.room.clone(), host, connection_id };
        self.clients.spawn(shutdown.run_until_cancelled_owned(async move {
            if let Err(error) = wire::serve(stream, &settings, &mut session).await {
                tracing::info!(%peer, %error, "a client's connection ended");
            }
            drop(place);
        }));
    }

    /// Asks for `mysql_native_password` first: every client since 4.1 has heard of it, if only to offer something better.
    fn opening(&self, connection_id: u32) -> Settings {
        let mut nonce = [0; 20];
        Random::secret(&mut nonce);
        let settings = Settings::new(self.room.version.clone(), connection_id, nonce);
        let (tls, require_tls) = (self.settings.tls.clone(), self.settings.require_tls);
        Settings { plugin: Plugin::Native, idle_limit: self.settings.idle_limit, tls, require_tls, ..settings }
    }
}
