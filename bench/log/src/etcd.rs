//! The rival: three members of etcd as its distribution ships it, put to over gRPC. Its few messages are written by hand.

use crate::{cluster::ports, load::Target, place};
use async_trait::async_trait;
use bytes::Bytes;
use std::{
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};
use tempfile::TempDir;
use tonic::{
    Request, Status,
    client::Grpc,
    codegen::http::uri::PathAndQuery,
    transport::{Channel, Endpoint},
};
use tonic_prost::ProstCodec;

/// Members that end with it, and their data.
pub struct Etcd {
    folder: TempDir,
    clients: Vec<u16>,
    members: Vec<Child>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Put {
    #[prost(bytes = "bytes", tag = "1")]
    key: Bytes,
    #[prost(bytes = "bytes", tag = "2")]
    value: Bytes,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Header {
    #[prost(uint64, tag = "2")]
    member: u64,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Nothing {}

/// What is needed of any answer: who gave it, and who leads, if that was asked.
#[derive(Clone, PartialEq, prost::Message)]
struct Answer {
    #[prost(message, optional, tag = "1")]
    header: Option<Header>,
    #[prost(uint64, tag = "4")]
    leader: u64,
}

impl Etcd {
    pub fn start() -> Etcd {
        let (peers, clients) = (ports(3), ports(3));
        let mut etcd = Etcd { folder: place::folder(), clients, members: Vec::new() };
        etcd.members = (0..3).map(|at| etcd.member(at, &peers)).collect();
        etcd
    }

    fn member(&self, at: usize, peers: &[u16]) -> Child {
        let url = |port: u16| format!("http://127.0.0.1:{port}");
        let all: Vec<String> = peers.iter().enumerate().map(|(at, port)| format!("m{at}={}", url(*port))).collect();
        let (peer, client) = (url(peers[at]), url(self.clients[at]));
        let mut command = Command::new("etcd");
        command.args(["--name", &format!("m{at}"), "--initial-cluster", &all.join(","), "--log-level", "error"]);
        command.args(["--listen-peer-urls", &peer, "--initial-advertise-peer-urls", &peer]);
        command.args(["--listen-client-urls", &client, "--advertise-client-urls", &client, "--logger", "zap"]);
        command.arg("--data-dir").arg(self.folder.path().join(at.to_string()));
        let quiet = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        quiet.expect("etcd is needed: apt-get install etcd-server")
    }

    /// The member that leads, once there is one: ours are asked there too.
    pub async fn leader(&self) -> u16 {
        loop {
            for port in &self.clients {
                if leads(*port).await == Some(true) {
                    return *port;
                }
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    pub fn pids(&self) -> Vec<u32> {
        self.members.iter().map(Child::id).collect()
    }
}

impl Drop for Etcd {
    fn drop(&mut self) {
        for member in &mut self.members {
            let _ = member.kill();
            let _ = member.wait();
        }
    }
}

async fn connect(port: u16) -> Result<Channel, tonic::transport::Error> {
    Endpoint::from_shared(format!("http://127.0.0.1:{port}")).unwrap().connect().await
}

async fn leads(port: u16) -> Option<bool> {
    let answer = ask(&connect(port).await.ok()?, Nothing {}, "/etcdserverpb.Maintenance/Status").await.ok()?;
    Some(answer.header?.member == answer.leader)
}

async fn ask<M: prost::Message + 'static>(channel: &Channel, message: M, path: &'static str) -> Result<Answer, Status> {
    let mut grpc = Grpc::new(channel.clone());
    grpc.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
    let codec = ProstCodec::<M, Answer>::default();
    Ok(grpc.unary(Request::new(message), PathAndQuery::from_static(path), codec).await?.into_inner())
}

/// One connection to the leader.
struct Client(Channel);

#[async_trait]
impl Target for Client {
    async fn write(&self, key: u64, payload: Bytes) {
        let put = Put { key: format!("{key:016x}").into(), value: payload };
        ask(&self.0, put, "/etcdserverpb.KV/Put").await.unwrap();
    }
}

/// So many connections.
pub async fn clients(etcd: &Etcd, count: usize) -> Vec<Arc<dyn Target>> {
    let (port, mut clients) = (etcd.leader().await, Vec::<Arc<dyn Target>>::new());
    for _ in 0..count {
        clients.push(Arc::new(Client(connect(port).await.unwrap())));
    }
    clients
}
