//! The log in memory keeps the contract.

use crate::{
    Log, MemoryLog,
    conformance::{Subject, check},
};
use async_trait::async_trait;
use std::sync::{Arc, Mutex};

#[derive(Default)]
struct Memory(Mutex<Option<Arc<dyn Log>>>);

#[async_trait]
impl Subject for Memory {
    async fn fresh(&self) -> Arc<dyn Log> {
        let log: Arc<dyn Log> = Arc::new(MemoryLog::new());
        Arc::clone(self.0.lock().unwrap().insert(log))
    }

    async fn again(&self) -> Arc<dyn Log> {
        Arc::clone(self.0.lock().unwrap().as_ref().unwrap())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_keeps_the_contract() {
    check(&Memory::default()).await;
}
