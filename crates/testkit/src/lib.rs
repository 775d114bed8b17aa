//! Real fleets for tests, demo and bench: private servers on free loopback ports in temporary directories.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a test bed stops loudly where it stands"
)]

mod browser;
mod disk;
mod engine;
pub mod fake;
mod fleet;
mod galera;
mod group;
mod heart;
mod keyring;
mod port;
mod postgres;
mod proxy;
mod server;
mod settle;

pub use browser::Browser;
pub use disk::SmallDisk;
pub use engine::Engine;
pub use fleet::Fleet;
pub use group::GroupMode;
pub use heart::{HEARTBEAT, Heart};
pub use port::free_port;
pub use postgres::Postgres;
pub use proxy::Proxy;
pub use server::{Options, Server};

/// The account every fleet has, with all rights: user name.
pub const USER: &str = "drydock";
/// Its password.
pub const PASSWORD: &str = "dry-dock-secret";
