//! The MySQL protocol as a server speaks it: frames, handshake, commands, text results. No SQL, no rules, no threads.
//!
//! [`serve`] runs one client connection over any stream and hands each statement to a [`Handler`].

mod answer;
mod auth;
mod command;
mod connection;
mod error;
mod frame;
mod greeting;
mod read;

pub use answer::{Answer, ErrorAnswer, Rows};
pub use auth::{Credential, Plugin};
pub use command::Command;
pub use connection::{Client, Handler, Settings, serve};
pub use error::WireError;
