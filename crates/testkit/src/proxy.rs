//! A way to a server that can be made to swallow everything: no reset, no refusal, no answer, as a dropped route does.

use std::sync::Arc;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, tcp},
    sync::watch,
    task::JoinHandle,
};
use types::Address;

/// Forwards to one server, until told to be silent.
pub struct Proxy {
    address: Address,
    silent: Arc<watch::Sender<bool>>,
    task: JoinHandle<()>,
}

impl Proxy {
    /// A proxy on a free loopback port.
    pub async fn start(target: Address) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
        let port = listener.local_addr().expect("a bound socket has an address").port();
        let silent = Arc::new(watch::Sender::new(false));
        let task = tokio::spawn(accept(listener, target, silent.clone()));
        Self { address: Address::new("127.0.0.1", port), silent, task }
    }

    /// Where it listens.
    pub fn address(&self) -> Address {
        self.address.clone()
    }

    /// From now on connections are taken and kept, and nothing goes through in either direction.
    pub fn silence(&self) {
        self.silent.send_replace(true);
    }

    /// What was kept back goes through, and so does all that follows.
    pub fn speak(&self) {
        self.silent.send_replace(false);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, target: Address, silent: Arc<watch::Sender<bool>>) {
    while let Ok((client, _)) = listener.accept().await {
        let (target, silent) = (target.clone(), silent.clone());
        tokio::spawn(async move {
            let server = TcpStream::connect((target.host.as_str(), target.port)).await;
            let Ok(server) = server else { return };
            let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
            tokio::join!(
                forward(from_client, to_server, silent.subscribe()),
                forward(from_server, to_client, silent.subscribe()),
            );
        });
    }
}

async fn forward(mut from: tcp::OwnedReadHalf, mut to: tcp::OwnedWriteHalf, mut silent: watch::Receiver<bool>) {
    let mut buffer = vec![0; 16 << 10];
    loop {
        let Ok(length @ 1..) = from.read(&mut buffer).await else { return };
        if silent.wait_for(|silent| !silent).await.is_err() || to.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
}
