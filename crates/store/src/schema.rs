//! Bringing a store's tables up to date, also when several processes start at the same moment.

use crate::{
    database::{ATTEMPTS, Database},
    dialect::Dialect,
    transaction::Hold,
};
use jobs::StoreError;
use sqlx::{
    AnyConnection, Executor, Row,
    migrate::{MigrateError, Migrator},
};

static SQLITE: Migrator = sqlx::migrate!("migrations/sqlite");
static MYSQL: Migrator = sqlx::migrate!("migrations/mysql");
static POSTGRES: Migrator = sqlx::migrate!("migrations/postgres");

/// One process at a time, of all that share the database; its name is hashed because a lock's may have 64 letters.
const LOCK: &str = "SELECT CAST(GET_LOCK(CONCAT('drydock_schema:', LEFT(SHA2(DATABASE(), 256), 40)), 60) AS SIGNED)";
const UNLOCK: &str = "DO RELEASE_LOCK(CONCAT('drydock_schema:', LEFT(SHA2(DATABASE(), 256), 40)))";

impl Database {
    /// Makes what tables are missing.
    pub(crate) async fn migrate(&self) -> Result<(), StoreError> {
        match self.dialect() {
            Dialect::Sqlite => self.migrate_file().await,
            Dialect::MySql => self.migrate_mysql().await,
            // The driver's own lock holds there.
            Dialect::Postgres => POSTGRES.run(self.writer()).await.map_err(|error| self.not_migrated(&error)),
        }
    }

    /// SQLite has no lock around migrations: a second process that starts at the same moment fails and finds the work
    /// done when it looks again.
    async fn migrate_file(&self) -> Result<(), StoreError> {
        for attempt in 1..ATTEMPTS {
            match SQLITE.run(self.writer()).await {
                Ok(()) => return Ok(()),
                Err(error @ MigrateError::VersionMissing(_)) => return Err(self.not_migrated(&error)),
                Err(_) => self.pause(attempt).await,
            }
        }
        SQLITE.run(self.writer()).await.map_err(|error| self.not_migrated(&error))
    }

    /// The driver's own lock asks MariaDB to wait `-1` seconds, which there is a warning and no lock; so we take one. The
    /// connection goes with it whatever happens.
    async fn migrate_mysql(&self) -> Result<(), StoreError> {
        let failed = |error: sqlx::Error| self.unavailable(&error.to_string());
        let mut hold = Hold::on(self.writer()).await.map_err(failed)?;
        let on = hold.connection();
        let locked = on.fetch_one(LOCK).await.map_err(failed)?;
        if locked.try_get::<i64, _>(0).ok() != Some(1) {
            let text = "another process has been changing the tables for a minute; see what it does, then start again";
            return Err(self.unavailable(text));
        }
        forget_broken_migrations(on).await;
        // `run` would do, if its future could be sent between threads.
        MYSQL.run_direct(None, &mut *on, false).await.map_err(|error| self.not_migrated(&error))?;
        on.execute(UNLOCK).await.map_err(failed)?;
        Ok(())
    }

    fn not_migrated(&self, error: &MigrateError) -> StoreError {
        match error {
            MigrateError::VersionMissing(version) => {
                let text = format!("{} was written by a newer Drydock (schema {version})", self.shown());
                StoreError::Unavailable(text)
            }
            error => self.unavailable(&error.to_string()),
        }
    }
}

/// MySQL commits DDL at once, so a crash can leave a migration marked as begun; each of ours is safe to run again. Only
/// under the lock: the mark may be that of a process that is at it.
async fn forget_broken_migrations(on: &mut AnyConnection) {
    // Absent on the first run, and then there is nothing to forget.
    let _ = on.execute("DELETE FROM _sqlx_migrations WHERE success = 0").await;
}
