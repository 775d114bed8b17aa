//! The files of `mo-service` (seed 004): what they say, what is wrong with them, and what a program makes of them.
//!
//! ```text
//!   text ─▶ tree ─▶ values ─▶ Launch, ServiceConfig ─▶ check ─▶ findings
//!              (schema: every key, once)        └─────▶ LogStore, Tn, Cn
//! ```
//!
//! Pure but for `load`, which reads the files. Keys are written in any case, as the original reads them.

mod bytes;
mod check;
mod finding;
mod launch;
mod load;
mod reach;
mod read;
mod reference;
mod resolve;
mod schema;
mod service;
mod source;
mod tree;
mod value;

pub use check::{check, check_launch};
pub use finding::{Finding, Weight, has_errors, report};
pub use launch::{Dynamic, Launch};
pub use load::{Loaded, load_launch, load_service};
pub use reach::Reach;
pub use reference::reference;
pub use resolve::{Bootstrap, Cn, Endpoint, HAKEEPER_IDS, LogStore, STANDBY_SHARD, SqlTls, Tls, Tn};
pub use service::{
    BootstrapConfig, CnConfig, Drydock, FileService, KeeperClient, KeeperTimes, LogService, Logging, Observability,
    Restore, ServiceConfig, ServiceType, TnConfig,
};
pub use source::{Read, Source};
