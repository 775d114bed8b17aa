//! The server that holds the store dies, or the network to it swallows everything, in the middle of a job: no journal
//! entry is lost, nothing is done twice, never two at once, and the first process works again afterwards.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops loudly where it stands")]

mod support;

use api::JobStatus;
use async_trait::async_trait;
use jobs::{Event, JobRecord, Runner, Step, StepContext, StepError, Store};
use runtime::Clock;
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, HashSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use support::Units;
use testkit::{Engine, Options, PASSWORD, Postgres, Server, USER};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, tcp},
    sync::watch,
};

const UNITS: usize = 40;

/// Some rounds stay away for longer than this, one does not.
const LEASE: Duration = Duration::from_secs(2);

/// The world outside the store.
#[derive(Default)]
struct World {
    /// What was rebuilt, as a table's new file would show.
    rebuilt: Mutex<HashSet<String>>,
    /// Effects, each counted.
    effects: AtomicUsize,
    inside: AtomicUsize,
    crowded: AtomicUsize,
}

struct Rebuild(Arc<World>);

#[async_trait]
impl Step for Rebuild {
    fn name(&self) -> &'static str {
        "rebuild"
    }

    async fn act(&self, ctx: &StepContext<'_>) -> Result<Value, StepError> {
        let _inside = Inside::enter(&self.0);
        ctx.note(json!("about to")).await?;
        ctx.clock().sleep(Duration::from_millis(30)).await;
        if self.0.rebuilt.lock().unwrap().insert(ctx.unit().to_owned()) {
            self.0.effects.fetch_add(1, Ordering::SeqCst);
        }
        Ok(json!(null))
    }

    async fn undo(&self, _: &StepContext<'_>) -> Result<(), StepError> {
        Ok(())
    }
}

/// Counts who works until it ends or its future is dropped.
struct Inside<'a>(&'a World);

impl<'a> Inside<'a> {
    fn enter(world: &'a World) -> Self {
        if world.inside.fetch_add(1, Ordering::SeqCst) > 0 {
            world.crowded.fetch_add(1, Ordering::SeqCst);
        }
        Inside(world)
    }
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.0.inside.fetch_sub(1, Ordering::SeqCst);
    }
}

async fn process(place: &str, world: &Arc<World>) -> (Runner, Arc<dyn Store>) {
    let store: Arc<dyn Store> = store::open(place, None).await.unwrap();
    let world = Arc::clone(world);
    let units = Units::new(UNITS, move || vec![Box::new(Rebuild(Arc::clone(&world)))]);
    (units.work(Arc::clone(&store), support::options(1, LEASE)), store)
}

/// Until the job has got somewhere.
async fn under_way(world: &World, units: usize) {
    while world.effects.load(Ordering::SeqCst) < units {
        Clock::real().sleep(Duration::from_millis(5)).await;
    }
}

/// Completed, each unit once, its numbers without a gap, never two workers at once.
async fn check(store: &dyn Store, job: &JobRecord, world: &World) {
    assert_eq!((job.status, &job.body["units"]), (JobStatus::Completed, &json!(UNITS)));
    let journal = store.journal(&job.id).await.unwrap();
    support::numbered(&journal);
    let mut done: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for entry in &journal {
        let (started, ended) = done.entry(&entry.unit).or_default();
        match entry.event {
            Event::Started => *started += 1,
            Event::Done(_) => *ended += 1,
            // A step that was interrupted notes again.
            Event::Noted(_) => {}
            ref other => panic!("{other:?}"),
        }
    }
    assert_eq!(done.len(), UNITS);
    assert!(done.values().all(|counts| *counts == (1, 1)), "{done:?}");
    assert_eq!(world.effects.load(Ordering::SeqCst), UNITS);
    assert_eq!(world.crowded.load(Ordering::SeqCst), 0, "two worked at once");
}

