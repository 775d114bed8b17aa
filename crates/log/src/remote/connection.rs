//! One connection of a client: many questions at once, each with its number.

use crate::net::{Inlet, Outlet, Reply, Request, read, write};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::{mpsc, oneshot};

/// Questions that wait to be sent, at most.
const QUEUE: usize = 1024;

type Asked = (Vec<u8>, u64, oneshot::Sender<Reply>);
type Pending = Arc<Mutex<HashMap<u64, oneshot::Sender<Reply>>>>;

/// A connection. Clones are the same one; it ends with the last of them.
#[derive(Clone)]
pub(super) struct Connection {
    asks: mpsc::Sender<Asked>,
    last: Arc<std::sync::atomic::AtomicU64>,
}

impl Connection {
    /// Over a connection that both sides have greeted each other on.
    pub fn over(inlet: Inlet, outlet: Outlet) -> Connection {
        let (asks, asked) = mpsc::channel(QUEUE);
        let pending = Pending::default();
        let answers = tokio::spawn(take(inlet, Arc::clone(&pending)));
        tokio::spawn(async move {
            let stop = answers.abort_handle();
            tokio::select! {
                () = send(outlet, asked, Arc::clone(&pending)) => {}
                _ = answers => {}
            }
            stop.abort();
            // Whoever waits learns that nothing will come.
            pending.lock().unwrap_or_else(PoisonError::into_inner).clear();
        });
        Connection { asks, last: Arc::default() }
    }

    pub fn is_open(&self) -> bool {
        !self.asks.is_closed()
    }

    /// The answer; `None` if the connection ended before it came.
    pub async fn ask(&self, request: &Request) -> Option<Reply> {
        let number = self.last.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let (answer, came) = oneshot::channel();
        self.asks.send((write(number, request), number, answer)).await.ok()?;
        came.await.ok()
    }
}

async fn send(mut outlet: Outlet, mut asked: mpsc::Receiver<Asked>, pending: Pending) {
    while let Some(first) = asked.recv().await {
        let mut next = Some(first);
        while let Some((content, number, answer)) = next {
            pending.lock().unwrap_or_else(PoisonError::into_inner).insert(number, answer);
            if outlet.put(&content).await.is_err() {
                return;
            }
            next = asked.try_recv().ok();
        }
        if outlet.flush().await.is_err() {
            return;
        }
    }
}

async fn take(mut inlet: Inlet, pending: Pending) {
    while let Ok(Some(frame)) = inlet.next().await {
        let Some((number, reply)) = read::<Reply>(&frame) else { return };
        let answer = pending.lock().unwrap_or_else(PoisonError::into_inner).remove(&number);
        if let Some(answer) = answer {
            let _ = answer.send(reply);
        }
    }
}
