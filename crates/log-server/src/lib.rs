//! The log service: segment files, and above them what several members agree on.

#[cfg(any(test, feature = "testing"))]
pub mod brittle;
mod catalog;
pub mod consensus;
mod disk;
mod error;
mod frame;
mod header;
pub mod keeper;
mod replica;
mod scan;
mod segment;

pub use disk::{Disk, DiskFile, RealDisk};
pub use error::StorageError;
pub use replica::{Base, Entry, Owner, Promise, ReplicaLog, SegmentOptions};
