//! The contract's suite: what every store must do, whatever it is made of.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a suite stops loudly where it stands"
)]

mod history;
mod jobs;
mod journal;
mod leases;
mod values;

use crate::{Claim, Event, JobRecord, NewEntry, NewJob, Store};
use async_trait::async_trait;
use futures::future::BoxFuture;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};

/// A kind of store under test.
#[async_trait]
pub trait Subject: Send + Sync {
    /// A store with nothing in it.
    async fn fresh(&self) -> Arc<dyn Store>;

    /// A second handle on the store last made by [`Subject::fresh`], as another process would open it.
    async fn again(&self) -> Arc<dyn Store>;
}

/// Two handles on one fresh store.
#[derive(Clone)]
pub struct Pair {
    one: Arc<dyn Store>,
    two: Arc<dyn Store>,
}

type Case = (&'static str, fn(Pair) -> BoxFuture<'static, ()>);

/// Runs every case on a store of its own and says which one it is at.
pub async fn check(subject: &dyn Subject) {
    for (name, case) in cases() {
        eprintln!("case: {name}");
        let one = subject.fresh().await;
        let two = subject.again().await;
        case(Pair { one, two }).await;
    }
}

fn cases() -> Vec<Case> {
    [jobs::CASES, leases::CASES, journal::CASES, values::CASES, history::CASES].concat()
}

/// 2026-11-21T10:00:00Z and so many seconds.
fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_795_255_200 + seconds).expect("within range")
}

fn new_job(seconds: i64) -> NewJob {
    NewJob { kind: "recycle".to_owned(), body: json!({ "n": seconds }), created_at: at(seconds) }
}

fn claim(owner: &str) -> Claim {
    Claim { owner: owner.to_owned(), span: Duration::from_secs(10) }
}

fn noted(value: Value) -> NewEntry {
    NewEntry { unit: "u".to_owned(), step: "s".to_owned(), event: Event::Noted(value), at: at(0) }
}

async fn made(store: &Arc<dyn Store>, seconds: i64) -> JobRecord {
    store.create(new_job(seconds)).await.expect("a job is made")
}
