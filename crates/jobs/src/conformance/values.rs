//! Bodies and moments: big, odd and exact.

use super::{Case, Pair, at, claim, made, noted};
use crate::{JobRecord, NewJob};
use futures::FutureExt;
use jiff::Timestamp;
use serde_json::{Value, json};

pub(super) const CASES: &[Case] = &[
    ("bodies and notes of a megabyte", |pair| megabyte(pair).boxed()),
    ("bodies hold any JSON and any Unicode", |pair| any_json(pair).boxed()),
    ("moments are exact to the microsecond", |pair| moments(pair).boxed()),
];

async fn megabyte(pair: Pair) {
    let text: String = "abcdefgh💾ü'\"\\".chars().cycle().take(800_000).collect();
    let body = json!({ "text": text });
    assert!(body.to_string().len() > 1 << 20);
    let job = made(&pair.one, 0).await;
    let saved = pair.one.save(&JobRecord { body: body.clone(), ..job.clone() }, None).await.expect("saved");
    assert_eq!(saved.body, body);
    let lease = pair.one.take_lease(job.id.as_str(), &claim("a"), at(0)).await.expect("free");
    pair.one.append(&job.id, noted(body.clone()), &lease).await.expect("appended");
    assert_eq!(pair.two.get(&job.id).await.expect("read"), Some(saved));
    let journal = pair.two.journal(&job.id).await.expect("read");
    assert_eq!(journal, [noted(body).into_entry(1)]);
}

async fn any_json(pair: Pair) {
    let bodies = [
        Value::Null,
        json!([]),
        json!("\u{0}\u{1}\u{1f}\u{7f}\u{fffd}\u{10ffff} 船渠 🛠 e\u{301} \r\n\t ?$1%s {}"),
        json!({ "": { "ключ": [1, -1, 0.1, 1e-300, u64::MAX, i64::MIN, true, null] } }),
    ];
    for (seconds, body) in (0..).zip(bodies) {
        let new = NewJob { kind: "Ärger 🚢".to_owned(), body, created_at: at(seconds) };
        let job = pair.one.create(new.clone()).await.expect("made");
        assert_eq!(job, new.into_record(job.id.clone()));
        assert_eq!(pair.two.get(&job.id).await.expect("read"), Some(job));
    }
}

async fn moments(pair: Pair) {
    let exact: Timestamp = "2026-11-21T10:00:00.123456789Z".parse().expect("a moment");
    let cut: Timestamp = "2026-11-21T10:00:00.123456Z".parse().expect("a moment");
    let new = NewJob { kind: "recycle".to_owned(), body: json!({}), created_at: exact };
    let job = pair.one.create(new).await.expect("made");
    assert_eq!((job.created_at, job.updated_at), (cut, cut));
    assert_eq!(pair.two.get(&job.id).await.expect("read"), Some(job.clone()));
    let saved = pair.one.save(&JobRecord { updated_at: exact, ..job }, None).await.expect("saved");
    assert_eq!(saved.updated_at, cut);
    let lease = pair.one.take_lease("r", &claim("a"), exact).await.expect("free");
    assert_eq!(lease.until.as_microsecond() - cut.as_microsecond(), 10_000_000);
}
