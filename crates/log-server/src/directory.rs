//! Where the stores of a cluster are reached, as far as this process knows. Stores tell each other whenever they meet.

use crate::keeper::Addresses;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock},
};

/// A store as others know it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Drawn when its folder was begun.
    pub born: u128,
    /// Where it is reached.
    pub addresses: Addresses,
}

/// Stores by name.
pub type Entries = BTreeMap<String, Entry>;

/// The directory. Clones are the same.
#[derive(Debug, Clone, Default)]
pub struct Directory(Arc<RwLock<Entries>>);

impl Directory {
    /// With what was known before.
    pub fn with(entries: Entries) -> Directory {
        Directory(Arc::new(RwLock::new(entries)))
    }

    /// Where a store is reached.
    pub fn get(&self, store: &str) -> Option<Addresses> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(store).map(|entry| entry.addresses.clone())
    }

    /// A store as it is known.
    pub fn entry(&self, store: &str) -> Option<Entry> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(store).cloned()
    }

    /// A store said where it is reached. True if that is news. A store that is known with other data keeps its place: whoever lost its
    /// data must come back under another name.
    pub fn put(&self, store: &str, entry: Entry) -> bool {
        let mut entries = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let known = entries.get(store);
        if known == Some(&entry) || known.is_some_and(|known| known.born != entry.born) {
            return false;
        }
        entries.insert(store.to_owned(), entry);
        true
    }

    /// Others told what they know. True if any of it is news.
    pub fn merge(&self, entries: Entries) -> bool {
        entries.into_iter().fold(false, |news, (store, entry)| self.put(&store, entry) || news)
    }

    /// All that is known.
    pub fn all(&self) -> Entries {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_may_move_and_may_not_be_replaced() {
        let entry =
            |born, raft: &str| Entry { born, addresses: Addresses { raft: raft.into(), ..Addresses::default() } };
        let directory = Directory::default();
        assert!(directory.put("one", entry(1, "a:1")) && !directory.put("one", entry(1, "a:1")));
        assert!(directory.merge(Entries::from([("one".to_owned(), entry(1, "b:1"))])), "it moved");
        assert!(!directory.put("one", entry(2, "c:1")), "another with the same name");
        assert_eq!(directory.get("one").unwrap().raft, "b:1");
    }
}
