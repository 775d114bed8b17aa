//! One transaction on a pooled connection that is thrown away unless its transaction is known to have ended.

use crate::{
    fault::{Fault, is_an_answer},
    place::Place,
};
use futures::future::BoxFuture;
use jobs::StoreError;
use sqlx::{Any, AnyConnection, AnyPool, Connection as _, pool::PoolConnection};
use std::{io, time::Duration};

/// How long an answer is waited for. A firewall that forgot a connection tells nobody: without a limit whoever asked would
/// wait for ever, and with it the worker whose lease is long gone.
const ANSWER: Duration = Duration::from_secs(20);

/// What `work` gives, if it does so soon enough. If not, the connection must not be used again.
pub(crate) async fn in_time<T, E: From<sqlx::Error>>(work: impl Future<Output = Result<T, E>>) -> Result<T, E> {
    within(ANSWER, work).await
}

/// The same with a limit of the caller's.
pub(crate) async fn within<T, E: From<sqlx::Error>>(
    limit: Duration,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    tokio::time::timeout(limit, work).await.unwrap_or_else(|_| {
        let text = format!("no answer within {} s; see whether the database is up and reached", limit.as_secs());
        Err(sqlx::Error::Io(io::Error::new(io::ErrorKind::TimedOut, text)).into())
    })
}

/// A connection out of its pool. Unless given back it is closed, and the pool opens a new one when the next is wanted.
///
/// sqlx counts how deep in transactions a connection is and counts down only after a COMMIT or ROLLBACK that succeeded.
/// SQLite ends a transaction by itself when the disk is full; the ROLLBACK after it fails, the count stays at one, and no
/// later BEGIN is ever let through. A connection whose count may be wrong must not meet another caller: that holds for
/// every dialect, and for futures dropped half way.
pub(crate) struct Hold(PoolConnection<Any>, bool);

impl Hold {
    pub(crate) async fn on(pool: &AnyPool) -> Result<Hold, sqlx::Error> {
        Ok(Hold(pool.acquire().await?, false))
    }

    pub(crate) fn connection(&mut self) -> &mut AnyConnection {
        &mut self.0
    }

    /// Lets the next caller have it: nothing is under way on it.
    pub(crate) fn give_back(mut self) {
        self.1 = true;
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        if !self.1 {
            self.0.close_on_drop();
        }
    }
}

/// Runs `work` on `context` once, between BEGIN and COMMIT or ROLLBACK.
pub(crate) async fn attempt<C, T>(
    pool: &AnyPool,
    place: &Place,
    context: &C,
    work: &impl for<'a> Fn(&'a mut AnyConnection, &'a C) -> BoxFuture<'a, Result<T, Fault>>,
) -> Result<T, Fault> {
    let mut hold = Hold::on(pool).await?;
    let mut transaction = in_time(hold.connection().begin_with(place.dialect.begin())).await?;
    let value = match in_time(work(&mut transaction, context)).await {
        Ok(value) => value,
        // A connection that is broken or does not answer ends its transaction by being closed.
        Err(fault @ Fault::Database(sqlx::Error::Io(_))) => return Err(fault),
        Err(fault) => {
            // What went wrong first is what the caller hears; a failed ROLLBACK costs the connection.
            if in_time(transaction.rollback()).await.is_ok() {
                hold.give_back();
            }
            return Err(fault);
        }
    };
    match in_time(transaction.commit()).await {
        Ok(()) => {
            hold.give_back();
            Ok(value)
        }
        Err(error) if is_an_answer(&error) => Err(error.into()),
        Err(error) => Err(StoreError::Unknown(place.explained(&error.to_string())).into()),
    }
}
