//! Journals: complete, in order, seen by the next holder.

use super::{Case, Pair, at, claim, made, noted};
use crate::{Event, JournalEntry, NewEntry, StoreError};
use futures::{FutureExt, future::join_all};
use serde_json::{Value, json};
use std::sync::Arc;
use types::{Code, Failure, JobId};

pub(super) const CASES: &[Case] = &[
    ("every event comes back as it went in, in order", |pair| events(pair).boxed()),
    ("concurrent appends take successive places", |pair| concurrent(pair).boxed()),
    ("journals do not mix up jobs", |pair| apart(pair).boxed()),
];

fn every_event() -> Vec<Event> {
    let failure = Failure::new(Code::TimedOut, "über der Zeit", "wait").with("host", "h").with("port", 3306);
    vec![
        Event::Started,
        Event::Noted(json!({ "super_read_only": true, "pid": u64::MAX, "lag": -1.5, "list": [null, "x", {}] })),
        Event::Noted(Value::Null),
        Event::Done(json!("text with ' \" \\ ; -- ? $1 \u{0}\n and 🚢")),
        Event::Failed(failure),
        Event::Cancelled,
        Event::Undone,
    ]
}

async fn events(pair: Pair) {
    let id = made(&pair.one, 0).await.id;
    let lease = pair.one.take_lease(id.as_str(), &claim("a"), at(0)).await.expect("free");
    let mut wanted: Vec<JournalEntry> = Vec::new();
    for (n, event) in every_event().into_iter().enumerate() {
        let unit = format!("127.0.0.1:3306/dätä`base/t'{n}");
        let entry = NewEntry { unit, step: "rebuild".to_owned(), event, at: at(i64::try_from(n).expect("small")) };
        let stored = pair.one.append(&id, entry.clone(), &lease).await.expect("appended");
        assert_eq!(stored, entry.into_entry(n as u64 + 1));
        wanted.push(stored);
        // Each is there for everyone as soon as it is acknowledged.
        assert_eq!(pair.two.journal(&id).await.expect("read"), wanted);
    }
}

async fn concurrent(pair: Pair) {
    let id = made(&pair.one, 0).await.id;
    let lease = pair.one.take_lease(id.as_str(), &claim("a"), at(0)).await.expect("free");
    let writers = (0..24).map(|n| {
        let store = if n % 2 == 0 { Arc::clone(&pair.one) } else { Arc::clone(&pair.two) };
        let (id, lease) = (id.clone(), lease.clone());
        tokio::spawn(async move { store.append(&id, noted(json!(n)), &lease).await.expect("appended").sequence })
    });
    let mut places: Vec<u64> = join_all(writers).await.into_iter().map(|place| place.expect("no panic")).collect();
    places.sort_unstable();
    assert_eq!(places, (1..=24).collect::<Vec<u64>>());
    let read: Vec<u64> = pair.two.journal(&id).await.expect("read").iter().map(|entry| entry.sequence).collect();
    assert_eq!(read, places);
}

async fn apart(pair: Pair) {
    for seconds in 0..2 {
        let id = made(&pair.one, seconds).await.id;
        let lease = pair.one.take_lease(id.as_str(), &claim("a"), at(0)).await.expect("free");
        let entry = pair.one.append(&id, noted(json!(seconds)), &lease).await.expect("appended");
        assert_eq!(entry.sequence, 1);
        assert_eq!(pair.two.journal(&id).await.expect("read"), [entry]);
    }
    let nobody = JobId("job-20261121-999".to_owned());
    assert_eq!(pair.one.journal(&nobody).await.expect("read"), []);
    let lease = pair.one.take_lease(nobody.as_str(), &claim("a"), at(0)).await.expect("a lease needs no job");
    let refused = pair.one.append(&nobody, noted(json!(1)), &lease).await;
    assert!(matches!(refused, Err(StoreError::NotFound(id)) if id == nobody));
}
