//! The log service: segment files, and above them what several members agree on.

pub mod affairs;
#[cfg(any(test, feature = "testing"))]
pub mod brittle;
mod catalog;
pub mod consensus;
mod directory;
mod disk;
mod driver;
mod error;
mod frame;
mod header;
pub mod keeper;
mod local;
mod node;
mod replica;
mod scan;
mod segment;
mod service;
mod store;
mod transport;

pub use directory::{Directory, Entries, Entry as StoreEntry};
pub use disk::{Ahead, Disk, DiskFile, RealDisk};
pub use driver::{Hand, Post, drive};
pub use error::StorageError;
pub use local::LocalLog;
pub use node::{Founding, Listen, Node, NodeError, NodeOptions, Pace};
pub use replica::{Base, Entry, Owner, Promise, ReplicaLog, SegmentOptions, Stretch, read_stretches};
pub use service::{Control, Service};
pub use store::{Answer, Ask, Book, Parcel, Run, Store, StoreOptions, Tip, Told};
pub use transport::{Identity, Transport};
