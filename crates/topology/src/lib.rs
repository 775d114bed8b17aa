//! Who replicates from whom, and who may take writes: discovery, the evidence graph, the writer test, the drawings.
//!
//! Asking is apart from deciding: the deciding half is pure and takes observations from wherever they come.

mod ask;
mod discover;
mod facts;
mod failure;
mod graph;
mod heartbeat;
mod lag;
mod members;
mod options;
mod readers;
mod render;
mod survey;
mod writer;

pub use ask::inbound;
pub use discover::discover;
pub use facts::{
    Asked, Channel, DumpThread, Galera, Group, GroupMember, Identity, NodeFacts, Observation, OwnWrites, Registered,
    ShellInstance, ShellMetadata, Told, Untold,
};
pub use heartbeat::Heartbeat;
pub use lag::{Lag, lag};
pub use options::DiscoverOptions;
pub use render::{dot, table};
pub use survey::Report;
pub use writer::{OwnSample, WriterVerdict, judge, sample_own_writes, writer_test, writer_test_since};

/// The graph of some reports, without asking anybody: what [`discover`] does after the asking. The first report is the
/// seed's. `now` is the end of discovery, from which the age of evidence counts.
pub fn merge(reports: &[Report], options: &DiscoverOptions, now: jiff::Timestamp) -> api::ClusterTopology {
    graph::draw(reports, options, now)
}
