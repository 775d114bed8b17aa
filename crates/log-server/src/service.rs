//! The door clients come in by: one task a connection, many questions at once.

mod request;

use crate::{Directory, Hand, Identity, transport};
use async_trait::async_trait;
use bytes::Bytes;
use futures::{FutureExt, StreamExt, stream::FuturesUnordered};
use log::net::{AnyStream, Inlet, Outlet, Purpose, Reply, Request, read, receive, write};
use request::Desk;
use std::{io, sync::Arc, time::Duration};
use tokio::net::{TcpListener, TcpStream};

/// Questions of one connection under way, at most.
const AT_ONCE: usize = 1024;
/// Limit for whoever calls to say who they are.
const GREETING: Duration = Duration::from_secs(5);

/// What is asked and answered as JSON: the cluster's own affairs.
#[async_trait]
pub trait Control: Send + Sync {
    /// Answers one question.
    async fn control(&self, body: Bytes) -> Bytes;

    /// Where a shard that this store holds nothing of is led, if that can be found out.
    async fn leader(&self, shard: u64) -> Option<String>;
}

/// What clients are served with.
#[derive(Clone)]
pub struct Service {
    /// Who this store is.
    pub identity: Identity,
    /// The store.
    pub hand: Hand,
    /// Where others are, for whoever must ask them.
    pub directory: Directory,
    /// The cluster's own affairs.
    pub control: Arc<dyn Control>,
}

impl Service {
    /// Takes calls for as long as it is polled: of clients, and of other stores. Any door leads to all of it.
    pub async fn serve(self, listener: TcpListener) {
        loop {
            match listener.accept().await {
                Ok((stream, from)) => {
                    let service = self.clone();
                    tokio::spawn(async move {
                        if let Err(error) = service.call(stream).await
                            && matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::InvalidData)
                        {
                            tracing::warn!(%from, "turned away: {error}");
                        }
                    });
                }
                // Out of files, mostly: others may end meanwhile.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }

    async fn call(self, stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let greeting = async {
            let stream: AnyStream = match &self.identity.tls {
                Some(tls) => tls.accept(stream).await?,
                None => Box::new(stream),
            };
            receive(stream, self.identity.cluster, &self.identity.store).await
        };
        let greeted = tokio::time::timeout(GREETING, greeting).await;
        let (inlet, outlet, hello) = greeted.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
        match hello.purpose {
            Purpose::Client => talk(Desk::new(self), inlet, outlet).await,
            Purpose::Urgent | Purpose::Bulk => listen(inlet, &self.hand, &hello.name.into()).await,
        }
    }
}

/// Messages of another store, until it hangs up.
async fn listen(mut inlet: Inlet, hand: &Hand, from: &Arc<str>) -> io::Result<()> {
    while let Some(frame) = inlet.next().await? {
        let odd = || io::Error::new(io::ErrorKind::InvalidData, "it is no message between replicas");
        hand.step(transport::parcel(frame, from).ok_or_else(odd)?);
    }
    Ok(())
}

async fn talk(desk: Desk, mut inlet: Inlet, mut outlet: Outlet) -> io::Result<()> {
    let mut running = FuturesUnordered::new();
    loop {
        tokio::select! {
            frame = inlet.next(), if running.len() < AT_ONCE => {
                let Some(frame) = frame? else { return Ok(()) };
                running.push(begin(&desk, &frame)?);
                while running.len() < AT_ONCE && let Some(frame) = inlet.ready()? {
                    running.push(begin(&desk, &frame)?);
                }
            }
            Some(done) = running.next() => {
                let mut next = Some(done);
                while let Some((number, reply)) = next {
                    outlet.put(&write::<Reply>(number, &reply)).await?;
                    next = running.next().now_or_never().flatten();
                }
                outlet.flush().await?;
            }
        }
    }
}

fn begin(desk: &Desk, frame: &[u8]) -> io::Result<impl Future<Output = (u64, Reply)> + use<>> {
    let odd = || io::Error::new(io::ErrorKind::InvalidData, "it is no question");
    let (number, request) = read::<Request>(frame).ok_or_else(odd)?;
    let reply = desk.reply(request);
    Ok(async move { (number, reply.await) })
}
