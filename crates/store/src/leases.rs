//! Leases in SQL. Every function works inside a transaction and holds the lease's row to its end.

use crate::{dialect::Dialect, fault::Fault, rows};
use jiff::Timestamp;
use jobs::{Claim, Lease, StoreError};
use sqlx::{AnyConnection, Row as _};

/// Grants by [`Claim::take`]. Two first takers collide on the key, and the loser is run again.
pub(crate) async fn take(
    on: &mut AnyConnection,
    dialect: Dialect,
    resource: &str,
    claim: &Claim,
    now: Timestamp,
) -> Result<Lease, Fault> {
    let held = find(on, dialect, resource).await?;
    let statement = match held {
        None => "INSERT INTO leases (owner, epoch, until_us, resource) VALUES (?, ?, ?, ?)",
        Some(_) => "UPDATE leases SET owner = ?, epoch = ?, until_us = ? WHERE resource = ?",
    };
    let lease = claim.take(resource, held, now)?;
    sqlx::query(dialect.sql(statement))
        .bind(&lease.owner)
        .bind(rows::signed(lease.epoch))
        .bind(lease.until.as_microsecond())
        .bind(resource)
        .execute(on)
        .await?;
    Ok(lease)
}

async fn find(on: &mut AnyConnection, dialect: Dialect, resource: &str) -> Result<Option<Lease>, Fault> {
    let select = format!("SELECT owner, epoch, until_us FROM leases WHERE resource = ?{}", dialect.for_update());
    let row = sqlx::query(dialect.sql(&select)).bind(resource).fetch_optional(on).await?;
    let lease = |row: sqlx::any::AnyRow| -> Result<Lease, StoreError> {
        let owner = row.try_get(0).map_err(|error| StoreError::Unavailable(error.to_string()))?;
        let (epoch, until) = (rows::count(&row, 1)?, rows::moment(&row, 2)?);
        Ok(Lease { resource: resource.to_owned(), owner, epoch, until })
    };
    Ok(row.map(lease).transpose()?)
}

/// Refuses unless the lease is still its holder's; nobody can take it before the transaction ends.
pub(crate) async fn check(on: &mut AnyConnection, dialect: Dialect, lease: &Lease) -> Result<(), Fault> {
    let held = find(on, dialect, &lease.resource).await?;
    if held.is_some_and(|held| held.epoch == lease.epoch && held.owner == lease.owner) {
        return Ok(());
    }
    Err(StoreError::Fenced { resource: lease.resource.clone(), epoch: lease.epoch }.into())
}

/// Sets owner and end of a lease that is still held; false if it is not.
pub(crate) async fn change(
    on: &mut AnyConnection,
    dialect: Dialect,
    lease: &Lease,
    owner: &str,
    until: Timestamp,
) -> Result<bool, Fault> {
    let update = "UPDATE leases SET owner = ?, until_us = ? WHERE resource = ? AND owner = ? AND epoch = ?";
    let done = sqlx::query(dialect.sql(update))
        .bind(owner)
        .bind(until.as_microsecond())
        .bind(&lease.resource)
        .bind(&lease.owner)
        .bind(rows::signed(lease.epoch))
        .execute(on)
        .await?;
    Ok(done.rows_affected() > 0)
}
