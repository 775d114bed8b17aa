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
pub use content::Content;
pub use facts::{PartitionFacts, TableFacts};
pub use filter::Filter;
pub use layout::Rebuild;
pub(crate) use spaces::page_compressed;
pub(crate) use survey::is_page_compressed;
pub use survey::{Survey, survey, survey_for};

use std::{path::Path, time::Duration};

/// Limit for one question over all tables of a server: a server with hundreds of thousands of them takes minutes.
pub(crate) const SURVEY_LIMIT: Duration = Duration::from_mins(10);

/// Whether this tablespace's file lies below the directory: how a directory is known to be the server's own.
pub(crate) fn tablespace_is(directory: &Path, space: &spaces::Space) -> bool {
    let path = space.path.as_deref().map(|path| access::resolve(directory, path));
    path.is_some_and(|path| tablespace::Tablespace::open(&path, space).is_ok())
}
