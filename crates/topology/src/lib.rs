//! Who replicates from whom, and who may take writes: discovery, the evidence graph, the writer test, the drawings.
//!
//! Asking is apart from deciding: the deciding half is pure and takes observations from wherever they come.

#![allow(dead_code, reason = "discovery, which calls the rest, lands next")]

mod ask;
mod facts;
mod lag;
mod options;
mod writer;

pub use facts::{
    Channel, DumpThread, Galera, Group, GroupMember, Identity, NodeFacts, Observation, OwnWrites, Registered, Told,
    Untold,
};
pub use lag::lag;
pub use options::DiscoverOptions;
pub use writer::{OwnSample, WriterVerdict, judge, sample_own_writes, writer_test, writer_test_since};
