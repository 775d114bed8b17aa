//! `JobStore` in SQL.

use crate::{
    SqlStore,
    dialect::Dialect,
    fault::Fault,
    leases,
    rows::{self, ROW},
};
use api::JobStatus;
use async_trait::async_trait;
use jiff::Timestamp;
use jobs::{
    Claim, JobFilter, JobPage, JobRecord, JobRow, JobStore, JobText, JournalEntry, Lease, NewEntry, NewJob, StoreError,
    later, to_micros,
};
use sqlx::{AnyConnection, any::AnyRow};
use std::{collections::HashMap, time::Duration};
use types::JobId;

/// Jobs read with one statement.
const CHUNK: usize = 200;

#[async_trait]
impl JobStore for SqlStore {
    async fn create(&self, job: NewJob) -> Result<JobRecord, StoreError> {
        let work = (self.jobs.dialect(), job);
        self.jobs.transact(work, |on, (dialect, job)| Box::pin(insert(on, *dialect, job.clone()))).await
    }

    async fn create_held(&self, job: NewJob, claim: &Claim) -> Result<(JobRecord, Lease), StoreError> {
        let work = (self.jobs.dialect(), job, claim);
        self.jobs
            .transact(work, |on, (dialect, job, claim)| {
                Box::pin(async move {
                    let record = insert(on, *dialect, job.clone()).await?;
                    let lease = leases::take(on, *dialect, record.id.as_str(), claim, job.created_at).await?;
                    Ok((record, lease))
                })
            })
            .await
    }

    async fn get(&self, id: &JobId) -> Result<Option<JobRecord>, StoreError> {
        Ok(self.get_many(std::slice::from_ref(id)).await?.pop())
    }

    async fn get_many(&self, ids: &[JobId]) -> Result<Vec<JobRecord>, StoreError> {
        self.in_order(ids, &format!("{ROW}, jobs.body"), rows::record, |job| &job.id).await
    }

    async fn texts(&self, ids: &[JobId]) -> Result<Vec<JobText>, StoreError> {
        self.in_order(ids, "jobs.id, jobs.version, jobs.body", rows::job_text, |text| &text.id).await
    }

    async fn unattended(&self, now: Timestamp, limit: u32) -> Result<Vec<JobRow>, StoreError> {
        let select = format!(
            "SELECT {ROW} FROM jobs LEFT JOIN leases ON leases.resource = jobs.id WHERE jobs.status IN (?, ?) \
             AND (leases.until_us IS NULL OR leases.until_us <= ?) ORDER BY jobs.created_us, jobs.number LIMIT ?"
        );
        let open = [JobStatus::Pending.as_str(), JobStatus::Running.as_str()];
        let found = self.jobs.read(&select, &open, &[now.as_microsecond(), i64::from(limit)]).await?;
        found.iter().map(rows::row).collect()
    }

    async fn list(&self, filter: &JobFilter) -> Result<JobPage, StoreError> {
        let words: Vec<&str> = filter.statuses.iter().map(|status| status.as_str()).collect();
        let fit = match words.len() {
            0 => String::new(),
            many => format!(" WHERE status IN ({})", marks(many)),
        };
        let total = self.jobs.count(&format!("SELECT COUNT(*) FROM jobs{fit}"), &words).await?;
        // The page is chosen on the index alone: passing over rows with their bodies costs a disk read each.
        let page = format!(
            "SELECT {ROW} FROM jobs JOIN (SELECT id AS chosen FROM jobs{fit} ORDER BY created_us DESC, number DESC \
             LIMIT ? OFFSET ?) page ON page.chosen = jobs.id ORDER BY jobs.created_us DESC, jobs.number DESC"
        );
        let bounds = [i64::from(filter.limit), i64::from(filter.offset)];
        let found = if filter.limit == 0 { Vec::new() } else { self.jobs.read(&page, &words, &bounds).await? };
        Ok(JobPage { total, jobs: found.iter().map(rows::row).collect::<Result<_, _>>()? })
    }

