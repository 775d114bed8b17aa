//! Whether the tables' files can be read from here, decided and never assumed.

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

/// Where a tablespace's file lies, seen from here.
pub(crate) fn resolve(directory: &Path, path: &str) -> PathBuf {
    let path = Path::new(path);
    if path.is_absolute() { path.to_owned() } else { directory.join(path.strip_prefix("./").unwrap_or(path)) }
}
