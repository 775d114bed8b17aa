//! Sealing: an epoch ends once, at one place, for everybody.

use super::{Case, Pair, all, current, payload, payloads, rises, texts};
use crate::LogError;
use std::sync::Arc;
use types::{Epoch, Lsn};

pub(super) const CASES: &[Case] = &[
    ("a sealed epoch appends no more", |pair| Box::pin(fenced(pair))),
    ("sealing again tells the same end", |pair| Box::pin(again(pair))),
    ("an epoch that has not begun appends nothing", |pair| Box::pin(not_begun(pair))),
    ("of two who seal one is first", |pair| Box::pin(one_is_first(pair))),
    ("a seal between appends parts them", |pair| Box::pin(in_between(pair))),
];

async fn fenced(Pair { one, two }: Pair) {
    let epoch = current(&*one).await;
    let last = one.append(epoch, payloads(0..2)).await.unwrap();
    let sealed = two.seal(epoch).await.unwrap();
    assert!(sealed.first && sealed.end >= last && sealed.epoch > epoch);
    let refused = one.append(epoch, payloads(2..3)).await;
    assert_eq!(refused, Err(LogError::Fenced { asked: epoch, current: sealed.epoch }));
    let next = two.append(sealed.epoch, payloads(3..4)).await.unwrap();
    assert!(next > sealed.end);
    assert_eq!(texts(&all(&*one).await), ["0", "1", "3"]);
}

async fn again(Pair { one, two }: Pair) {
    let epoch = current(&*one).await;
    one.append(epoch, payloads(0..2)).await.unwrap();
    let first = one.seal(epoch).await.unwrap();
    two.append(first.epoch, payloads(2..4)).await.unwrap();
    let second = two.seal(epoch).await.unwrap();
    assert_eq!((second.end, second.first, second.epoch), (first.end, false, first.epoch));
    // Sealing ahead ends all before it as well.
    let ahead = one.seal(Epoch(first.epoch.0 + 5)).await.unwrap();
    assert!(ahead.first && ahead.epoch > Epoch(first.epoch.0 + 5));
    assert_eq!(two.seal(first.epoch).await.unwrap().end, ahead.end, "it was in force until then");
    assert!(matches!(two.append(first.epoch, payloads(4..5)).await, Err(LogError::Fenced { .. })));
}

async fn not_begun(Pair { one, .. }: Pair) {
    let epoch = current(&*one).await;
    let refused = one.append(epoch.next(), payloads(0..1)).await;
    assert_eq!(refused, Err(LogError::Fenced { asked: epoch.next(), current: epoch }));
    assert_eq!(all(&*one).await, []);
}

async fn one_is_first(pair: Pair) {
    let epoch = current(&*pair.one).await;
    let tasks: Vec<_> = (0..6)
        .map(|task| {
            let log = Arc::clone(if task % 2 == 0 { &pair.one } else { &pair.two });
            tokio::spawn(async move { log.seal(epoch).await.unwrap() })
        })
        .collect();
    let mut told = Vec::new();
    for task in tasks {
        told.push(task.await.unwrap());
    }
    assert_eq!(told.iter().filter(|sealed| sealed.first).count(), 1, "{told:?}");
    assert!(told.iter().all(|sealed| sealed.end == told[0].end), "{told:?}");
}

/// Appends race with the seal: what was taken lies up to its end, what was refused is nowhere.
async fn in_between(pair: Pair) {
    let epoch = current(&*pair.one).await;
    let tasks: Vec<_> = (0..6_u32)
        .map(|task| {
            let log = Arc::clone(if task % 2 == 0 { &pair.one } else { &pair.two });
            tokio::spawn(async move { append_until_fenced(&*log, epoch, task).await })
        })
        .collect();
    tokio::task::yield_now().await;
    let sealed = pair.one.seal(epoch).await.unwrap();
    let mut taken: Vec<(Lsn, String)> = Vec::new();
    for task in tasks {
        taken.extend(task.await.unwrap());
    }
    taken.sort();
    assert!(taken.iter().all(|(lsn, _)| *lsn <= sealed.end), "{sealed:?}");
    let records = all(&*pair.two).await;
    rises(&records);
    let found: Vec<(Lsn, String)> = records.iter().map(|record| record.lsn).zip(texts(&records)).collect();
    assert_eq!(found, taken);
}

/// What the log took of a task that appends until it is told to stop.
async fn append_until_fenced(log: &dyn crate::Log, epoch: Epoch, task: u32) -> Vec<(Lsn, String)> {
    let mut taken = Vec::new();
    for number in 0..10_000_u32 {
        let text = format!("{task} {number}");
        match log.append(epoch, vec![payload(&text)]).await {
            Ok(lsn) => taken.push((lsn, text)),
            Err(LogError::Fenced { asked, .. }) if asked == epoch => return taken,
            Err(other) => panic!("{other}"),
        }
        tokio::task::yield_now().await;
    }
    panic!("the seal never came")
}