    async fn save(&self, job: &JobRecord, lease: Option<&Lease>) -> Result<JobRecord, StoreError> {
        let work = (self.jobs.dialect(), job, rows::text(&job.body)?, lease);
        self.jobs
            .transact(work, |on, (dialect, job, body, lease)| {
                Box::pin(async move {
                    if let Some(lease) = lease {
                        leases::check(on, *dialect, lease).await?;
                    }
                    update(on, *dialect, job, body).await
                })
            })
            .await
    }

    async fn request_cancel(&self, id: &JobId) -> Result<(), StoreError> {
        self.jobs
            .transact((self.jobs.dialect(), id), |on, (dialect, id)| {
                Box::pin(async move {
                    let update = dialect.sql("UPDATE jobs SET cancel_requested = 1 WHERE id = ?");
                    match sqlx::query(update).bind(id.as_str()).execute(on).await?.rows_affected() {
                        0 => Err(StoreError::NotFound((*id).clone()).into()),
                        _ => Ok(()),
                    }
                })
            })
            .await
    }

    async fn forget_jobs_before(&self, moment: Timestamp) -> Result<u64, StoreError> {
        self.remove_jobs(moment).await
    }

    async fn append(&self, id: &JobId, entry: NewEntry, lease: &Lease) -> Result<JournalEntry, StoreError> {
        let work = (self.jobs.dialect(), id, entry, lease);
        self.jobs
            .transact(work, |on, (dialect, id, entry, lease)| {
                Box::pin(async move {
                    // The lease's row is held from here on, which also keeps the numbers of entries apart.
                    leases::check(on, *dialect, lease).await?;
                    append(on, *dialect, id, entry.clone()).await
                })
            })
            .await
    }

    async fn journal(&self, id: &JobId) -> Result<Vec<JournalEntry>, StoreError> {
        let select = "SELECT sequence, unit, step, at_us, event FROM journal WHERE job_id = ? ORDER BY sequence";
        self.jobs.read(select, &[id.as_str()], &[]).await?.iter().map(entry).collect()
    }

    async fn take_lease(&self, resource: &str, claim: &Claim, now: Timestamp) -> Result<Lease, StoreError> {
        let work = (self.jobs.dialect(), resource, claim);
        self.jobs
            .transact(work, move |on, (dialect, resource, claim)| {
                Box::pin(leases::take(on, *dialect, resource, claim, now))
            })
            .await
    }

    async fn renew_lease(&self, lease: &Lease, span: Duration, now: Timestamp) -> Result<Lease, StoreError> {
        let until = later(now, span);
        let renewed = self.jobs.transact((self.jobs.dialect(), lease), move |on, (dialect, lease)| {
            Box::pin(leases::change(on, *dialect, lease, &lease.owner, until))
        });
        if renewed.await? {
            return Ok(Lease { until, ..lease.clone() });
        }
        Err(StoreError::Fenced { resource: lease.resource.clone(), epoch: lease.epoch })
    }

    async fn drop_lease(&self, lease: &Lease) -> Result<(), StoreError> {
        let dropped = self.jobs.transact((self.jobs.dialect(), lease), |on, (dialect, lease)| {
            Box::pin(leases::change(on, *dialect, lease, "", Timestamp::UNIX_EPOCH))
        });
        dropped.await.map(drop)
    }
}

impl SqlStore {
    /// Reads jobs by name, many with one statement, in the order asked.
    async fn in_order<T>(
        &self,
        ids: &[JobId],
        columns: &str,
        read: fn(&AnyRow) -> Result<T, StoreError>,
        id_of: fn(&T) -> &JobId,
    ) -> Result<Vec<T>, StoreError> {
        let mut found = HashMap::new();
        for chunk in ids.chunks(CHUNK) {
            let select = format!("SELECT {columns} FROM jobs WHERE id IN ({})", marks(chunk.len()));
            let names: Vec<&str> = chunk.iter().map(JobId::as_str).collect();
            for row in self.jobs.read(&select, &names, &[]).await? {
                let one = read(&row)?;
                found.insert(id_of(&one).clone(), one);
            }
        }
        Ok(ids.iter().filter_map(|id| found.remove(id)).collect())
    }
}

