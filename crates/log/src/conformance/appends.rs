//! Appending: order, places, many at once, what is refused.

use super::{Case, Pair, all, current, payload, payloads, rises, texts};
use crate::LogError;
use std::{collections::BTreeMap, sync::Arc};
use types::{Epoch, Lsn};

pub(super) const CASES: &[Case] = &[
    ("records come back in order and from another handle", |pair| Box::pin(in_order(pair))),
    ("places lie one after the other", |pair| Box::pin(places(pair))),
    ("nothing to append is refused", |pair| Box::pin(nothing(pair))),
    ("an empty and a large record come back as they were", |pair| Box::pin(odd_sizes(pair))),
    ("many append at once", |pair| Box::pin(at_once(pair))),
];

async fn in_order(Pair { one, two }: Pair) {
    let epoch = current(&*one).await;
    one.append(epoch, payloads(0..10)).await.unwrap();
    two.append(epoch, payloads(10..30)).await.unwrap();
    let records = all(&*one).await;
    assert_eq!(texts(&records), texts(&all(&*two).await));
    assert_eq!(records.iter().map(|record| record.payload.clone()).collect::<Vec<_>>(), payloads(0..30));
    assert!(records.iter().all(|record| record.epoch == epoch));
    rises(&records);
}

async fn places(Pair { one, two }: Pair) {
    let epoch = current(&*one).await;
    let first = one.append(epoch, payloads(0..1)).await.unwrap();
    let last = two.append(epoch, payloads(1..5)).await.unwrap();
    assert!(last > first);
    let found: Vec<Lsn> = all(&*one).await.iter().map(|record| record.lsn).collect();
    assert_eq!(found, [first.0, last.0 - 3, last.0 - 2, last.0 - 1, last.0].map(Lsn));
    assert!(one.positions().await.unwrap().end >= last);
}

async fn nothing(Pair { one, .. }: Pair) {
    let refused = one.append(current(&*one).await, Vec::new()).await;
    assert!(matches!(refused, Err(LogError::Invalid(_))), "{refused:?}");
    assert_eq!(all(&*one).await, []);
}

async fn odd_sizes(Pair { one, two }: Pair) {
    let large = payload("x".repeat(300_000));
    one.append(current(&*one).await, vec![payload(""), large.clone(), payload("")]).await.unwrap();
    let records = all(&*two).await;
    assert_eq!(records.iter().map(|record| record.payload.len()).collect::<Vec<_>>(), [0, 300_000, 0]);
    assert_eq!(records[1].payload, large);
}

/// Each of several tasks appends in its own order; the log keeps it, and each was told its own places.
async fn at_once(pair: Pair) {
    let epoch = current(&*pair.one).await;
    let tasks: Vec<_> = (0..8_u32)
        .map(|task| {
            let log = Arc::clone(if task % 2 == 0 { &pair.one } else { &pair.two });
            tokio::spawn(async move {
                let mut told = BTreeMap::new();
                for number in 0..20_u32 {
                    let text = format!("{task} {number:02}");
                    told.insert(log.append(epoch, vec![payload(&text)]).await.unwrap(), text);
                }
                told
            })
        })
        .collect();
    let mut told = BTreeMap::new();
    for task in tasks {
        let own = task.await.unwrap();
        let texts: Vec<&String> = own.values().collect();
        assert!(texts.is_sorted(), "a task's records lie in the order it appended them: {texts:?}");
        told.extend(own);
    }
    assert_eq!(told.len(), 160, "no place was given twice");
    let found: BTreeMap<Lsn, String> = all(&*pair.one)
        .await
        .iter()
        .map(|record| (record.lsn, texts(std::slice::from_ref(record)).remove(0)))
        .collect();
    assert_eq!(found, told);
    assert!(pair.one.append(Epoch(epoch.0 + 1), payloads(0..1)).await.is_err());
}
