//! The audit log and the metrics history.

use super::{Case, Pair, at};
use api::{AuditEntry, MetricPoint};
use futures::{FutureExt, future::join_all};
use std::sync::Arc;

pub(super) const CASES: &[Case] = &[
    ("the audit log only grows, newest first", |pair| audit(pair).boxed()),
    ("concurrent audit entries are all kept", |pair| audit_concurrent(pair).boxed()),
    ("samples come back by series, subject and moment", |pair| samples(pair).boxed()),
    ("old samples are forgotten, others are not", |pair| retention(pair).boxed()),
];

fn entry(seconds: i64, subject: &str) -> AuditEntry {
    AuditEntry {
        at: at(seconds),
        actor: "cli:müller".to_owned(),
        action: "job.create".to_owned(),
        subject: subject.to_owned(),
        outcome: "ok".to_owned(),
    }
}

async fn audit(pair: Pair) {
    // The order is that of recording, also where a clock stepped back.
    let mut wanted = Vec::new();
    for (seconds, subject) in [(5, "job-1"), (6, "it's 'quoted'"), (1, "🛳")] {
        pair.one.record(entry(seconds, subject)).await.expect("recorded");
        wanted.insert(0, entry(seconds, subject));
        assert_eq!(pair.two.entries(10, 0).await.expect("read"), wanted);
    }
    pair.two.record(entry(5, "job-1")).await.expect("the same again is another entry");
    assert_eq!(pair.one.entries(2, 1).await.expect("read"), wanted[..2]);
    assert_eq!(pair.one.entries(2, 3).await.expect("read"), wanted[2..]);
    assert_eq!(pair.one.entries(0, 0).await.expect("read"), []);
}

async fn audit_concurrent(pair: Pair) {
    let writers = (0..20).map(|n| {
        let store = if n % 2 == 0 { Arc::clone(&pair.one) } else { Arc::clone(&pair.two) };
        tokio::spawn(async move { store.record(entry(n, &n.to_string())).await.expect("recorded") })
    });
    join_all(writers).await.into_iter().for_each(|written| written.expect("no panic"));
    let mut read: Vec<i64> = pair.one.entries(100, 0).await.expect("read").iter().map(|e| e.at.as_second()).collect();
    read.sort_unstable();
    assert_eq!(read, (0..20).map(|n| at(n).as_second()).collect::<Vec<_>>());
}

fn point(name: &str, subject: &str, seconds: i64, value: f64) -> MetricPoint {
    MetricPoint { name: name.to_owned(), subject: subject.to_owned(), at: at(seconds), value }
}

async fn samples(pair: Pair) {
    let points = [
        point("lag_seconds", "h:1", 2, 0.1),
        point("lag_seconds", "h:1", 1, -3.5),
        point("lag_seconds", "h:2", 3, 1e300),
        point("Lag_seconds", "h:1", 4, 9_007_199_254_740_991.0),
        point("space", "", 5, 5e-324),
    ];
    pair.one.keep(&points).await.expect("kept");
    pair.one.keep(&[]).await.expect("nothing is no error");
    let read =
        async |name: &str, subject: &str, since: i64| pair.two.history(name, subject, at(since)).await.expect("read");
    let [late, early, other, upper, space] = points;
    assert_eq!(read("lag_seconds", "h:1", 0).await, [early.clone(), late.clone()], "oldest first, case matters");
    assert_eq!(read("lag_seconds", "h:1", 2).await, std::slice::from_ref(&late), "since is inclusive");
    assert_eq!(read("lag_seconds", "", 0).await, [early.clone(), late.clone(), other.clone()]);
    assert_eq!(read("", "h:1", 0).await, [early.clone(), late.clone(), upper.clone()]);
    assert_eq!(read("", "", 0).await, [early, late, other, upper, space]);
    assert_eq!(read("nothing", "", 0).await, []);
}

async fn retention(pair: Pair) {
    let many: Vec<MetricPoint> = (0..3000).map(|n| point("lag_seconds", "h:1", n, 1.0)).collect();
    pair.one.keep(&many).await.expect("kept");
    assert_eq!(pair.two.forget_before(at(1000)).await.expect("forgotten"), 1000);
    assert_eq!(pair.two.forget_before(at(1000)).await.expect("forgotten"), 0);
    let rest = pair.one.history("", "", at(0)).await.expect("read");
    assert_eq!((rest.len(), rest.first().map(|p| p.at)), (2000, Some(at(1000))));
}
