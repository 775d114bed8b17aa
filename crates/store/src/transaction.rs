//! One transaction on a pooled connection that is thrown away unless its transaction is known to have ended.

use crate::{
    fault::{Fault, is_an_answer},
    place::Place,
};
use futures::future::BoxFuture;
use jobs::StoreError;
use sqlx::{Any, AnyConnection, AnyPool, Connection as _, pool::PoolConnection};

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
    let mut transaction = hold.connection().begin_with(place.dialect.begin()).await?;
    let value = match work(&mut transaction, context).await {
        Ok(value) => value,
        Err(fault) => {
            // What went wrong first is what the caller hears; a failed ROLLBACK costs the connection.
            if transaction.rollback().await.is_ok() {
                hold.give_back();
            }
            return Err(fault);
        }
    };
    match transaction.commit().await {
        Ok(()) => {
            hold.give_back();
            Ok(value)
        }
        Err(error) if is_an_answer(&error) => Err(error.into()),
        Err(error) => Err(StoreError::Unknown(place.explained(&error.to_string())).into()),
    }
}
