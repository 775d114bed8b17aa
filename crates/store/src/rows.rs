//! From rows to records.

use api::JobStatus;
use jiff::Timestamp;
use jobs::{JobRecord, JobRow, JobText, StoreError};
use serde_json::Value;
use sqlx::{Row, any::AnyRow};
use types::JobId;

/// Columns of a list, in the order [`row`] reads them.
pub(crate) const ROW: &str = "jobs.id, jobs.kind, jobs.status, jobs.progress, jobs.created_us, jobs.updated_us, jobs.cancel_requested, jobs.version";

fn broken(what: &str, error: impl std::fmt::Display) -> StoreError {
    StoreError::Unavailable(format!("unreadable {what}: {error}"))
}

/// A value of a column, or the reason why the store cannot be read.
pub(crate) fn get<'r, T>(row: &'r AnyRow, index: usize) -> Result<T, StoreError>
where
    T: sqlx::Decode<'r, sqlx::Any> + sqlx::Type<sqlx::Any>,
{
    row.try_get(index).map_err(|error| broken("column", error))
}

/// A counter; stores keep signed numbers.
pub(crate) fn count(row: &AnyRow, index: usize) -> Result<u64, StoreError> {
    u64::try_from(get::<i64>(row, index)?).map_err(|error| broken("counter", error))
}

/// Stores keep signed numbers; no counter of ours gets there.
pub(crate) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A moment kept as microseconds.
pub(crate) fn moment(row: &AnyRow, index: usize) -> Result<Timestamp, StoreError> {
    Timestamp::from_microsecond(get(row, index)?).map_err(|error| broken("moment", error))
}

/// A document kept as JSON text.
pub(crate) fn document<T: serde::de::DeserializeOwned>(row: &AnyRow, index: usize) -> Result<T, StoreError> {
    serde_json::from_str(&get::<String>(row, index)?).map_err(|error| broken("document", error))
}

/// The text a document is kept as.
pub(crate) fn text(document: &impl serde::Serialize) -> Result<String, StoreError> {
    serde_json::to_string(document).map_err(|error| broken("document", error))
}

fn status(word: &str) -> Result<JobStatus, StoreError> {
    serde_json::from_value(Value::String(word.to_owned())).map_err(|error| broken("status", error))
}

/// [`ROW`].
pub(crate) fn row(row: &AnyRow) -> Result<JobRow, StoreError> {
    Ok(JobRow {
        id: JobId(get(row, 0)?),
        kind: get(row, 1)?,
        status: status(&get::<String>(row, 2)?)?,
        progress: get(row, 3)?,
        created_at: moment(row, 4)?,
        updated_at: moment(row, 5)?,
        cancel_requested: get::<i64>(row, 6)? != 0,
        version: count(row, 7)?,
    })
}

/// [`ROW`] and the body.
pub(crate) fn record(found: &AnyRow) -> Result<JobRecord, StoreError> {
    let JobRow { id, kind, status, progress, created_at, updated_at, cancel_requested, version } = row(found)?;
    let body = document(found, 8)?;
    Ok(JobRecord { id, kind, status, progress, body, created_at, updated_at, cancel_requested, version })
}

/// Name, version and body.
pub(crate) fn job_text(row: &AnyRow) -> Result<JobText, StoreError> {
    Ok(JobText { id: JobId(get(row, 0)?), version: count(row, 1)?, body: get(row, 2)? })
}
