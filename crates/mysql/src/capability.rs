//! What this server is and which spellings it knows, asked and never assumed.

use crate::{Session, SqlError};
use std::fmt;

/// Which engine answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Flavor {
    /// Oracle's MySQL.
    MySql,
    /// Percona Server for MySQL.
    Percona,
    /// MariaDB.
    MariaDb,
    /// Speaks the protocol, is none of the above (MatrixOne, OceanBase, TiDB, …): treated with the most care.
    Other,
}

impl Flavor {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MySql => "mysql",
            Self::Percona => "percona",
            Self::MariaDb => "mariadb",
            Self::Other => "other",
        }
    }

    /// The flavor of a word on the wire.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::MySql, Self::Percona, Self::MariaDb, Self::Other].into_iter().find(|flavor| flavor.as_str() == word)
    }
}

/// `major.minor.patch`, ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Version(pub u16, pub u16, pub u16);

impl Version {
    /// Reads the leading numbers of `@@version`; the `5.5.5-` some MariaDB versions put in front is passed over.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.strip_prefix("5.5.5-").unwrap_or(text);
        let mut numbers = text.split(|c: char| !c.is_ascii_digit()).map(|part| part.parse::<u16>().ok());
        Some(Self(numbers.next()??, numbers.next()??, numbers.next().flatten().unwrap_or(0)))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

/// The identity card of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capabilities {
    /// Which engine.
    pub flavor: Flavor,
    /// Its version number.
    pub version: Version,
    /// `@@version`, word for word.
    pub version_text: String,
    /// `@@version_comment`.
    pub version_comment: String,
}

impl Capabilities {
    /// Asks the server.
    pub async fn probe(session: &mut Session) -> Result<Self, SqlError> {
        let statement = "SELECT @@version AS v, @@version_comment AS c";
        let address = session.address().clone();
        let row = session.row(statement).await?;
        let read = |column: &str| row.as_ref().and_then(|row| row.text(column));
        let (text, comment) = (read("v").unwrap_or_default(), read("c").unwrap_or_default());
        Self::read(&text, &comment).ok_or_else(|| SqlError::Shape {
            address,
            column: "version".into(),
            statement: statement.into(),
        })
    }

    /// The card from `@@version` and `@@version_comment`; `None` if the version holds no number.
    pub fn read(version: &str, comment: &str) -> Option<Self> {
        Some(Self {
            flavor: flavor(version, comment),
            version: Version::parse(version)?,
            version_text: version.to_owned(),
            version_comment: comment.to_owned(),
        })
    }

    /// True for MariaDB.
    pub fn is_mariadb(&self) -> bool {
        self.flavor == Flavor::MariaDb
    }
}

fn flavor(version: &str, comment: &str) -> Flavor {
    let (version, comment) = (version.to_ascii_lowercase(), comment.to_ascii_lowercase());
    let strangers = ["oceanbase", "matrixone", "tidb", "aurora", "seekdb"];
    if strangers.iter().any(|name| version.contains(name) || comment.contains(name)) {
        return Flavor::Other;
    }
    if version.contains("mariadb") {
        Flavor::MariaDb
    } else if comment.contains("percona") {
        Flavor::Percona
    } else {
        Flavor::MySql
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_read_and_order() {
        assert_eq!(Version::parse("10.11.19-MariaDB-0+deb12u1"), Some(Version(10, 11, 19)));
        assert_eq!(Version::parse("5.5.5-10.6.4-MariaDB"), Some(Version(10, 6, 4)));
        assert!(Version(8, 0, 39) < Version(8, 4, 0));
        assert_eq!(Version::parse("eight"), None);
    }

    #[test]
    fn a_stranger_is_no_mysql() {
        assert_eq!(flavor("5.7.25-OceanBase-v4.3.5", "OceanBase"), Flavor::Other);
        assert_eq!(flavor("8.0.39-30", "Percona Server (GPL)"), Flavor::Percona);
        assert_eq!(flavor("11.8.9-MariaDB", ""), Flavor::MariaDb);
        assert_eq!(flavor("9.7.4", "(Debian)"), Flavor::MySql);
    }
}
