//! Members of ours as processes, and clients of theirs.

use crate::{member::CLUSTER, place};
use log::{Connect, Log, RemoteLog, Servers};
use std::{
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};
use tempfile::TempDir;

/// Members that end with it, and their data.
pub struct Cluster {
    folder: TempDir,
    addresses: Vec<String>,
    shards: u64,
    members: Vec<Child>,
}

/// Ports nobody listens on.
pub fn ports(count: usize) -> Vec<u16> {
    let held: Vec<TcpListener> = (0..count).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
    held.iter().map(|listener| listener.local_addr().unwrap().port()).collect()
}

impl Cluster {
    /// Starts members, and waits until somebody leads the first and the last shard.
    pub async fn start(members: usize, shards: u64) -> Cluster {
        let pairs = ports(members * 2);
        let address = |pair: &[u16]| format!("127.0.0.1:{},127.0.0.1:{}", pair[0], pair[1]);
        let addresses = pairs.chunks(2).map(address).collect();
        let mut cluster = Cluster { folder: place::folder(), addresses, shards, members: Vec::new() };
        cluster.run();
        cluster.ready().await;
        cluster
    }

    /// Starts all members on what they have.
    pub fn run(&mut self) {
        self.members = (1..=self.addresses.len()).map(|number| self.member(number)).collect();
    }

    fn member(&self, number: usize) -> Child {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.arg("member").arg(number.to_string()).arg(self.store(number)).arg(self.shards.to_string());
        command.args(&self.addresses).stdin(Stdio::piped()).spawn().unwrap()
    }

    /// The folder of a member's store.
    pub fn store(&self, number: usize) -> PathBuf {
        self.folder.path().join(number.to_string())
    }

    /// Ends all at once, as a power cut would end them.
    pub fn kill(&mut self) {
        for mut member in self.members.drain(..) {
            member.kill().unwrap();
            member.wait().unwrap();
        }
    }

    pub async fn ready(&self) {
        for shard in [1, self.shards] {
            let log = self.client(shard);
            while log.positions().await.is_err() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    }

    /// A client with a connection of its own.
    pub fn client(&self, shard: u64) -> RemoteLog {
        let services = self.addresses.iter().map(|pair| pair.split_once(',').unwrap().1.to_owned()).collect();
        let how = Connect { cluster: Some(CLUSTER), ..Connect::default() };
        RemoteLog::new(Arc::new(Servers::new(services, how)), shard)
    }

    pub fn pids(&self) -> Vec<u32> {
        self.members.iter().map(Child::id).collect()
    }

    /// Ends the members and keeps what they wrote.
    pub fn leave(mut self) -> TempDir {
        self.kill();
        std::mem::replace(&mut self.folder, place::folder())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.kill();
    }
}
