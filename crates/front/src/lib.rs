//! The SQL door: MySQL clients ask for and set the log service's own state. No rules live here, only the way in and out.
//!
//! A program binds a listener and calls [`serve`] with what it has of a [`LogService`].

mod accounts;
mod answer;
mod bind;
mod logservice;
mod server;
mod service;
mod session;
mod settings;
mod statement;
mod token;
mod variables;

pub use accounts::Accounts;
pub use bind::check_bind;
pub use server::{FrontHandle, serve};
pub use service::{LogService, ServiceError};
pub use settings::FrontSettings;
