//! The store in memory keeps the contract.

use crate::{
    MemoryStore, Store,
    conformance::{Subject, check},
};
use async_trait::async_trait;
use std::sync::{Arc, Mutex};

#[derive(Default)]
struct Memory(Mutex<Option<Arc<dyn Store>>>);

#[async_trait]
impl Subject for Memory {
    async fn fresh(&self) -> Arc<dyn Store> {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        Arc::clone(self.0.lock().unwrap().insert(store))
    }

    async fn again(&self) -> Arc<dyn Store> {
        Arc::clone(self.0.lock().unwrap().as_ref().unwrap())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_keeps_the_contract() {
    check(&Memory::default()).await;
}
