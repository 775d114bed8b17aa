//! Requests that ask servers: so many at once, so many waiting, none for ever.

use crate::{ClusterSettings, Control, hall};
use std::future::Future;
use tokio::sync::Semaphore;
use types::{Code, Failure};

fn busy(queue: usize) -> Failure {
    let error = format!("{queue} requests are waiting for servers already");
    Failure::new(Code::Busy, error, "try again later, or raise recycling.concurrency.queue_size")
}

fn closed<E>(_: E) -> Failure {
    Failure::new(Code::Busy, "the server is shutting down", "try again once it is up")
}

impl Control {
    /// Runs work that asks servers: 1010 if too much waits already, 1009 after `recycling.concurrency.worker_timeout`.
    /// The work is dropped when the caller goes away.
    pub(crate) async fn ask<T>(
        &self,
        what: &str,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let settings = self.settings();
        let limit = settings.concurrency.worker_timeout;
        let _place = self.hall.waiting.try_acquire().map_err(|_| busy(settings.concurrency.queue_size))?;
        let run = async {
            let _turn = Semaphore::acquire(&self.hall.asking).await.map_err(closed)?;
            work.await
        };
        tokio::select! {
            () = self.hall.stop.cancelled() => Err(closed(())),
            answer = tokio::time::timeout(limit, run) => answer.unwrap_or_else(|_| {
                let error = format!("{what} took longer than {} s", limit.as_secs_f64());
                let next = "look which member does not answer, or raise recycling.concurrency.worker_timeout";
                Err(Failure::new(Code::TimedOut, error, next))
            }),
        }
    }

    /// Spawns a loop that ends with the hall.
    pub(crate) fn spawn_loop(&self, work: impl Future<Output = ()> + Send + 'static) {
        let stop = self.hall.stop.clone();
        self.hall.tasks.spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = work => {}
            }
        });
    }

    /// Remembers what was found of a named cluster.
    pub(crate) fn remember(&self, cluster: &ClusterSettings, topology: api::ClusterTopology) {
        hall::lock(&self.hall.seen).insert(cluster.name.clone(), (cluster.clone(), topology));
    }

    /// What was found last of a named cluster, as it is configured now.
    pub(crate) fn last_seen(&self, cluster: &ClusterSettings) -> Option<api::ClusterTopology> {
        let seen = hall::lock(&self.hall.seen);
        seen.get(&cluster.name).filter(|(then, _)| then == cluster).map(|(_, topology)| topology.clone())
    }
}
