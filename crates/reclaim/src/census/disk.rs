//! The disk under the data directory: whether it is seen from here at all, how large, how free.

use mysql::{Session, SqlError};
use nix::sys::statvfs::statvfs;
use std::path::Path;

/// Free and total bytes: from the file system, or from `MariaDB`'s `DISKS` plug-in where it is loaded.
pub(super) async fn room(session: &mut Session, directory: Option<&Path>) -> Result<Option<(u64, u64)>, SqlError> {
    if let Some(stat) = directory.and_then(|directory| statvfs(directory).ok()) {
        let unit = stat.fragment_size();
        return Ok(Some((stat.blocks_available() * unit, stat.blocks() * unit)));
    }
    match session.rows("SELECT Path, Total, Available, @@datadir AS home FROM information_schema.DISKS").await {
        Err(error) if error.is_unknown_statement() || error.is_denied() => Ok(None),
        Err(error) => Err(error),
        Ok(rows) => {
            let holds = |row: &&mysql::Row| {
                row.text("home").zip(row.text("Path")).is_some_and(|(home, path)| Path::new(&home).starts_with(path))
            };
            let longest = |row: &&mysql::Row| row.text("Path").map_or(0, |path| path.len());
            let row = rows.iter().filter(holds).max_by_key(longest);
            let kib = |column: &str| row.and_then(|row| row.parse::<u64>(column)).map(|kib| kib * 1024);
            Ok(kib("Available").zip(kib("Total")))
        }
    }
}