/// `?, ?, ?`.
pub(crate) fn marks(many: usize) -> String {
    vec!["?"; many].join(", ")
}

/// Counts the day up and writes the job; the day's row is held until the end, so numbers have no gap.
async fn insert(on: &mut AnyConnection, dialect: Dialect, job: NewJob) -> Result<JobRecord, Fault> {
    let day = job.day();
    sqlx::query(dialect.sql(dialect.count_up())).bind(&day).execute(&mut *on).await?;
    let made =
        sqlx::query(dialect.sql("SELECT made FROM job_days WHERE day = ?")).bind(&day).fetch_one(&mut *on).await?;
    let number = rows::count(&made, 0)?;
    let record = job.into_record(JobId::of_day(&day, number));
    let insert = "INSERT INTO jobs (id, kind, status, progress, created_us, number, updated_us, cancel_requested, \
                  version, body) VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?, ?)";
    sqlx::query(dialect.sql(insert))
        .bind(record.id.as_str())
        .bind(&record.kind)
        .bind(record.status.as_str())
        .bind(record.progress)
        .bind(record.created_at.as_microsecond())
        .bind(rows::signed(number))
        .bind(record.updated_at.as_microsecond())
        .bind(rows::signed(record.version))
        .bind(rows::text(&record.body)?)
        .execute(on)
        .await?;
    Ok(record)
}

async fn update(on: &mut AnyConnection, dialect: Dialect, job: &JobRecord, body: &str) -> Result<JobRecord, Fault> {
    let update = "UPDATE jobs SET status = ?, progress = ?, updated_us = ?, body = ?, version = version + 1 \
                  WHERE id = ? AND version = ?";
    let done = sqlx::query(dialect.sql(update))
        .bind(job.status.as_str())
        .bind(job.progress)
        .bind(job.updated_at.as_microsecond())
        .bind(body)
        .bind(job.id.as_str())
        .bind(rows::signed(job.version))
        .execute(&mut *on)
        .await?;
    let select = format!("SELECT {ROW} FROM jobs WHERE id = ?");
    let stored = sqlx::query(dialect.sql(&select)).bind(job.id.as_str()).fetch_optional(on).await?;
    let stored = stored.ok_or_else(|| StoreError::NotFound(job.id.clone()))?;
    if done.rows_affected() == 0 {
        return Err(StoreError::Conflict(job.id.clone()).into());
    }
    let JobRow { kind, created_at, cancel_requested, version, .. } = rows::row(&stored)?;
    let updated_at = to_micros(job.updated_at);
    Ok(JobRecord { kind, created_at, cancel_requested, version, updated_at, ..job.clone() })
}

async fn append(on: &mut AnyConnection, dialect: Dialect, id: &JobId, entry: NewEntry) -> Result<JournalEntry, Fault> {
    let last = "SELECT COALESCE((SELECT MAX(sequence) FROM journal WHERE job_id = ?), 0) FROM jobs WHERE id = ?";
    let last = sqlx::query(dialect.sql(last)).bind(id.as_str()).bind(id.as_str()).fetch_optional(&mut *on).await?;
    let last = last.ok_or_else(|| StoreError::NotFound(id.clone()))?;
    let entry = entry.into_entry(rows::count(&last, 0)? + 1);
    let insert = "INSERT INTO journal (job_id, sequence, unit, step, at_us, event) VALUES (?, ?, ?, ?, ?, ?)";
    sqlx::query(dialect.sql(insert))
        .bind(id.as_str())
        .bind(rows::signed(entry.sequence))
        .bind(&entry.unit)
        .bind(&entry.step)
        .bind(entry.at.as_microsecond())
        .bind(rows::text(&entry.event)?)
        .execute(on)
        .await?;
    Ok(entry)
}

fn entry(row: &AnyRow) -> Result<JournalEntry, StoreError> {
    Ok(JournalEntry {
        sequence: rows::count(row, 0)?,
        unit: rows::get(row, 1)?,
        step: rows::get(row, 2)?,
        at: rows::moment(row, 3)?,
        event: rows::document(row, 4)?,
    })
}
