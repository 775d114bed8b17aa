//! Jobs, journals, leases, audit and metrics history in SQLite, MySQL/MariaDB or PostgreSQL.
//!
//! [`open`] takes a path (SQLite) or a URL. Every store passes `jobs::conformance`.

mod database;
mod dialect;
mod fault;
mod history;
mod leases;
mod place;
mod records;
mod rows;

pub use database::{SqlStore, open};
pub use place::Place;
