//! The estimate room: what a rebuild would really free, per table and partition, with an interval.
//!
//! Two ways lead to one model: pages sampled from the file where it can be read, and rows and statistics by SQL
//! everywhere else. Both end in [`Content`]: live record bytes per index. What a rebuild makes of them is arithmetic
//! over InnoDB's own allocation rules, in `layout`.

mod access;
mod budget;
mod catalog;
mod columns;
mod content;
mod facts;
mod filter;
mod layout;
mod page;
mod record;
mod rows;
mod sampler;
pub(crate) mod spaces;
mod statistics;
mod survey;
mod tablespace;

pub use access::FileAccess;
pub(crate) use access::own_directory;
pub use content::Content;
pub use facts::{PartitionFacts, TableFacts};
pub use filter::Filter;
pub use layout::Rebuild;
pub(crate) use spaces::page_compressed;
pub(crate) use survey::is_page_compressed;
pub use survey::{Survey, survey, survey_for};

use std::time::Duration;

/// Limit for one question over all tables of a server: a server with hundreds of thousands of them takes minutes.
pub(crate) const SURVEY_LIMIT: Duration = Duration::from_mins(10);
