//! Who is at the other end: both sides say it before anything else.

use super::{AnyStream, Inlet, Outlet, split};
use serde::{Deserialize, Serialize};
use std::io;

/// The first word of every connection, with the version of the protocol.
const WORD: [u8; 8] = *b"drydock1";

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Purpose {
    /// Messages between replicas that must not wait behind others.
    Urgent,
    /// Messages between replicas that carry much.
    Bulk,
    /// Requests of a client.
    Client,
}

/// What one side says of itself, and whom it takes the other for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    word: [u8; 8],
    /// Its cluster; `None` from a client that takes any.
    pub cluster: Option<u128>,
    /// Its own name: a store's UUID, or what a client calls itself.
    pub name: String,
    /// The store it means to reach; empty if it takes any.
    pub to: String,
    /// What for.
    pub purpose: Purpose,
}

/// Why the other side was turned away.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error("{0}")]
pub struct Refusal(pub String);

impl Hello {
    /// A greeting.
    pub fn new(cluster: Option<u128>, name: &str, to: &str, purpose: Purpose) -> Hello {
        Hello { word: WORD, cluster, name: name.to_owned(), to: to.to_owned(), purpose }
    }

    /// Why a store turns it away.
    fn refusal(&self, cluster: u128, store: &str) -> Option<Refusal> {
        let name = &self.name;
        if self.cluster.is_some_and(|asked| asked != cluster)
            || (self.cluster.is_none() && self.purpose != Purpose::Client)
        {
            let asked = self.cluster.map_or_else(|| "none".to_owned(), |asked| format!("{asked:x}"));
            let what = format!("{name} belongs to cluster {asked}, and this is store {store} of cluster {cluster:x}");
            return Some(Refusal(format!("{what}: check deployment-id and the addresses")));
        }
        if !self.to.is_empty() && self.to != store {
            let to = &self.to;
            return Some(Refusal(format!(
                "{name} looks for store {to}, and this is store {store}: its address is stale"
            )));
        }
        None
    }
}

fn odd(what: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

/// Greets a store; its name, once it let us in.
pub async fn greet(stream: AnyStream, hello: &Hello) -> io::Result<(Inlet, Outlet, String)> {
    let (mut inlet, mut outlet) = split(stream);
    outlet.put(&postcard::to_allocvec(hello).map_err(|error| odd(error.to_string()))?).await?;
    outlet.flush().await?;
    let Some(answer) = inlet.next().await? else {
        return Err(odd("the other side hung up at the greeting".to_owned()));
    };
    let answer: Result<String, Refusal> = postcard::from_bytes(&answer).map_err(|error| odd(error.to_string()))?;
    let name = answer.map_err(|refusal| io::Error::new(io::ErrorKind::PermissionDenied, refusal))?;
    Ok((inlet, outlet, name))
}

/// Receives whoever calls at a store. A stranger is told why it is turned away.
pub async fn receive(stream: AnyStream, cluster: u128, store: &str) -> io::Result<(Inlet, Outlet, Hello)> {
    let (mut inlet, mut outlet) = split(stream);
    let Some(first) = inlet.next().await? else {
        return Err(odd("it hung up before it said who it is".to_owned()));
    };
    let hello: Hello = postcard::from_bytes(&first).map_err(|_| odd("it does not speak our protocol".to_owned()))?;
    if hello.word != WORD {
        return Err(odd("it speaks another version of our protocol".to_owned()));
    }
    let refusal = hello.refusal(cluster, store);
    let answer: Result<&str, &Refusal> = refusal.as_ref().map_or(Ok(store), Err);
    outlet.put(&postcard::to_allocvec(&answer).map_err(|error| odd(error.to_string()))?).await?;
    outlet.flush().await?;
    match refusal {
        None => Ok((inlet, outlet, hello)),
        Some(refusal) => Err(io::Error::new(io::ErrorKind::PermissionDenied, refusal)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn met(hello: Hello) -> (io::Result<String>, io::Result<Hello>) {
        let (here, there) = tokio::io::duplex(1 << 16);
        let (greeted, received) = tokio::join!(greet(Box::new(here), &hello), receive(Box::new(there), 7, "store-1"));
        (greeted.map(|greeted| greeted.2), received.map(|received| received.2))
    }

    #[tokio::test]
    async fn members_and_clients_come_in() {
        for hello in [
            Hello::new(Some(7), "store-2", "store-1", Purpose::Bulk),
            Hello::new(Some(7), "a client", "", Purpose::Client),
            Hello::new(None, "a client", "", Purpose::Client),
        ] {
            let (greeted, received) = met(hello.clone()).await;
            assert_eq!((greeted.unwrap().as_str(), received.unwrap()), ("store-1", hello));
        }
    }

    #[tokio::test]
    async fn strangers_are_told_why_they_stay_outside() {
        for (hello, word) in [
            (Hello::new(Some(8), "store-2", "store-1", Purpose::Bulk), "belongs to cluster 8"),
            (Hello::new(None, "store-2", "store-1", Purpose::Urgent), "belongs to cluster none"),
            (Hello::new(Some(9), "a client", "", Purpose::Client), "belongs to cluster 9"),
            (Hello::new(Some(7), "store-2", "store-3", Purpose::Bulk), "looks for store store-3"),
        ] {
            let (greeted, received) = met(hello).await;
            let (greeted, received) = (greeted.unwrap_err().to_string(), received.unwrap_err().to_string());
            assert!(greeted.contains(word) && received.contains(word), "{greeted} {received}");
        }
    }
}
