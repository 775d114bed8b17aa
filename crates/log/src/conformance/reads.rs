//! Reading: limits, where to read on, waiting for what comes.

use super::{Case, Pair, all, current, payload, payloads, texts};
use crate::Most;
use std::{sync::Arc, time::Duration};
use types::Lsn;

pub(super) const CASES: &[Case] = &[
    ("a read brings no more than was asked", |pair| Box::pin(limits(pair))),
    ("one record is brought however large", |pair| Box::pin(one_at_least(pair))),
    ("whoever reads on misses nothing", |pair| Box::pin(reads_on(pair))),
    ("a tail waits for what comes", |pair| Box::pin(tail_wakes(pair))),
    ("a tail ends after its wait", |pair| Box::pin(tail_ends(pair))),
    ("an empty log is read and tailed", |pair| Box::pin(empty(pair))),
];

async fn limits(Pair { one, .. }: Pair) {
    one.append(current(&*one).await, payloads(0..100)).await.unwrap();
    let few = one.read(Lsn::ZERO, Most { records: 3, ..Most::default() }).await.unwrap();
    assert_eq!(texts(&few.records), ["0", "1", "2"]);
    let small = one.read(few.next, Most { bytes: 4, ..Most::default() }).await.unwrap();
    assert_eq!(texts(&small.records), ["3", "4", "5", "6"]);
    let rest = one.read(small.next, Most::default()).await.unwrap();
    assert_eq!((texts(&rest.records)[0].as_str(), rest.records.len()), ("7", 93));
}

async fn one_at_least(Pair { one, .. }: Pair) {
    one.append(current(&*one).await, vec![payload("x".repeat(10_000)), payload("y")]).await.unwrap();
    let most = Most { records: 10, bytes: 0 };
    let first = one.read(Lsn::ZERO, most).await.unwrap();
    assert_eq!(first.records.len(), 1);
    assert_eq!(texts(&one.read(first.next, most).await.unwrap().records), ["y"]);
}

async fn reads_on(Pair { one, two }: Pair) {
    let epoch = current(&*one).await;
    one.append(epoch, payloads(0..3)).await.unwrap();
    let first = two.read(Lsn::ZERO, Most::default()).await.unwrap();
    assert_eq!(first.records.len(), 3);
    let nothing = two.read(first.next, Most::default()).await.unwrap();
    assert_eq!(nothing.records, []);
    // A seal takes a place that no record has.
    let epoch = one.seal(epoch).await.unwrap().epoch;
    let still = two.read(nothing.next, Most::default()).await.unwrap();
    assert_eq!(still.records, []);
    one.append(epoch, payloads(3..5)).await.unwrap();
    assert_eq!(texts(&two.read(still.next, Most::default()).await.unwrap().records), ["3", "4"]);
}

async fn tail_wakes(Pair { one, two }: Pair) {
    let (epoch, end) = (current(&*one).await, one.positions().await.unwrap().end);
    let waiter = Arc::clone(&two);
    let waiting = tokio::spawn(async move { waiter.tail(end, Duration::from_mins(1)).await });
    tokio::task::yield_now().await;
    let last = one.append(epoch, payloads(0..2)).await.unwrap();
    let seen = waiting.await.unwrap().unwrap();
    assert!(seen > end && seen <= last.max(seen));
    assert!(two.tail(Lsn(last.0 - 1), Duration::ZERO).await.unwrap() >= last, "what is there is not waited for");
}

async fn tail_ends(Pair { one, .. }: Pair) {
    let end = one.append(current(&*one).await, payloads(0..1)).await.unwrap();
    let seen = one.tail(Lsn(end.0 + 1_000_000), Duration::from_millis(20)).await.unwrap();
    assert!(seen >= end && seen < Lsn(end.0 + 1_000_000));
}

async fn empty(Pair { one, .. }: Pair) {
    assert_eq!(all(&*one).await, []);
    let positions = one.positions().await.unwrap();
    assert_eq!(positions.truncated, Lsn::ZERO);
    assert_eq!(one.tail(positions.end, Duration::from_millis(10)).await.unwrap(), positions.end);
    assert_eq!(one.read(positions.end.next(), Most::default()).await.unwrap().records, []);
}
