//! Truncating: what is let go of is gone, and nothing else.

use super::{Case, Pair, all, current, payloads, texts};
use crate::{LogError, Most};
use types::Lsn;

pub(super) const CASES: &[Case] = &[
    ("what was truncated is refused by name", |pair| Box::pin(refused(pair))),
    ("truncation never goes back", |pair| Box::pin(forward(pair))),
    ("nothing behind the end can be truncated", |pair| Box::pin(beyond(pair))),
    ("a log truncated to its end goes on", |pair| Box::pin(to_the_end(pair))),
];

async fn refused(Pair { one, two }: Pair) {
    let last = one.append(current(&*one).await, payloads(0..10)).await.unwrap();
    let through = Lsn(last.0 - 4);
    assert_eq!(one.truncate(through).await.unwrap(), through);
    let gone = two.read(through, Most::default()).await;
    assert_eq!(gone, Err(LogError::Truncated { asked: through, truncated: through }));
    assert!(matches!(two.read(Lsn::ZERO, Most::default()).await, Err(LogError::Truncated { .. })));
    assert_eq!(texts(&all(&*two).await), ["6", "7", "8", "9"]);
    assert_eq!(two.positions().await.unwrap().truncated, through);
}

async fn forward(Pair { one, two }: Pair) {
    let last = one.append(current(&*one).await, payloads(0..10)).await.unwrap();
    one.truncate(Lsn(last.0 - 2)).await.unwrap();
    assert_eq!(two.truncate(Lsn(last.0 - 6)).await.unwrap(), Lsn(last.0 - 2));
    assert_eq!(texts(&all(&*one).await), ["8", "9"]);
}

async fn beyond(Pair { one, .. }: Pair) {
    one.append(current(&*one).await, payloads(0..3)).await.unwrap();
    let end = one.positions().await.unwrap().end;
    let refused = one.truncate(end.next()).await;
    assert_eq!(refused, Err(LogError::Beyond { asked: end.next(), end }));
    assert_eq!(all(&*one).await.len(), 3);
}

async fn to_the_end(Pair { one, two }: Pair) {
    let epoch = current(&*one).await;
    let last = one.append(epoch, payloads(0..3)).await.unwrap();
    one.truncate(last).await.unwrap();
    assert_eq!(all(&*two).await, []);
    let next = two.append(epoch, payloads(3..4)).await.unwrap();
    assert!(next > last);
    let sealed = one.seal(epoch).await.unwrap();
    assert!(sealed.first && sealed.end >= next);
    assert_eq!(texts(&all(&*one).await), ["3"]);
}
