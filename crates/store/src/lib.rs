//! Jobs, journals, leases, audit and metrics history in SQLite, MySQL/MariaDB or PostgreSQL.
//!
//! [`open`] takes a path (SQLite) or a URL. Every store passes `jobs::conformance`.

mod database;
mod dialect;
mod fault;
mod history;
mod leases;
mod mirror;
mod place;
mod reading;
mod records;
mod retention;
mod rows;
mod schema;
mod transaction;

pub use database::{SqlStore, open};
pub use mirror::{Mirror, MirrorError};
pub use place::Place;
