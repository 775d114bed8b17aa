//! Every SQL store keeps the contract.
#![allow(clippy::unwrap_used, reason = "a test stops loudly where it stands")]

use async_trait::async_trait;
use jobs::{
    Store,
    conformance::{Subject, check},
};
use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
};
use tempfile::TempDir;

/// SQLite files in one directory, the metrics in a file of their own every other time.
struct Files {
    directory: TempDir,
    made: AtomicU32,
}

impl Files {
    fn paths(&self) -> (PathBuf, Option<PathBuf>) {
        let made = self.made.load(Ordering::SeqCst);
        // What a URL would trip over.
        let directory = self.directory.path().join(format!("büro #{made} 100%?/a b"));
        let metrics = made.is_multiple_of(2).then(|| directory.join("metrics.db"));
        (directory.join("drydock.db"), metrics)
    }
}

#[async_trait]
impl Subject for Files {
    async fn fresh(&self) -> Arc<dyn Store> {
        self.made.fetch_add(1, Ordering::SeqCst);
        self.again().await
    }

    async fn again(&self) -> Arc<dyn Store> {
        let (file, metrics) = self.paths();
        let store = store::open(file.to_str().unwrap(), metrics.as_deref()).await.unwrap();
        assert!(file.exists() && metrics.is_none_or(|metrics| metrics.exists()));
        store
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_keeps_the_contract() {
    check(&Files { directory: TempDir::new().unwrap(), made: AtomicU32::new(0) }).await;
}

/// A database per store on one real server.
struct Databases<'a> {
    server: &'a testkit::Server,
    made: AtomicU32,
    url: Mutex<String>,
}

#[async_trait]
impl Subject for Databases<'_> {
    async fn fresh(&self) -> Arc<dyn Store> {
        let name = format!("drydock_{}", self.made.fetch_add(1, Ordering::SeqCst));
        // The server's own default must not matter.
        self.server.run(&[&format!("CREATE DATABASE {name} CHARACTER SET latin1")]).await;
        let (user, password, address) = (testkit::USER, testkit::PASSWORD, self.server.address());
        *self.url.lock().unwrap() = format!("mysql://{user}:{password}@{address}/{name}");
        self.again().await
    }

    async fn again(&self) -> Arc<dyn Store> {
        let url = self.url.lock().unwrap().clone();
        store::open(&url, None).await.unwrap()
    }
}

async fn server_keeps_the_contract(engine: testkit::Engine) {
    if !engine.is_available() {
        return eprintln!("SKIPPED: no {} here", engine.name());
    }
    let server = testkit::Server::start(engine, testkit::Options::default()).await;
    check(&Databases { server: &server, made: AtomicU32::new(0), url: Mutex::default() }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mariadb_keeps_the_contract() {
    server_keeps_the_contract(testkit::Engine::MariaDb).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mysql_keeps_the_contract() {
    server_keeps_the_contract(testkit::Engine::MySql).await;
}

/// A database per store on one real PostgreSQL.
struct Postgres {
    server: testkit::Postgres,
    made: AtomicU32,
    url: Mutex<String>,
}

#[async_trait]
impl Subject for Postgres {
    async fn fresh(&self) -> Arc<dyn Store> {
        let name = format!("drydock_{}", self.made.fetch_add(1, Ordering::SeqCst));
        *self.url.lock().unwrap() = self.server.database(&name);
        self.again().await
    }

    async fn again(&self) -> Arc<dyn Store> {
        let url = self.url.lock().unwrap().clone();
        store::open(&url, None).await.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn postgresql_keeps_the_contract() {
    if !testkit::Postgres::is_available() {
        return eprintln!("SKIPPED: no PostgreSQL here");
    }
    let server = testkit::Postgres::start().await;
    check(&Postgres { server, made: AtomicU32::new(0), url: Mutex::default() }).await;
}
