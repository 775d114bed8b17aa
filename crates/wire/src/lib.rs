//! The MySQL protocol as a server speaks it: frames, handshake, TLS, commands, rows as text and in binary. No SQL, no rules, no threads.
//!
//! [`serve`] runs one client connection over any stream and hands each statement to a [`Handler`].

mod answer;
mod auth;
mod column;
mod command;
mod connection;
mod error;
mod frame;
mod greeting;
mod login;
mod prepared;
mod read;
mod rows;
mod settings;
mod transport;
mod value;
mod write;

pub use answer::{Answer, ErrorAnswer};
pub use auth::{Credential, Plugin};
pub use column::{Column, ColumnKind};
pub use command::Command;
pub use connection::{Client, Handler, serve, turn_away};
pub use error::WireError;
pub use rows::Rows;
pub use settings::Settings;
pub use value::Value;
