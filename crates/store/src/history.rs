//! `AuditLog` and `MetricsHistory` in SQL.

use crate::{SqlStore, dialect::Dialect, fault::Fault, rows};
use api::{AuditEntry, MetricPoint};
use async_trait::async_trait;
use jiff::Timestamp;
use jobs::{AuditLog, MetricsHistory, StoreError, to_micros};
use sqlx::{AnyConnection, any::AnyRow};

/// Samples written with one statement.
const CHUNK: usize = 200;

#[async_trait]
impl AuditLog for SqlStore {
    async fn record(&self, entry: AuditEntry) -> Result<(), StoreError> {
        self.jobs
            .transact((self.jobs.dialect(), entry), |on, (dialect, entry)| Box::pin(insert_audit(on, *dialect, entry)))
            .await
    }

    async fn entries(&self, limit: u32, offset: u32) -> Result<Vec<AuditEntry>, StoreError> {
        let select = "SELECT at_us, actor, action, subject, outcome FROM audit ORDER BY number DESC LIMIT ? OFFSET ?";
        let found = self.jobs.read(select, &[], &[i64::from(limit), i64::from(offset)]).await?;
        found.iter().map(audit_entry).collect()
    }
}

async fn insert_audit(on: &mut AnyConnection, dialect: Dialect, entry: &AuditEntry) -> Result<(), Fault> {
    let insert = "INSERT INTO audit (at_us, actor, action, subject, outcome) VALUES (?, ?, ?, ?, ?)";
    sqlx::query(dialect.sql(insert))
        .bind(entry.at.as_microsecond())
        .bind(&entry.actor)
        .bind(&entry.action)
        .bind(&entry.subject)
        .bind(&entry.outcome)
        .execute(on)
        .await?;
    Ok(())
}

fn audit_entry(row: &AnyRow) -> Result<AuditEntry, StoreError> {
    Ok(AuditEntry {
        at: rows::moment(row, 0)?,
        actor: rows::get(row, 1)?,
        action: rows::get(row, 2)?,
        subject: rows::get(row, 3)?,
        outcome: rows::get(row, 4)?,
    })
}

#[async_trait]
impl MetricsHistory for SqlStore {
    async fn keep(&self, points: &[MetricPoint]) -> Result<(), StoreError> {
        if points.is_empty() {
            return Ok(());
        }
        self.metrics
            .transact((self.metrics.dialect(), points), |on, (dialect, points)| {
                Box::pin(insert_points(on, *dialect, points))
            })
            .await
    }

    async fn history(&self, name: &str, subject: &str, since: Timestamp) -> Result<Vec<MetricPoint>, StoreError> {
        let mut select = "SELECT series, subject, at_us, sample FROM metrics WHERE".to_owned();
        let mut names = Vec::new();
        for (column, wanted) in [("series", name), ("subject", subject)] {
            if !wanted.is_empty() {
                select = format!("{select} {column} = ? AND");
                names.push(wanted);
            }
        }
        select.push_str(" at_us >= ? ORDER BY at_us, number");
        self.metrics.read(&select, &names, &[since.as_microsecond()]).await?.iter().map(point).collect()
    }

    async fn forget_before(&self, moment: Timestamp) -> Result<u64, StoreError> {
        self.remove_samples(moment).await
    }
}

async fn insert_points(on: &mut AnyConnection, dialect: Dialect, points: &[MetricPoint]) -> Result<(), Fault> {
    for chunk in points.chunks(CHUNK) {
        let values = vec!["(?, ?, ?, ?)"; chunk.len()].join(", ");
        let insert = format!("INSERT INTO metrics (series, subject, at_us, sample) VALUES {values}");
        let mut query = sqlx::query(dialect.sql(&insert));
        for point in chunk {
            query = query.bind(&point.name).bind(&point.subject);
            query = query.bind(to_micros(point.at).as_microsecond()).bind(point.value);
        }
        query.execute(&mut *on).await?;
    }
    Ok(())
}

fn point(row: &AnyRow) -> Result<MetricPoint, StoreError> {
    Ok(MetricPoint {
        name: rows::get(row, 0)?,
        subject: rows::get(row, 1)?,
        at: rows::moment(row, 2)?,
        value: rows::get(row, 3)?,
    })
}
