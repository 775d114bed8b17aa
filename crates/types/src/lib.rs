//! Ground floor: plain data every room speaks in. No async, no I/O, no clock.

mod address;
mod duration;
mod failure;
pub mod gtid;
mod ids;
mod name;
mod position;
mod secret;

pub use address::Address;
pub use duration::{Span, SpanError};
pub use failure::{Code, Failure};
pub use gtid::{Gtid, GtidError, GtidSet};
pub use ids::JobId;
pub use name::{TableName, TableNameError};
pub use position::{Epoch, Lsn};
pub use secret::Secret;
