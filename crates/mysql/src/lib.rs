//! The only room that opens a session to a managed server: connect, ask by column name, quote, probe, kill.

mod capability;
mod endpoint;
mod error;
mod quote;
mod row;
mod session;

pub use capability::{Capabilities, Flavor, Version};
pub use endpoint::{Endpoint, TlsMode};
pub use error::SqlError;
pub use quote::{ident, literal, table_ident};
pub use row::Row;
pub use session::{Session, kill_query};
