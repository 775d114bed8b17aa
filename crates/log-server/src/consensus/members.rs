//! Who takes part in a shard, as it is kept and as raft-rs wants it.

use super::{Change, machine::Machine};
use crate::{ReplicaLog, StorageError};
use bytes::Bytes;
use raft::eraftpb::{ConfState, Snapshot};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The members of a shard by replica id.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Members {
    /// They vote, and a majority of them agrees.
    pub voters: Vec<u64>,
    /// They follow and are never asked.
    pub learners: Vec<u64>,
    /// The voters of before, while a change is under way: a majority of both is needed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub leaving: Vec<u64>,
    /// Voters of before that will be learners.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stepping_down: Vec<u64>,
    /// The change under way ends by itself.
    #[serde(default)]
    pub ends_itself: bool,
    /// The store each of them lies on.
    #[serde(default)]
    pub on: BTreeMap<u64, String>,
}

/// Which stores newcomers lie on, as it goes with the change that adds them.
pub(super) fn joining(changes: &[Change]) -> Bytes {
    let on = |change: &Change| match change {
        Change::Voter(replica, on) | Change::Learner(replica, on) => Some((*replica, on.clone())),
        Change::Gone(_) => None,
    };
    let on: BTreeMap<u64, String> = changes.iter().filter_map(on).collect();
    Bytes::from(serde_json::to_vec(&on).unwrap_or_default())
}

impl Members {
    pub(super) fn wire(&self) -> ConfState {
        let mut state = ConfState::default();
        state.set_voters(self.voters.clone());
        state.set_learners(self.learners.clone());
        state.set_voters_outgoing(self.leaving.clone());
        state.set_learners_next(self.stepping_down.clone());
        state.set_auto_leave(self.ends_itself);
        state
    }

    pub(super) fn of(state: &ConfState) -> Members {
        Members {
            voters: state.get_voters().to_vec(),
            learners: state.get_learners().to_vec(),
            leaving: state.get_voters_outgoing().to_vec(),
            stepping_down: state.get_learners_next().to_vec(),
            ends_itself: state.get_auto_leave(),
            on: BTreeMap::new(),
        }
    }

    /// As they are after a change; `joining` says where newcomers lie, and is empty where a change only ends one under way.
    pub(super) fn after(&self, state: &ConfState, joining: &[u8]) -> Members {
        let mut on = self.on.clone();
        on.extend(serde_json::from_slice::<BTreeMap<u64, String>>(joining).unwrap_or_default());
        let mut members = Members::of(state);
        on.retain(|replica, _| members.has(*replica));
        members.on = on;
        members
    }

    /// Whether a replica takes part in any way.
    pub fn has(&self, replica: u64) -> bool {
        [&self.voters, &self.learners, &self.leaving, &self.stepping_down].iter().any(|list| list.contains(&replica))
    }
}

/// What a log adds up to: what its commands did and who takes part, each with the place it holds from. Kept in checkpoints, in bases, and
/// sent to newcomers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Sum {
    pub machine: Machine,
    /// Members by the index of the change that made them, rising; never empty once there are any.
    pub members: Vec<(u64, Members)>,
}

impl Sum {
    pub fn bytes(&self) -> Bytes {
        Bytes::from(serde_json::to_vec(self).unwrap_or_default())
    }

    pub fn read(bytes: &[u8]) -> Result<Sum, StorageError> {
        let odd = |error: serde_json::Error| StorageError::Misuse(format!("a checkpoint cannot be read: {error}"));
        serde_json::from_slice(bytes).map_err(odd)
    }

    /// As far as it was known when only what lies up to an index was applied; what it truncates is all of that.
    pub fn until(&self, index: u64) -> Sum {
        let mut members = self.members.clone();
        members.retain(|(from, _)| *from <= index);
        Sum { machine: self.machine.until(index), members }
    }

    /// The members after the last change.
    pub fn current(&self) -> Members {
        self.members.last().map(|(_, members)| members.clone()).unwrap_or_default()
    }

    /// What a log adds up to by what it wrote down; entries behind have to be applied anew.
    pub fn of(log: &ReplicaLog) -> Result<Sum, StorageError> {
        let (index, state) = log.checkpoint();
        if index > log.base().index {
            return Sum::read(&state);
        }
        if log.base().index == 0 { Ok(Sum::default()) } else { Sum::read(log.base_state()) }
    }

    /// As a newcomer gets it.
    pub fn snapshot(log: &ReplicaLog) -> Result<Snapshot, StorageError> {
        let mut snapshot = Snapshot::default();
        if log.base().index == 0 {
            return Ok(snapshot);
        }
        let sum = Sum::read(log.base_state())?;
        snapshot.set_data(log.base_state().clone());
        let about = snapshot.mut_metadata();
        (about.index, about.term) = (log.base().index, log.base().term);
        about.set_conf_state(sum.current().wire());
        Ok(snapshot)
    }
}
