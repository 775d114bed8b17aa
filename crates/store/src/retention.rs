//! Removing what is old, and giving the room it took back to the file system.

use crate::{SqlStore, database::Database, dialect::Dialect, fault::Fault, records::marks, rows};
use jiff::Timestamp;
use jobs::StoreError;
use sqlx::{AnyConnection, Row};

/// Jobs removed in one transaction: their journals may be long.
const JOBS: usize = 20;
/// Samples removed with one statement: others write between two.
const SAMPLES: i64 = 5000;
/// Pages given back with one statement.
const PAGES: u32 = 1000;
/// Free pages a SQLite file may keep for what comes next: a tenth of it. Giving each back would cost more than it brings.
const KEPT: i64 = 10;
/// Final states; a job never leaves them.
const FINAL: &str = "status IN ('completed', 'failed', 'cancelled')";

impl SqlStore {
    /// Removes final jobs made before a moment with all that belongs to them; the day's count stays, so no name is used twice.
    pub(crate) async fn remove_jobs(&self, before: Timestamp) -> Result<u64, StoreError> {
        let select =
            format!("SELECT id FROM jobs WHERE created_us < ? AND {FINAL} ORDER BY created_us, number LIMIT {JOBS}");
        let mut removed = 0;
        loop {
            let found = self.jobs.read(&select, &[], &[before.as_microsecond()]).await?;
            let ids: Vec<String> = found.iter().map(|row| rows::get(row, 0)).collect::<Result<_, _>>()?;
            if ids.is_empty() {
                break;
            }
            let work = (self.jobs.dialect(), ids);
            removed += self.jobs.transact(work, |on, (dialect, ids)| Box::pin(remove(on, *dialect, ids))).await?;
        }
        if removed > 0 {
            self.jobs.give_back().await?;
        }
        Ok(removed)
    }

    /// Removes samples from before a moment.
    pub(crate) async fn remove_samples(&self, before: Timestamp) -> Result<u64, StoreError> {
        // The youngest of the oldest few thousand: a bound that an index finds, in the words of every database.
        let bound = format!("SELECT at_us FROM metrics WHERE at_us < ? ORDER BY at_us LIMIT 1 OFFSET {}", SAMPLES - 1);
        let mut removed = 0;
        loop {
            let bound = self.metrics.read(&bound, &[], &[before.as_microsecond()]).await?;
            let until = bound.first().map(|row| rows::get::<i64>(row, 0)).transpose()?;
            let last = until.is_none();
            let work = (self.metrics.dialect(), until.map_or(before.as_microsecond(), |until| until + 1));
            let delete = self.metrics.transact(work, |on, (dialect, until)| {
                Box::pin(async move {
                    let delete = dialect.sql("DELETE FROM metrics WHERE at_us < ?");
                    Ok(sqlx::query(delete).bind(*until).execute(on).await?.rows_affected())
                })
            });
            removed += delete.await?;
            if last {
                break;
            }
        }
        if removed > 0 {
            self.metrics.give_back().await?;
        }
        Ok(removed)
    }
}

async fn remove(on: &mut AnyConnection, dialect: Dialect, ids: &[String]) -> Result<u64, Fault> {
    let these = marks(ids.len());
    let mut removed = 0;
    // Children first; the jobs come last, and what was removed of them is the answer.
    for (table, key) in [("journal", "job_id"), ("leases", "resource"), ("jobs", "id")] {
        let delete = format!("DELETE FROM {table} WHERE {key} IN ({these})");
        let mut query = sqlx::query(dialect.sql(&delete));
        for id in ids {
            query = query.bind(id);
        }
        removed = query.execute(&mut *on).await?.rows_affected();
    }
    Ok(removed)
}

impl Database {
    /// Makes a SQLite file smaller by its free pages, a few at a time. A server looks after its own files.
    async fn give_back(&self) -> Result<(), StoreError> {
        if self.dialect() != Dialect::Sqlite {
            return Ok(());
        }
        while self.transact((), |on, ()| Box::pin(vacuum(on))).await? {}
        Ok(())
    }
}

/// True if there was something to give back.
async fn vacuum(on: &mut AnyConnection) -> Result<bool, Fault> {
    let (free, pages) = (pragma(on, "PRAGMA freelist_count").await?, pragma(on, "PRAGMA page_count").await?);
    if free == 0 || free <= pages / KEPT {
        return Ok(false);
    }
    sqlx::query(Dialect::Sqlite.sql(&format!("PRAGMA incremental_vacuum({PAGES})"))).fetch_all(&mut *on).await?;
    // A file made without the setting cannot give anything back.
    Ok(pragma(on, "PRAGMA freelist_count").await? < free)
}

async fn pragma(on: &mut AnyConnection, text: &'static str) -> Result<i64, Fault> {
    Ok(sqlx::query(text).fetch_one(on).await?.try_get(0)?)
}
