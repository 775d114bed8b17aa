//! The contract's suite: what every log must do, whatever it is made of.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a suite stops loudly where it stands"
)]

mod appends;
mod reads;
mod seals;
mod truncates;

use crate::{Log, Most, Record};
use async_trait::async_trait;
use bytes::Bytes;
use std::{future::Future, pin::Pin, sync::Arc};
use types::{Epoch, Lsn};

/// A kind of log under test.
#[async_trait]
pub trait Subject: Send + Sync {
    /// A log with nothing in it.
    async fn fresh(&self) -> Arc<dyn Log>;

    /// A second handle on the log last made by [`Subject::fresh`], as another process would open it.
    async fn again(&self) -> Arc<dyn Log>;
}

/// Two handles on one fresh log.
#[derive(Clone)]
pub struct Pair {
    one: Arc<dyn Log>,
    two: Arc<dyn Log>,
}

type Running = Pin<Box<dyn Future<Output = ()> + Send>>;
type Case = (&'static str, fn(Pair) -> Running);

/// Runs every case on a log of its own and says which one it is at.
pub async fn check(subject: &dyn Subject) {
    for (name, case) in [appends::CASES, reads::CASES, seals::CASES, truncates::CASES].concat() {
        eprintln!("case: {name}");
        let one = subject.fresh().await;
        let two = subject.again().await;
        case(Pair { one, two }).await;
    }
}

/// A payload that says what it is.
fn payload(text: impl std::fmt::Display) -> Bytes {
    Bytes::from(text.to_string())
}

fn payloads(range: std::ops::Range<u32>) -> Vec<Bytes> {
    range.map(payload).collect()
}

fn texts(records: &[Record]) -> Vec<String> {
    records.iter().map(|record| String::from_utf8(record.payload.to_vec()).expect("text")).collect()
}

/// Every record there is, read in small pieces.
async fn all(log: &dyn Log) -> Vec<Record> {
    let most = Most { records: 7, bytes: 100 };
    let (mut records, mut from) = (Vec::new(), log.positions().await.unwrap().truncated.next());
    loop {
        let batch = log.read(from, most).await.unwrap();
        assert!(batch.next >= from, "reading never goes back");
        if batch.records.is_empty() {
            return records;
        }
        records.extend(batch.records);
        from = batch.next;
    }
}

/// The epoch in force.
async fn current(log: &dyn Log) -> Epoch {
    log.positions().await.unwrap().epoch
}

fn rises(records: &[Record]) {
    let rising = records.windows(2).all(|pair| pair[0].lsn < pair[1].lsn && pair[0].epoch <= pair[1].epoch);
    assert!(rising && records.first().is_none_or(|first| first.lsn > Lsn::ZERO), "{records:?}");
}
