//! What broken rebuilds left behind: tablespaces and files named `#sql…` that no statement is writing.

use crate::estimate::spaces::Spaces;
use api::CensusItem;
use mysql::{Session, SqlError, ident};
use std::{collections::HashSet, path::Path};

/// `database/#sql…` as tablespaces are named.
pub(super) fn is_orphan(name: &str) -> bool {
    // In clear on MySQL 8, in the filename charset elsewhere.
    name.split_once('/').is_some_and(|(_, table)| table.starts_with("#sql") || table.starts_with("@0023sql"))
}

/// Leftovers the server knows, and those only the disk shows.
pub(super) async fn all(
    session: &mut Session,
    spaces: &Spaces,
    directory: Option<&Path>,
) -> Result<Vec<CensusItem>, SqlError> {
    let busy = rebuilds_running(session).await?;
    let mut items: Vec<CensusItem> = Vec::new();
    let mut known = HashSet::new();
    for space in spaces.0.values().filter(|space| is_orphan(&space.name)) {
        known.extend(space.path.as_deref().and_then(|path| Path::new(path).file_name()).map(ToOwned::to_owned));
        items.push(orphan(&space.name, space.file_bytes, busy, &drop_table(&space.name)));
    }
    // A cold directory of many files takes its time, and others share this task.
    let directory = directory.map(Path::to_path_buf);
    let looked = tokio::task::spawn_blocking(move || directory.as_deref().map(leftovers).unwrap_or_default());
    for (name, bytes) in looked.await.unwrap_or_default() {
        if !Path::new(&name).file_name().is_some_and(|file| known.contains(file)) {
            let advice = "no tablespace of the server uses this file: move it away while the server is stopped";
            items.push(orphan(&name, bytes, busy, advice));
        }
    }
    Ok(items)
}

fn orphan(name: &str, bytes: u64, busy: bool, advice: &str) -> CensusItem {
    let (reclaimable_bytes, advice) = if busy {
        (0, "a rebuild is running and this may be its copy: look again when it has ended".to_owned())
    } else {
        (bytes, advice.to_owned())
    };
    CensusItem { kind: "orphan".into(), name: name.into(), bytes, reclaimable_bytes, advice }
}

/// The `#mysql50#` prefix makes a server take a file name as it stands.
fn drop_table(name: &str) -> String {
    let (database, table) = name.split_once('/').unwrap_or(("", name));
    let table = format!("#mysql50#{}", table.replace("@0023", "#").replace("@002d", "-"));
    format!(
        "MySQL 8 and MariaDB 10.6 and later clear it away at the next restart; before: DROP TABLE {}.{}",
        ident(database),
        ident(&table)
    )
}

/// Whether some session runs a statement that makes such tables.
async fn rebuilds_running(session: &mut Session) -> Result<bool, SqlError> {
    session.sees_everybody().await?;
    let rows = session.rows("SHOW FULL PROCESSLIST").await?;
    let makes = |text: String| {
        let words: Vec<String> = text.split_whitespace().map(str::to_ascii_uppercase).collect();
        words.iter().any(|word| matches!(word.as_str(), "ALTER" | "OPTIMIZE" | "CREATE" | "REPAIR"))
    };
    Ok(rows.iter().filter_map(|row| row.text("Info")).any(makes))
}

/// Files named `#sql…` one level below the data directory, with their sizes.
fn leftovers(directory: &Path) -> Vec<(String, u64)> {
    let below = |path: &Path| std::fs::read_dir(path).into_iter().flatten().filter_map(Result::ok).collect::<Vec<_>>();
    let mut found = Vec::new();
    for database in below(directory).iter().filter(|entry| entry.path().is_dir()) {
        for file in below(&database.path()) {
            let name = file.file_name().to_string_lossy().into_owned();
            if name.starts_with("#sql") && !database.file_name().to_string_lossy().starts_with('#') {
                let bytes = file.metadata().map_or(0, |meta| meta.len());
                found.push((format!("{}/{name}", database.file_name().to_string_lossy()), bytes));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leftovers_are_told_from_tables() {
        assert!(is_orphan("shop/#sql-ib1063-2891"));
        assert!(is_orphan("shop/@0023sql@002dalter@002d1f@002d8"));
        assert!(!is_orphan("shop/orders") && !is_orphan("innodb_system"));
    }
}
