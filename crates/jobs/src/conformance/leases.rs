//! Leases: one holder, rising epochs, no write by a holder that lost it.

use super::{Case, Pair, at, claim, made, noted};
use crate::{JobRecord, Lease, StoreError};
use futures::{FutureExt, future::join_all};
use serde_json::json;
use std::{sync::Arc, time::Duration};

pub(super) const CASES: &[Case] = &[
    ("a lease has one holder until it lapses", |pair| one_holder(pair).boxed()),
    ("a renewed lease lasts, a lost one cannot be renewed", |pair| renewal(pair).boxed()),
    ("a lease given back is free, and its epoch still rises", |pair| given_back(pair).boxed()),
    ("one of many concurrent takers wins", |pair| one_taker(pair).boxed()),
    ("a holder that lost its lease writes nothing", |pair| fencing(pair).boxed()),
    ("leases do not mix up resources", |pair| resources(pair).boxed()),
];

async fn one_holder(pair: Pair) {
    let first = pair.one.take_lease("fleet:x", &claim("a"), at(0)).await.expect("free");
    assert_eq!(first, Lease { resource: "fleet:x".into(), owner: "a".into(), epoch: first.epoch, until: at(10) });
    let other = pair.two.take_lease("fleet:x", &claim("b"), at(9)).await;
    assert!(matches!(other, Err(StoreError::Held(held)) if held == first));
    let again = pair.one.take_lease("fleet:x", &claim("a"), at(5)).await.expect("its own");
    assert_eq!((again.epoch, again.until), (first.epoch, at(15)));
    let next = pair.two.take_lease("fleet:x", &claim("b"), at(15)).await.expect("lapsed");
    assert!(next.epoch > first.epoch);
    let back = pair.one.take_lease("fleet:x", &claim("a"), at(99)).await.expect("lapsed");
    assert!(back.epoch > next.epoch);
    let lapsed = pair.one.take_lease("fleet:x", &claim("a"), at(999)).await.expect("lapsed");
    assert!(lapsed.epoch > back.epoch, "who let it lapse may have another worker of its own at it: a new epoch");
}

async fn renewal(pair: Pair) {
    let span = Duration::from_secs(10);
    let lease = pair.one.take_lease("r", &claim("a"), at(0)).await.expect("free");
    let renewed = pair.one.renew_lease(&lease, span, at(8)).await.expect("held");
    assert_eq!(renewed, Lease { until: at(18), ..lease.clone() });
    assert!(matches!(pair.two.take_lease("r", &claim("b"), at(17)).await, Err(StoreError::Held(_))));
    let late = pair.one.renew_lease(&lease, span, at(30)).await.expect("lapsed, but nobody took it");
    assert_eq!(late.until, at(40));
    let other = pair.two.take_lease("r", &claim("b"), at(40)).await.expect("lapsed");
    for lost in [&lease, &Lease { owner: "a".into(), ..other.clone() }, &Lease { epoch: lease.epoch, ..other.clone() }]
    {
        let refused = pair.one.renew_lease(lost, span, at(41)).await;
        assert!(matches!(&refused, Err(StoreError::Fenced { epoch, .. }) if *epoch == lost.epoch), "{refused:?}");
    }
    let unknown = Lease { resource: "nothing".into(), ..other };
    assert!(matches!(pair.one.renew_lease(&unknown, span, at(41)).await, Err(StoreError::Fenced { .. })));
}

async fn given_back(pair: Pair) {
    let first = pair.one.take_lease("r", &claim("a"), at(0)).await.expect("free");
    pair.one.drop_lease(&first).await.expect("given back");
    pair.one.drop_lease(&first).await.expect("twice is no error");
    let second = pair.two.take_lease("r", &claim("b"), at(1)).await.expect("free again");
    assert!(second.epoch > first.epoch);
    pair.one.drop_lease(&first).await.expect("a lost one is not touched");
    assert!(
        matches!(pair.one.take_lease("r", &claim("c"), at(2)).await, Err(StoreError::Held(held)) if held == second)
    );
    pair.two.drop_lease(&second).await.expect("given back");
    let third = pair.two.take_lease("r", &claim("b"), at(3)).await.expect("free");
    assert!(third.epoch > second.epoch, "the same owner after giving it back");
}

async fn one_taker(pair: Pair) {
    for round in 0..5 {
        let takers = (0..10).map(|n| {
            let store = if n % 2 == 0 { Arc::clone(&pair.one) } else { Arc::clone(&pair.two) };
            let claim = claim(&format!("owner-{n}"));
            tokio::spawn(async move { store.take_lease("contested", &claim, at(round * 10)).await })
        });
        let results: Vec<_> = join_all(takers).await.into_iter().map(|taken| taken.expect("no panic")).collect();
        let (won, lost): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
        assert_eq!(won.len(), 1, "round {round}");
        let winner = won.into_iter().flatten().next().expect("one");
        for held in lost {
            assert!(matches!(&held, Err(StoreError::Held(held)) if *held == winner), "{held:?}");
        }
    }
}

async fn fencing(pair: Pair) {
    let job = made(&pair.one, 0).await;
    let id = job.id.clone();
    let old = pair.one.take_lease(id.as_str(), &claim("a"), at(0)).await.expect("free");
    pair.one.append(&id, noted(json!(1)), &old).await.expect("held");
    let job = pair.one.save(&job, Some(&old)).await.expect("held");
    let new = pair.two.take_lease(id.as_str(), &claim("b"), at(10)).await.expect("lapsed");
    let forged = Lease { owner: "a".into(), ..new.clone() };
    for lost in [&old, &forged] {
        let append = pair.one.append(&id, noted(json!("late")), lost).await;
        assert!(matches!(append, Err(StoreError::Fenced { epoch, .. }) if epoch == lost.epoch));
        let save = pair.one.save(&JobRecord { body: json!("late"), ..job.clone() }, Some(lost)).await;
        assert!(matches!(save, Err(StoreError::Fenced { .. })));
    }
    assert_eq!(pair.one.get(&id).await.expect("read"), Some(job.clone()));
    assert_eq!(pair.two.journal(&id).await.expect("read").len(), 1);
    pair.two.append(&id, noted(json!(2)), &new).await.expect("held");
    pair.two.save(&job, Some(&new)).await.expect("held");
    pair.two.drop_lease(&new).await.expect("given back");
    assert!(matches!(pair.two.append(&id, noted(json!(3)), &new).await, Err(StoreError::Fenced { .. })));
}

async fn resources(pair: Pair) {
    for resource in ["fleet:a", "fleet:A", "fleet:ä", "fleet:a/b", "Flotte ⚓", "'; DROP TABLE jobs; --"] {
        let lease = pair.one.take_lease(resource, &claim("a"), at(0)).await.expect("each is its own");
        assert_eq!(lease.resource, resource);
        let held = pair.two.take_lease(resource, &claim("b"), at(1)).await;
        assert!(matches!(held, Err(StoreError::Held(held)) if held == lease));
    }
}
