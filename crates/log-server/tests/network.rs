//! Stores and clients over TCP: the contract, TLS, and strangers.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops loudly where it stands")]

mod bed;

use async_trait::async_trait;
use bed::net::{CLUSTER, NetStores, certificates};
use log::{
    Connect, Log, LogError, RemoteLog, Servers,
    conformance::{Subject, check},
    net::{Tls, TlsFiles},
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

struct Shards {
    stores: NetStores,
    last: AtomicU64,
}

#[async_trait]
impl Subject for Shards {
    async fn fresh(&self) -> Arc<dyn Log> {
        let shard = self.last.fetch_add(1, Ordering::Relaxed) + 1;
        self.stores.begin(shard).await;
        Arc::new(self.stores.client(0, shard))
    }

    async fn again(&self) -> Arc<dyn Log> {
        Arc::new(self.stores.client(1, self.last.load(Ordering::Relaxed)))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_sees_the_contract_kept() {
    check(&Shards { stores: NetStores::start(3, false).await, last: AtomicU64::new(0) }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_sees_the_contract_kept_over_tls() {
    check(&Shards { stores: NetStores::start(3, true).await, last: AtomicU64::new(0) }).await;
}

async fn refused(stores: &NetStores, how: Connect) -> String {
    let how = Connect { patience: Duration::from_millis(500), ..how };
    let address = stores.addresses[0].service.clone();
    let log = RemoteLog::new(Arc::new(Servers::new(vec![address], how)), 1);
    match log.positions().await {
        Err(LogError::Unavailable(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_are_refused_with_the_reason() {
    let open = NetStores::start(1, false).await;
    let why = refused(&open, Connect { cluster: Some(8), ..Connect::default() }).await;
    assert!(why.contains("belongs to cluster 8"), "{why}");
    let closed = NetStores::start(1, true).await;
    let why = refused(&closed, Connect { cluster: Some(CLUSTER), ..Connect::default() }).await;
    assert!(!why.is_empty(), "no TLS is no way in");
    let folder = tempfile::tempdir().unwrap();
    let other = Tls::load(&certificates(folder.path(), "other")).unwrap();
    let why = refused(&closed, Connect { cluster: Some(CLUSTER), tls: Some(other), ..Connect::default() }).await;
    assert!(why.contains("certificate"), "{why}");
}

#[test]
fn a_key_that_is_not_the_certificates_is_found_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (certificates(folder.path(), "one"), certificates(folder.path(), "two"));
    let mixed = TlsFiles { key: two.key, ..one.clone() };
    let said = Tls::load(&mixed).err().unwrap().to_string();
    assert!(said.contains("two-key.pem") && said.contains("check ca, cert and key"), "{said}");
    let missing = TlsFiles { authority: folder.path().join("none.pem"), ..one };
    assert!(Tls::load(&missing).err().unwrap().to_string().contains("none.pem"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_would_harm_the_log_is_refused() {
    let stores = NetStores::start(1, false).await;
    stores.begin(0).await;
    stores.begin(1).await;
    let (keepers, log) = (stores.client(0, 0), stores.client(0, 1));
    let record = vec![bytes::Bytes::from_static(b"x")];
    assert!(matches!(log.seal(types::Epoch(u64::MAX)).await, Err(LogError::Invalid(_))));
    assert!(log.append(types::Epoch::FIRST, record.clone()).await.is_ok(), "nothing was sealed");
    for refused in [keepers.append(types::Epoch::FIRST, record).await, keepers.truncate(types::Lsn(1)).await] {
        assert!(matches!(&refused, Err(LogError::Invalid(why)) if why.contains("the keeper's own")), "{refused:?}");
    }
    assert!(matches!(keepers.seal(types::Epoch::FIRST).await, Err(LogError::Invalid(_))));
}
