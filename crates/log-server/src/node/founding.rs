//! How a cluster begins: once, by the stores that are told so, after all of them have met.

use super::{Heart, heart::Met};
use crate::{Run, keeper::Wanted};
use std::collections::BTreeMap;

pub(super) use crate::keeper::SHARD as KEEPER;

/// How a cluster begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Founding {
    /// The first voters of the keeper's shard, each with its store.
    pub members: BTreeMap<u64, String>,
    /// What else there is to be.
    pub wanted: Wanted,
}

impl Heart {
    /// Begins the keeper's shard here, if this store is one of the founders, holds nothing and never did, and all founders were met just
    /// now: had it been there before and lost its data, they would know it and turn it away.
    pub(super) async fn found(&self, met: &Met) {
        let Some(founding) = self.options.founding.as_ref() else { return };
        let own = founding.members.iter().find(|(_, store)| **store == *self.options.identity.store);
        let Some((replica, _)) = own.filter(|_| self.is_new()) else { return };
        if founding.members.values().all(|store| met.contains(store)) {
            let _ = self.hand.run(KEEPER, *replica, Run::First(founding.members.clone())).await;
        }
    }

    /// Whether its folder was begun without any replica. What came since is not looked at: founding twice does nothing.
    fn is_new(&self) -> bool {
        self.book.running().is_empty()
    }
}
