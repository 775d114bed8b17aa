//! Calls of other stores.

use super::{GREETING, Transport};
use crate::{Hand, Parcel, consensus::letter};
use bytes::Bytes;
use log::net::{AnyStream, Inlet, Purpose, receive};
use std::{io, sync::Arc};
use tokio::net::{TcpListener, TcpStream};

pub(super) async fn accept(transport: Transport, listener: TcpListener) {
    loop {
        match listener.accept().await {
            Ok((stream, from)) => {
                let transport = transport.clone();
                tokio::spawn(async move {
                    if let Err(error) = call(&transport, stream).await
                        && error.kind() == io::ErrorKind::PermissionDenied
                    {
                        tracing::warn!(%from, "turned away: {error}");
                    }
                });
            }
            // Out of files, mostly: others may end meanwhile.
            Err(_) => tokio::time::sleep(std::time::Duration::from_millis(50)).await,
        }
    }
}

async fn call(transport: &Transport, stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let identity = &transport.0.identity;
    let greeting = async {
        let stream: AnyStream = match &identity.tls {
            Some(tls) => tls.accept(stream).await?,
            None => Box::new(stream),
        };
        receive(stream, identity.cluster, &identity.store).await
    };
    let greeted = tokio::time::timeout(GREETING, greeting).await;
    let (inlet, _outlet, hello) = greeted.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
    let Some(hand) = transport.0.hand.get().filter(|_| hello.purpose != Purpose::Client) else { return Ok(()) };
    listen(inlet, hand, &hello.name.into()).await
}

async fn listen(mut inlet: Inlet, hand: &Hand, from: &Arc<str>) -> io::Result<()> {
    while let Some(frame) = inlet.next().await? {
        let parcel = parcel(frame, from).ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))?;
        hand.step(parcel);
    }
    Ok(())
}

fn parcel(frame: Bytes, from: &Arc<str>) -> Option<Parcel> {
    let (shard, message) = letter::read(frame)?;
    Some(Parcel { shard, store: Arc::clone(from), message })
}
