//! What a database error means for the caller: try again, gone, or unknown.

use jobs::StoreError;
use sqlx::error::DatabaseError;

/// Why a piece of work inside a transaction ended.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The contract says no; nothing was written.
    Refused(StoreError),
    /// The database says no.
    Database(sqlx::Error),
}

impl From<sqlx::Error> for Fault {
    fn from(error: sqlx::Error) -> Self {
        Fault::Database(error)
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Fault::Refused(error)
    }
}

/// MySQL: lock wait time-out, deadlock. A duplicate key is a race between two first writers.
const MYSQL_AGAIN: [u16; 3] = [1205, 1213, 1062];
/// PostgreSQL: serialization failure, deadlock, duplicate key, lock not available.
const POSTGRES_AGAIN: [&str; 4] = ["40001", "40P01", "23505", "55P03"];
/// SQLite, low byte of the code: busy, locked.
const SQLITE_AGAIN: [i64; 2] = [5, 6];
/// SQLite, low byte of the code: I/O error, disk full.
const SQLITE_DISK: [i64; 2] = [10, 13];

/// True if the transaction certainly did not happen and may succeed when run again.
pub(crate) fn is_worth_repeating(error: &sqlx::Error) -> bool {
    let Some(database) = error.as_database_error() else { return false };
    if let Some(mysql) = database.try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>() {
        return MYSQL_AGAIN.contains(&mysql.number());
    }
    if database.try_downcast_ref::<sqlx::postgres::PgDatabaseError>().is_some() {
        return POSTGRES_AGAIN.contains(&database.code().unwrap_or_default().as_ref());
    }
    sqlite_code(database).is_some_and(|code| SQLITE_AGAIN.contains(&code))
}

/// True if a failed commit certainly did not happen: the database answered, and not that its disk failed it. SQLite may
/// have the commit's frame in its log already when the disk refuses what belongs behind it, and finds it after a crash.
pub(crate) fn is_an_answer(error: &sqlx::Error) -> bool {
    let Some(database) = error.as_database_error() else { return false };
    sqlite_code(database).is_none_or(|code| !SQLITE_DISK.contains(&code))
}

/// The low byte of SQLite's code; `None` for the other databases.
fn sqlite_code(database: &dyn DatabaseError) -> Option<i64> {
    database.try_downcast_ref::<sqlx::sqlite::SqliteError>()?;
    database.code()?.parse::<i64>().ok().map(|code| code & 0xff)
}

/// What the user can do about the ways in which a store is commonly unusable.
pub(crate) fn advice(error: &str) -> &'static str {
    let knows = |needle: &str| error.contains(needle);
    if knows("RSA") {
        "; MySQL's caching_sha2_password needs TLS: switch TLS on at the server or add ?ssl-mode=REQUIRED"
    } else if knows("disk is full") || knows("disk I/O") {
        "; make room on the store's disk"
    } else if knows("read-only") || knows("readonly") || knows("unable to open") {
        "; check the rights on the file and its directory"
    } else {
        ""
    }
}
