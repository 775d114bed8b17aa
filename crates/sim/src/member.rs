//! One member: its disk, which outlives it, and its replica while it runs.

use log_server::{
    Owner, ReplicaLog, SegmentOptions, StorageError,
    brittle::BrittleDisk,
    consensus::{Group, Landed, Message, Rhythm, bootstrap},
};
use runtime::Random;
use std::{path::Path, sync::Arc};

/// Segments so small that all their edges are met often.
const SEGMENTS: SegmentOptions = SegmentOptions { length: 8 << 10, salt: 3 };
const RHYTHM: Rhythm = Rhythm { election: 10, heartbeat: 2, checkpoint: 2000 };

/// A member of the shard.
pub struct Member {
    pub replica: u64,
    pub disk: BrittleDisk,
    pub group: Option<Group>,
    /// Up to where the ledger has looked at what it applied.
    pub looked: u64,
    random: Random,
}

impl Member {
    /// One of the first, with the shard's begin on its disk; or a newcomer, with nothing.
    pub fn new(replica: u64, voters: Option<&[u64]>, random: Random) -> Member {
        let disk = BrittleDisk::new();
        let mut log = open(&disk, replica).expect("an empty disk");
        if let Some(voters) = voters {
            let voters = voters.iter().map(|replica| (*replica, store(*replica))).collect();
            bootstrap(&mut log, &voters).expect("an empty disk");
        }
        Member { replica, disk, group: None, looked: 0, random }
    }

    /// Starts it, if its disk lets it.
    pub fn start(&mut self) {
        let log = match open(&self.disk, self.replica) {
            Ok(log) => log,
            Err(StorageError::Disk { .. } | StorageError::Stopped(_)) => return,
            Err(other) => panic!("replica {} does not open: {other}", self.replica),
        };
        let group = Group::new(self.replica, log, RHYTHM, self.random.clone()).expect("what it wrote can be read");
        self.looked = group.standing().applied;
        self.group = Some(group);
    }

    /// The power goes.
    pub fn crash(&mut self, random: &Random) {
        self.group = None;
        self.disk.heal();
        self.disk.crash(random);
    }

    /// Does what is to be done, to the end or up to a power cut in the middle. Answers what goes out; `None` if it died of its disk.
    pub fn drive(&mut self, dies: bool) -> Option<(Vec<Message>, Vec<Landed>)> {
        let group = self.group.as_mut()?;
        let (mut out, mut landed) = (Vec::new(), Vec::new());
        let done = (|| {
            while let Some(mut wave) = group.wave()? {
                out.append(&mut wave.now);
                if dies {
                    return Ok(());
                }
                if wave.must_sync() {
                    group.sync()?;
                }
                let mut came = group.land(wave)?;
                out.append(&mut came.messages);
                landed.push(came);
            }
            Ok::<(), StorageError>(())
        })();
        match done {
            // What went out before it died is out.
            Ok(()) => Some((out, landed)),
            Err(StorageError::Disk { .. } | StorageError::Stopped(_)) => {
                self.group = None;
                Some((out, landed))
            }
            Err(other) => panic!("replica {}: {other}", self.replica),
        }
    }
}

/// Where a replica lies.
pub fn store(replica: u64) -> String {
    format!("store-{replica}")
}

fn open(disk: &BrittleDisk, replica: u64) -> Result<ReplicaLog, StorageError> {
    let owner = Owner { cluster: 1, shard: 1, replica };
    ReplicaLog::open(Arc::new(disk.clone()), Path::new("shard"), owner, SEGMENTS)
}
