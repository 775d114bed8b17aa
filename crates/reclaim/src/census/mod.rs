//! The census room: where a node's disk went beside its tables' rows, and what of it can be given back.

mod disk;
mod holders;
mod orphans;

use crate::estimate::{FileAccess, own_directory, spaces::Spaces};
use api::DiskCensus;
use mysql::{Capabilities, Session, SqlError};

/// Takes the census. Reads only; needs `PROCESS`, and `REPLICATION CLIENT` (`BINLOG MONITOR`) for logs: what a missing
/// right hides is left out and said in an item of its own.
pub async fn take(session: &mut Session, caps: &Capabilities, files: &FileAccess) -> Result<DiskCensus, SqlError> {
    let spaces = Spaces::read(session, caps).await?;
    let (directory, _) = own_directory(session, files, &spaces).await?;
    let mut items = holders::all(session, caps, &spaces).await?;
    items.extend(orphans::all(session, &spaces, directory.as_deref()).await?);
    items.sort_by_key(|item| std::cmp::Reverse(item.bytes));
    let (disk_free_bytes, disk_total_bytes) = disk::room(session, directory.as_deref()).await?.unzip();
    let table = |name: &str| name.contains('/') && !orphans::is_orphan(name) && !holders::is_fulltext(name);
    let table_bytes = spaces.0.values().filter(|space| table(&space.name)).map(|space| space.file_bytes).sum();
    Ok(DiskCensus { node: session.address().to_string(), items, table_bytes, disk_free_bytes, disk_total_bytes })
}
