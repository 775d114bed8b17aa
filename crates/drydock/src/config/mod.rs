//! Settings: `config.yaml`, the environment and flags, as one typed configuration; the other rooms get their own
//! part of it as plain data.

mod environment;
mod error;
mod file;
mod load;
mod rooms;
#[cfg(test)]
mod tests;
mod value;

pub use environment::{Environment, Lookup, MOVED_PASSWORD, process};
pub use error::ConfigError;
pub use file::{
    Alerts, Auth, Budget, Cluster, Concurrency, ConfigFile, Connection, Database, Defaults, Discovery, Heartbeat,
    JobState, Logging, Member, Metrics, MetricsFile, Monitoring, Persistence, Recycling, Server, ServerTls, StorePlace,
    Token, Window,
};
pub use load::{Config, DEFAULT_FILE, Flags, load, parse};
pub use value::LEVELS;
