//! A shard of real stores keeps the log's contract.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops loudly where it stands")]

mod bed;

use async_trait::async_trait;
use bed::Stores;
use log::{
    Log,
    conformance::{Subject, check},
};
use log_server::LocalLog;
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

struct Shards {
    stores: Stores,
    last: AtomicU64,
}

impl Shards {
    async fn log(&self) -> Arc<dyn Log> {
        let shard = self.last.load(Ordering::Relaxed);
        Arc::new(LocalLog::new(self.stores.leader(shard).await, shard))
    }
}

#[async_trait]
impl Subject for Shards {
    async fn fresh(&self) -> Arc<dyn Log> {
        let shard = self.last.fetch_add(1, Ordering::Relaxed) + 1;
        self.stores.begin(shard).await;
        self.log().await
    }

    async fn again(&self) -> Arc<dyn Log> {
        self.log().await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shard_of_one_keeps_the_contract() {
    check(&Shards { stores: Stores::start(1), last: AtomicU64::new(0) }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shard_of_three_keeps_the_contract() {
    check(&Shards { stores: Stores::start(3), last: AtomicU64::new(0) }).await;
}
