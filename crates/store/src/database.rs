//! Opening a store, and running one transaction on it.

use crate::{
    Place,
    dialect::Dialect,
    fault::{Fault, is_worth_repeating},
    transaction::{attempt, within},
};
use futures::future::BoxFuture;
use jobs::StoreError;
use runtime::{Clock, Random};
use sqlx::{
    AnyConnection, AnyPool, Connection as _, Executor,
    any::{AnyConnectOptions, AnyPoolOptions},
};
use std::{path::Path, str::FromStr, sync::Arc, time::Duration};

/// Readers of one SQLite file in this process.
const READERS: u32 = 4;
/// Connections to a server.
const CONNECTIONS: u32 = 8;
/// How long a caller waits for a free connection, or a new one for its server.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long an idle connection may take to show that it lives. A whole pool of dead ones is seen through in a few seconds.
const SIGN_OF_LIFE: Duration = Duration::from_secs(1);
/// How long a connection to a server stays idle before we close it: less than the server lets it ([`Dialect::on_connect`]),
/// also counting the pool's own rhythm, so that no log fills with connections that were cut.
const IDLE: Duration = Duration::from_secs(10);
/// How often a transaction that lost a race is run again.
pub(crate) const ATTEMPTS: u64 = 20;

/// One database of the store, with its two ways in.
#[derive(Clone)]
pub(crate) struct Database {
    place: Place,
    /// SQLite: one connection, so that writers of this process queue here. Servers: the same pool as `reader`.
    writer: AnyPool,
    reader: AnyPool,
    clock: Clock,
    random: Random,
}

/// A store in SQL. Dropping the last handle closes it; [`SqlStore::close`] waits for that.
pub struct SqlStore {
    pub(crate) jobs: Database,
    /// A file of its own where the settings say so, else the same database.
    pub(crate) metrics: Database,
}

/// Opens a store, bringing its tables up to date. `place` is a file or a URL ([`Place::parse`]); `metrics` is a SQLite
/// file of its own for the metrics history (seed 002 chapter 4, `persistence.metrics.file`), else it lies in the store.
pub async fn open(place: &str, metrics: Option<&Path>) -> Result<Arc<SqlStore>, StoreError> {
    let jobs = Database::open(Place::parse(place)?).await?;
    let metrics = match metrics {
        Some(file) => Database::open(Place::file(file)?).await?,
        None => jobs.clone(),
    };
    Ok(Arc::new(SqlStore { jobs, metrics }))
}

impl SqlStore {
    /// Waits for what is under way and closes every connection.
    pub async fn close(&self) {
        self.jobs.close().await;
        self.metrics.close().await;
    }

    /// Where it is, without password.
    pub fn shown(&self) -> &str {
        self.jobs.shown()
    }
}

impl Database {
    async fn open(place: Place) -> Result<Database, StoreError> {
        sqlx::any::install_default_drivers();
        if let Some(directory) = place.file.as_deref().and_then(Path::parent) {
            tokio::fs::create_dir_all(directory)
                .await
                .map_err(|error| StoreError::Unavailable(format!("{}: {error}", directory.display())))?;
        }
        make_shrinkable(&place).await?;
        let writer = connect(&place, if place.dialect == Dialect::Sqlite { 1 } else { CONNECTIONS }).await?;
        let (clock, random) = (Clock::real(), Random::real());
        let database = Database { reader: writer.clone(), place, writer, clock, random };
        database.migrate().await?;
        let reader = match database.place.dialect {
            Dialect::Sqlite => connect(&database.place, READERS).await?,
            Dialect::MySql | Dialect::Postgres => database.writer.clone(),
        };
        Ok(Database { reader, ..database })
    }

    pub(crate) fn dialect(&self) -> Dialect {
        self.place.dialect
    }

    /// Where it is, without password.
    pub(crate) fn shown(&self) -> &str {
        self.place.shown()
    }

    /// For writing.
    pub(crate) fn writer(&self) -> &AnyPool {
        &self.writer
    }

    /// For reading outside transactions.
    pub(crate) fn reader(&self) -> &AnyPool {
        &self.reader
    }

    /// Runs `work` on `context` in one transaction that is durable when this returns; run again while it loses races.
    pub(crate) async fn transact<C: Sync, T>(
        &self,
        context: C,
        work: impl for<'a> Fn(&'a mut AnyConnection, &'a C) -> BoxFuture<'a, Result<T, Fault>>,
    ) -> Result<T, StoreError> {
        let mut round = 1;
        loop {
            match attempt(&self.writer, &self.place, &context, &work).await {
                Err(Fault::Database(error)) if round < ATTEMPTS && is_worth_repeating(&error) => {
                    self.pause(round).await;
                    round += 1;
                }
                Err(Fault::Database(error)) => return Err(self.unavailable(&error.to_string())),
                Err(Fault::Refused(error)) => return Err(error),
                Ok(value) => return Ok(value),
            }
        }
    }

    /// Longer after each lost race, by chance, so that two losers part.
    pub(crate) async fn pause(&self, attempt: u64) {
        self.clock.sleep(Duration::from_millis(1 + self.random.below(5 * attempt))).await;
    }

    pub(crate) fn unavailable(&self, error: &str) -> StoreError {
        StoreError::Unavailable(self.place.explained(error))
    }

    async fn close(&self) {
        self.reader.close().await;
        self.writer.close().await;
    }
}

/// Lets a SQLite file give free pages back. It counts only before the first table, and it writes: on every connection it would
/// keep each new one out while the disk is full.
async fn make_shrinkable(place: &Place) -> Result<(), StoreError> {
    let is_new = |file: &std::path::PathBuf| file.metadata().map_or(true, |told| told.len() == 0);
    if !place.file.as_ref().is_some_and(is_new) {
        return Ok(());
    }
    let failed = |error: sqlx::Error| StoreError::Unavailable(place.explained(&error.to_string()));
    let options = AnyConnectOptions::from_str(place.url.expose()).map_err(failed)?;
    let mut connection = AnyConnection::connect_with(&options).await.map_err(failed)?;
    for statement in ["PRAGMA busy_timeout = 10000", "PRAGMA auto_vacuum = INCREMENTAL"] {
        connection.execute(statement).await.map_err(failed)?;
    }
    connection.close().await.map_err(failed)
}

async fn connect(place: &Place, connections: u32) -> Result<AnyPool, StoreError> {
    let failed = |error: sqlx::Error| StoreError::Unavailable(place.explained(&error.to_string()));
    let options = AnyConnectOptions::from_str(place.url.expose()).map_err(failed)?;
    let greeting = place.dialect.on_connect();
    AnyPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(PATIENCE)
        .idle_timeout((place.dialect != Dialect::Sqlite).then_some(IDLE))
        .test_before_acquire(false)
        .before_acquire(|connection, _| {
            Box::pin(within(SIGN_OF_LIFE, async { connection.ping().await.map(|()| true) }))
        })
        .after_connect(move |connection, _| {
            Box::pin(async move {
                for statement in greeting {
                    connection.execute(*statement).await?;
                }
                Ok(())
            })
        })
        .connect_with(options)
        .await
        .map_err(failed)
}