async fn outlives_a_killed_server(engine: Engine) {
    if !engine.is_available() {
        return eprintln!("SKIPPED: no {} here", engine.name());
    }
    let mut server = Server::start(engine, Options::default()).await;
    server.run(&["CREATE DATABASE drydock_jobs"]).await;
    let url = format!("mysql://{USER}:{PASSWORD}@{}/drydock_jobs", server.address());
    let world = Arc::<World>::default();
    let (one, store) = process(&url, &world).await;
    let (two, _) = process(&url, &world).await;
    let id = one.submit("recycle", json!({})).await.unwrap().id;
    for round in 1..=3 {
        under_way(&world, round * 8).await;
        server.kill();
        // Longer than a lease, and once shorter.
        Clock::real().sleep(LEASE * u32::try_from(round - 1).unwrap()).await;
        server.restart().await;
    }
    let job = loop {
        // Asked while the server comes up.
        if let Ok(job) = one.wait(&id).await {
            break job;
        }
        Clock::real().sleep(Duration::from_millis(50)).await;
    };
    check(store.as_ref(), &job, &world).await;
    one.shutdown(Duration::from_secs(5)).await;
    two.shutdown(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_mariadb() {
    outlives_a_killed_server(Engine::MariaDb).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_mysql() {
    outlives_a_killed_server(Engine::MySql).await;
}

/// What happens to bytes on their way.
#[derive(Clone, Copy, PartialEq)]
enum Path {
    Open,
    /// Nothing arrives and nobody is told, as behind a firewall that forgot the connection.
    Swallowing,
}

/// A way to a server that can be made to swallow everything; connections made while it did stay dead.
struct Proxy {
    port: u16,
    path: watch::Sender<Path>,
}

impl Proxy {
    async fn to(server: u16) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (path, seen) = watch::channel(Path::Open);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let Ok(server) = TcpStream::connect(("127.0.0.1", server)).await else { continue };
                let (from_client, to_client) = client.into_split();
                let (from_server, to_server) = server.into_split();
                tokio::spawn(carry(from_client, to_server, seen.clone()));
                tokio::spawn(carry(from_server, to_client, seen.clone()));
            }
        });
        Proxy { port, path }
    }
}

async fn carry(mut from: tcp::OwnedReadHalf, mut to: tcp::OwnedWriteHalf, mut path: watch::Receiver<Path>) {
    let mut buffer = vec![0; 16 << 10];
    loop {
        tokio::select! {
            biased;
            () = async { drop(path.wait_for(|path| *path == Path::Swallowing).await) } => std::future::pending().await,
            read = from.read(&mut buffer) => match read {
                Ok(length) if length > 0 && to.write_all(&buffer[..length]).await.is_ok() => {}
                _ => return,
            },
        }
    }
}

/// The first process loses the way to the store; the second finishes the job; the first can be used again.
async fn outlives_a_black_hole(url: impl Fn(u16) -> String, port: u16) {
    let world = Arc::<World>::default();
    let proxy = Proxy::to(port).await;
    let (one, store) = process(&url(proxy.port), &world).await;
    let id = one.submit("recycle", json!({})).await.unwrap().id;
    under_way(&world, 8).await;
    let (two, direct) = process(&url(port), &world).await;
    proxy.path.send_replace(Path::Swallowing);
    let job = two.wait(&id).await.unwrap();
    check(direct.as_ref(), &job, &world).await;
    two.shutdown(Duration::from_secs(5)).await;
    // New connections get through again; the old ones never hear anything.
    proxy.path.send_replace(Path::Open);
    let second = loop {
        if let Ok(job) = one.submit("recycle", json!({})).await {
            break job.id;
        }
    };
    world.rebuilt.lock().unwrap().clear();
    world.effects.store(0, Ordering::SeqCst);
    let job = one.wait(&second).await.unwrap();
    check(store.as_ref(), &job, &world).await;
    assert_eq!(store.get(&id).await.unwrap().unwrap().status, JobStatus::Completed);
    one.shutdown(Duration::from_secs(5)).await;
}

async fn outlives_a_black_hole_before(engine: Engine) {
    if !engine.is_available() {
        return eprintln!("SKIPPED: no {} here", engine.name());
    }
    let server = Server::start(engine, Options::default()).await;
    server.run(&["CREATE DATABASE drydock_jobs"]).await;
    let url = |port| format!("mysql://{USER}:{PASSWORD}@127.0.0.1:{port}/drydock_jobs");
    outlives_a_black_hole(url, server.address().port).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_black_hole_before_mariadb() {
    outlives_a_black_hole_before(Engine::MariaDb).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_black_hole_before_mysql() {
    outlives_a_black_hole_before(Engine::MySql).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_black_hole_before_postgresql() {
    if !Postgres::is_available() {
        return eprintln!("SKIPPED: no PostgreSQL here");
    }
    let server = Postgres::start().await;
    let direct = server.database("drydock_jobs");
    let port: u16 = direct.rsplit_once(':').unwrap().1.split('/').next().unwrap().parse().unwrap();
    outlives_a_black_hole(|other| direct.replace(&format!(":{port}/"), &format!(":{other}/")), port).await;
}
