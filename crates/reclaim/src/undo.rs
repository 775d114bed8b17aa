//! Undo tablespaces as a server shows them, and how it can be made to shrink them.

use mysql::{Capabilities, Session, SqlError, Version, ident, literal};

/// The tablespace that stands in while another is emptied: two others must stay active.
pub(crate) const SPARE: &str = "drydock_spare_undo";
/// Size MySQL makes an undo tablespace again when it is truncated.
const MYSQL_BYTES: u64 = 16 << 20;
/// The same for `MariaDB`.
pub(crate) const MARIADB_BYTES: u64 = 10 << 20;

/// An undo tablespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UndoSpace {
    /// Its name.
    pub name: String,
    /// Bytes of its file.
    pub bytes: u64,
}

/// How a server shrinks them on command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// Set inactive, which empties and truncates it, and active again (MySQL 8.0.14 and later).
    Statement,
    /// The purge truncates those above a limit, if two settings say so (`MariaDB`).
    Setting,
}

/// `None` where the server does it in the background only, or not at all.
pub(crate) fn way(capabilities: &Capabilities) -> Option<Way> {
    if capabilities.is_mariadb() {
        return Some(Way::Setting);
    }
    (capabilities.version >= Version(8, 0, 14)).then_some(Way::Statement)
}

/// Bytes such a tablespace is made with, and has again once it was truncated.
pub(crate) fn first_bytes(capabilities: &Capabilities) -> u64 {
    if capabilities.is_mariadb() { MARIADB_BYTES } else { MYSQL_BYTES }
}

/// All of them by name, our own spare left out. Needs `PROCESS`; none where undo lies in the system tablespace.
pub(crate) async fn spaces(session: &mut Session, capabilities: &Capabilities) -> Result<Vec<UndoSpace>, SqlError> {
    let (view, which) = if capabilities.is_mariadb() {
        ("INNODB_SYS_TABLESPACES", "LEFT(NAME, 11) = 'innodb_undo'")
    } else {
        ("INNODB_TABLESPACES", "SPACE_TYPE = 'Undo'")
    };
    let ask = format!("SELECT NAME AS n, FILE_SIZE AS b FROM information_schema.{view} WHERE {which} ORDER BY NAME");
    let rows = match session.rows(&ask).await {
        Err(error) if error.is_unknown_statement() => Vec::new(),
        answer => answer?,
    };
    let read = |row: &mysql::Row| Some(UndoSpace { name: row.text("n")?, bytes: row.parse("b")? });
    Ok(rows.iter().filter_map(read).filter(|space| space.name != SPARE).collect())
}

/// `active`, `inactive` or `empty`; `None` if there is no such tablespace.
pub(crate) async fn state(session: &mut Session, name: &str) -> Result<Option<String>, SqlError> {
    let ask = format!("SELECT STATE FROM information_schema.INNODB_TABLESPACES WHERE NAME = {}", literal(name));
    session.value(&ask).await
}

/// Makes the spare.
pub(crate) fn create_spare() -> String {
    format!("CREATE UNDO TABLESPACE {} ADD DATAFILE {}", ident(SPARE), literal(&format!("{SPARE}.ibu")))
}

/// Drops it once it is empty.
pub(crate) fn drop_spare() -> String {
    format!("DROP UNDO TABLESPACE {}", ident(SPARE))
}

/// Lets a tablespace be emptied and truncated.
pub(crate) fn set_inactive(name: &str) -> String {
    format!("ALTER UNDO TABLESPACE {} SET INACTIVE", ident(name))
}

/// Lets it be used again.
pub(crate) fn set_active(name: &str) -> String {
    format!("ALTER UNDO TABLESPACE {} SET ACTIVE", ident(name))
}

/// Everything that shrinks the named ones, in order; what has to be waited for lies between the statements.
pub(crate) fn statements(way: Way, names: &[String]) -> Vec<String> {
    if way == Way::Setting {
        return Vec::new();
    }
    let each = names.iter().flat_map(|name| [set_inactive(name), set_active(name)]);
    std::iter::once(create_spare()).chain(each).chain([set_inactive(SPARE), drop_spare()]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_put_back_before_the_next_and_names_cannot_break_out() {
        let all = statements(Way::Statement, &["innodb_undo_001".into(), "a`; DROP TABLE x".into()]);
        assert_eq!(
            all,
            [
                "CREATE UNDO TABLESPACE `drydock_spare_undo` ADD DATAFILE 'drydock_spare_undo.ibu'",
                "ALTER UNDO TABLESPACE `innodb_undo_001` SET INACTIVE",
                "ALTER UNDO TABLESPACE `innodb_undo_001` SET ACTIVE",
                "ALTER UNDO TABLESPACE `a``; DROP TABLE x` SET INACTIVE",
                "ALTER UNDO TABLESPACE `a``; DROP TABLE x` SET ACTIVE",
                "ALTER UNDO TABLESPACE `drydock_spare_undo` SET INACTIVE",
                "DROP UNDO TABLESPACE `drydock_spare_undo`",
            ]
        );
        assert!(statements(Way::Setting, &["innodb_undo001".into()]).is_empty());
    }
}
