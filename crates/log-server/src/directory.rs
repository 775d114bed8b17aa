//! Where the stores of a cluster are reached, as far as this process knows.

use crate::keeper::Addresses;
use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock},
};

/// Stores by name. Clones are the same directory.
#[derive(Debug, Clone, Default)]
pub struct Directory(Arc<RwLock<BTreeMap<String, Addresses>>>);

impl Directory {
    /// Where a store is reached.
    pub fn get(&self, store: &str) -> Option<Addresses> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(store).cloned()
    }

    /// A store said where it is reached.
    pub fn put(&self, store: &str, addresses: Addresses) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(store.to_owned(), addresses);
    }

    /// All that is known.
    pub fn all(&self) -> BTreeMap<String, Addresses> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
