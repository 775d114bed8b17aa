//! How a cluster begins: once, by the stores that are told so, after all of them have met.

use super::{Heart, heart::Met};
use crate::{Run, keeper::Wanted};
use std::collections::BTreeMap;

/// The log of the keeper.
pub(super) const KEEPER: u64 = 0;

/// How a cluster begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Founding {
    /// The first voters of the keeper's shard, each with its store.
    pub members: BTreeMap<u64, String>,
    /// What else there is to be.
    pub wanted: Wanted,
}

impl Heart {
    /// Begins the keeper's shard here, if this store is one of the founders, holds none of it and never did, all founders have been met,
    /// and none of them knows of a cluster already.
    pub(super) async fn found(&self, met: Met) {
        let Some(founding) = self.options.founding.as_ref().filter(|_| !met.begun) else { return };
        let own = founding.members.iter().find(|(_, store)| **store == *self.options.identity.store);
        let Some((replica, _)) = own.filter(|_| self.is_new()) else { return };
        if founding.members.values().all(|store| self.directory.get(store).is_some()) {
            let _ = self.hand.run(KEEPER, *replica, Run::First(founding.members.clone())).await;
        }
    }

    /// Whether its folder was begun without any replica. What came since is not looked at: founding twice does nothing.
    fn is_new(&self) -> bool {
        self.book.running().is_empty()
    }
}
