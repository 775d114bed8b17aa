//! The locks a run of a job has on servers: taken one by one, shared by its lanes, given back at its end.

use crate::{
    ReclaimError,
    gates::lease::{Hold, ServerLease},
};
use mysql::Endpoint;
use std::{collections::BTreeMap, sync::Arc};
use tokio::sync::Mutex;
use types::Address;

/// All of them, by server.
#[derive(Default)]
pub(crate) struct Locks(Mutex<BTreeMap<Address, Arc<Mutex<ServerLease>>>>);

impl Locks {
    /// Takes a server's job lock, or makes sure that it is still ours.
    pub async fn take(&self, endpoint: &Endpoint) -> Result<(), ReclaimError> {
        let held = self.0.lock().await.get(&endpoint.address).cloned();
        if let Some(lock) = held {
            return lock.lock().await.ensure().await;
        }
        let lock = ServerLease::take(endpoint).await?;
        self.0.lock().await.insert(endpoint.address.clone(), Arc::new(Mutex::new(lock)));
        Ok(())
    }

    /// What of these is in the job's hand, as seen from one node of them.
    pub async fn hold<'a>(&self, node: &'a Address, others: impl IntoIterator<Item = &'a Address>) -> Hold {
        let all = self.0.lock().await;
        let held = |address: &Address| Some((address.clone(), all.get(address)?.clone()));
        let locks = others.into_iter().chain([node]).filter_map(held).collect();
        Hold { node: node.clone(), locks }
    }

    /// Gives all back.
    pub async fn release(&self) {
        for lock in std::mem::take(&mut *self.0.lock().await).into_values() {
            // One that is still shared ends with its last user.
            if let Ok(lock) = Arc::try_unwrap(lock) {
                lock.into_inner().give_back().await;
            }
        }
    }
}
