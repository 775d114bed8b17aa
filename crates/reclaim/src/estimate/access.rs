//! Whether the tables' files can be read from here, decided and never assumed.

use super::{
    budget::BLOCK,
    spaces::{Space, Spaces},
    tablespace::Tablespace,
};
use mysql::{Session, SqlError};
use std::path::{Path, PathBuf};

/// May the estimator open data files?
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum FileAccess {
    /// By SQL alone.
    Off,
    /// Where this program runs on the server's host and may read its data directory. Each file is checked against the
    /// server's word (space id and size) before a page of it is believed.
    #[default]
    Auto,
    /// The server's data directory is seen here, such as from a snapshot or a mount.
    At(PathBuf),
}

impl FileAccess {
    /// The data directory as seen from here, if it is worth a try.
    pub(crate) async fn directory(&self, session: &mut Session) -> Result<Option<PathBuf>, SqlError> {
        let candidate = match self {
            Self::Off => return Ok(None),
            Self::At(directory) => directory.clone(),
            Self::Auto => PathBuf::from(session.value("SELECT @@datadir").await?.unwrap_or_default()),
        };
        Ok(candidate.is_dir().then_some(candidate))
    }
}

/// Files looked at before a directory is taken for the server's.
const CHECKED: usize = 32;

/// The data directory, if all that is asked of it says that it is this server's, and the bytes read to know. Another server's
/// is easily met: two servers of one host, or a server in a container beside one outside, which name the same path.
pub(crate) async fn own_directory(
    session: &mut Session,
    files: &FileAccess,
    spaces: &Spaces,
) -> Result<(Option<PathBuf>, u64), SqlError> {
    let Some(directory) = files.directory(session).await? else { return Ok((None, 0)) };
    let uuid = match session.value("SELECT @@server_uuid").await {
        Err(error) if error.is_unknown_statement() => None,
        answer => answer?,
    };
    let told = std::fs::read_to_string(directory.join("auto.cnf")).ok();
    if uuid.zip(told).is_some_and(|(uuid, told)| !told.contains(&uuid)) {
        return Ok((None, 0));
    }
    let some = some_of(spaces);
    let answers: Vec<bool> = some.iter().filter_map(|space| is_there(&directory, space)).collect();
    let own = !answers.is_empty() && answers.iter().all(|own| *own);
    Ok((own.then_some(directory), some.len() as u64 * BLOCK))
}

/// Tablespaces of tables, spread over all; those of a rebuild under way come and go.
fn some_of(spaces: &Spaces) -> Vec<&Space> {
    let of_table = |space: &&Space| space.name.contains('/') && !space.name.contains("#sql") && space.path.is_some();
    let mut all: Vec<&Space> = spaces.0.values().filter(of_table).collect();
    all.sort_by_key(|space| std::cmp::Reverse(space.id));
    let step = all.len().div_ceil(CHECKED).max(1);
    all.into_iter().step_by(step).collect()
}

/// Whether its file is there, of its id, and not shorter than the server said; it may have grown since. `MariaDB` writes the
/// first page of a new file late: until then the file says nothing either way.
fn is_there(directory: &Path, space: &Space) -> Option<bool> {
    let path = space.path.as_deref().map(|path| resolve(directory, path));
    match path.and_then(|path| Tablespace::identity(&path).ok()) {
        Some((0, _)) => None,
        seen => Some(seen.is_some_and(|(id, bytes)| id == space.id && bytes >= space.file_bytes)),
    }
}

/// Where a tablespace's file lies, seen from here.
pub(crate) fn resolve(directory: &Path, path: &str) -> PathBuf {
    let path = Path::new(path);
    if path.is_absolute() { path.to_owned() } else { directory.join(path.strip_prefix("./").unwrap_or(path)) }
}
