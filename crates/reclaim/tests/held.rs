//! The job's locks on servers while it waits: one that is lost is asked for again, and decides how the job goes on.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops loudly where it stands")]

mod bed;

use api::{JobStatus, RecycleConfig, TableState};
use bed::Hall;
use mysql::Session;
use testkit::{Engine, Fleet, Server};
use types::{JobId, Span};

/// A job on a replica that waits at its gate for somebody's transaction.
struct Bench {
    fleet: Fleet,
    hall: Hall,
    id: JobId,
    holder: Session,
}

impl Bench {
    async fn start(engine: Engine) -> Self {
        let fleet = bed::wasteful(engine, 1, 30_000).await;
        let replica = &fleet.servers[1];
        let mut holder = replica.session().await;
        holder.run("BEGIN").await.expect("begin");
        holder.run("SELECT * FROM shop.orders LIMIT 1").await.expect("a lock");
        let hall = Hall::new();
        let config = RecycleConfig { timeout: Span::from_secs(60), ..bed::config(replica) };
        let id = hall.submit(replica, config).await;
        hall.until(&id, |job| job.progress.phase.starts_with("waiting")).await;
        Self { fleet, hall, id, holder }
    }

    /// The connections that have the job's lock on the primary and on the replica.
    async fn locks(&self) -> [String; 2] {
        [lock(self.fleet.primary()).await, lock(&self.fleet.servers[1]).await]
    }

    /// All that a rebuild would change on the replica.
    async fn state(&self) -> (String, String, u64) {
        let replica = &self.fleet.servers[1];
        (bed::settings(replica).await, bed::gtids(replica).await, replica.file_bytes("shop/orders.ibd"))
    }
}

/// The connection that has a server's job lock; empty if nobody has.
async fn lock(server: &Server) -> String {
    server.value("SELECT IS_USED_LOCK('drydock.job')").await
}

/// Somebody else gets the writer's lock while the job waits: two tools must not work in one fleet, so this one ends.
async fn lost_to_another(engine: Engine) {
    let bench = Bench::start(engine).await;
    let (primary, before) = (bench.fleet.primary(), bench.state().await);
    let [ours, _] = bench.locks().await;
    let mut other = primary.session().await;
    let its = other.id();
    let queued = tokio::spawn(async move { (other.value("SELECT GET_LOCK('drydock.job', 30)").await, other) });
    let waits = format!("SELECT STATE FROM information_schema.PROCESSLIST WHERE ID = {its}");
    bed::until("the other queues", "User lock".to_owned(), || primary.value(&waits)).await;
    primary.run(&[&format!("KILL {ours}")]).await;
    let (got, other) = queued.await.expect("it is answered");
    assert_eq!(got.expect("an answer").as_deref(), Some("1"), "who queued has the lock");

    let job = bench.hall.finished(&bench.id).await;
    assert_eq!((job.status, job.error_code), (JobStatus::Failed, 1010), "{job:#?}");
    assert!(job.error.contains(&format!("connection {its}")), "the holder is not named: {}", job.error);
    assert_eq!(job.statistics.tables_processed[0].state, TableState::Failed, "{job:#?}");
    assert_eq!(bench.state().await, before);
    assert_eq!(bench.locks().await, [its.to_string(), String::new()], "its own locks are given back, and no other");
    bench.holder.close().await;
    other.close().await;
}

#[tokio::test]
async fn a_job_whose_writer_somebody_else_has_got_ends_with_1010() {
    bed::on_each(lost_to_another).await;
}

/// Both sessions are gone and nobody wants the locks: they are taken again, and the job goes on.
async fn lost_to_nobody(engine: Engine) {
    let bench = Bench::start(engine).await;
    let (servers, lost) = (&bench.fleet.servers, bench.locks().await);
    for (server, connection) in servers.iter().zip(&lost) {
        server.run(&[&format!("KILL {connection}")]).await;
    }
    let renewed = || async {
        let now = bench.locks().await;
        now.iter().zip(&lost).all(|(now, lost)| !now.is_empty() && now != lost)
    };
    bed::until("locks taken again", true, renewed).await;
    bench.holder.close().await;
    let job = bench.hall.finished(&bench.id).await;
    assert_eq!(job.status, JobStatus::Completed, "{job:#?}");
}

#[tokio::test]
async fn a_lock_that_was_lost_to_nobody_is_taken_again() {
    bed::on_each(lost_to_nobody).await;
}
