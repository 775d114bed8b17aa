//! A fleet that survives crashes, tables that waste space, and a store that outlives the tool.

use api::{DatabaseTarget, RecycleConfig, RecycleDocument, RecycleJob, Scope, WorkMode};
use jobs::{JobStore, NewJob};
use reclaim::{
    gates::errant,
    plan::{PlanOptions, plan},
};
use runtime::{Clock, Random};
use std::{sync::Arc, time::Duration};
use store::SqlStore;
use tempfile::TempDir;
use testkit::{Engine, Fleet, Options, PASSWORD, USER};
use types::{JobId, Secret, Span};

/// Tables of every round.
pub const TABLES: [&str; 2] = ["shop.orders", "shop.lines"];
/// Rows each is filled up to.
const ROWS: u64 = 120_000;

/// Everything that outlives a crash.
pub struct Bed {
    /// One primary, two replicas.
    pub fleet: Fleet,
    /// The jobs.
    pub store: Arc<SqlStore>,
    place: String,
    _home: TempDir,
}

impl Bed {
    /// Starts the fleet; its members come back read-only after a crash, as real replicas do.
    pub async fn start(engine: Engine) -> Bed {
        let arguments = ["--innodb-buffer-pool-size=64M", "--read-only=1", "--max-connections=200"];
        let arguments = arguments.map(str::to_owned).to_vec();
        let fleet = Fleet::start_with(engine, 2, &Options { arguments, ..Options::default() }).await;
        fleet.primary().run(&["SET GLOBAL read_only = 0", "CREATE DATABASE shop"]).await;
        for table in TABLES {
            let columns = "id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, k INT, v VARCHAR(255), KEY (k)";
            fleet.primary().run(&[&format!("CREATE TABLE {table} ({columns})")]).await;
        }
        let home = tempfile::tempdir().expect("a directory");
        let place = home.path().join("drydock.db").display().to_string();
        let store = store::open(&place, None).await.expect("the store opens");
        Bed { fleet, store, place, _home: home }
    }

    /// Where the store lies.
    pub fn store_path(&self) -> &str {
        &self.place
    }

    /// Fills the tables up and deletes half of them, everywhere.
    pub async fn waste(&self) {
        let primary = self.fleet.primary();
        for table in TABLES {
            primary.run(&[&format!("INSERT INTO {table} (k, v) VALUES (1, REPEAT('x', 180))")]).await;
            loop {
                let have: u64 = primary.value(&format!("SELECT COUNT(*) FROM {table}")).await.parse().expect("a count");
                if have >= ROWS {
                    break;
                }
                let sql = format!(
                    "INSERT INTO {table} (k, v) SELECT FLOOR(RAND() * 1000000), v FROM {table} LIMIT {}",
                    ROWS - have
                );
                primary.run(&[&sql]).await;
            }
            primary.run(&[&format!("DELETE FROM {table} WHERE id % 2 = 0 OR RAND() < 0.2")]).await;
        }
        for replica in 1..self.fleet.servers.len() {
            self.fleet.protect(replica).await;
            self.fleet.catch_up(replica, 0).await;
            self.fleet.servers[replica].settled().await;
        }
    }

    /// Plans the replicas and puts the job into the store, for whoever works there; `None` if nothing is to be done.
    pub async fn submit(&self) -> Option<JobId> {
        let (clock, primary) = (Clock::real(), self.fleet.primary());
        let plan = plan(&primary.endpoint(), &self.config(), &PlanOptions::default(), &clock).await.expect("a plan");
        plan.work().next()?;
        let now = clock.now();
        let document = RecycleDocument::new(plan.config.clone(), plan, now);
        let body = serde_json::to_value(document).expect("a document");
        let new = NewJob { kind: reclaim::trade::KIND.into(), body, created_at: now };
        Some(self.store.create(new).await.expect("a job").id)
    }

    /// Does what a job's notes say against a statement that a server's recovery has logged; false if they say nothing.
    pub async fn cure(&self, job: &RecycleJob) -> bool {
        let told = job.notes.iter().filter(|note| note.contains(errant::CURE));
        let nodes: Vec<&str> = told.filter_map(|note| note.split_once(": ")).map(|(node, _)| node).collect();
        for server in &self.fleet.servers {
            if nodes.contains(&server.address().to_string().as_str()) {
                server.run(&errant::CURE.split("; ").collect::<Vec<_>>()).await;
            }
        }
        !nodes.is_empty()
    }

    fn config(&self) -> RecycleConfig {
        let address = self.fleet.primary().address();
        RecycleConfig {
            target: DatabaseTarget {
                host: address.host,
                port: address.port,
                username: USER.into(),
                password: Secret::new(PASSWORD),
            },
            mode: WorkMode::BinlogOff,
            threshold_mb: 0,
            threshold_percent: 0.0,
            exclude_primary: true,
            databases: vec!["shop".into()],
            tables: vec![],
            batch_size: 1,
            timeout: Span::from_secs(300),
            scope: Scope::Auto,
            parallel: 1,
            max_lag: 10.0,
            shrink_undo: false,
        }
    }

    /// The job as stored.
    pub async fn job(&self, id: &JobId) -> RecycleJob {
        let record = self.store.get(id).await.expect("the store").expect("the job");
        let document: RecycleDocument = serde_json::from_value(record.body).expect("a document");
        RecycleJob { status: record.status, ..document.job }
    }

    /// True once anything of the job is in its journal, which comes before any change.
    pub async fn has_begun(&self, id: &JobId) -> bool {
        !self.store.journal(id).await.expect("the journal").is_empty()
    }

    /// True once nothing more will happen.
    pub async fn is_final(&self, id: &JobId) -> bool {
        self.job(id).await.status.is_final()
    }

    /// Waits for the job's end.
    pub async fn finished(&self, id: &JobId) -> RecycleJob {
        for _ in 0..6000 {
            let job = self.job(id).await;
            if job.status.is_final() {
                return job;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the job does not end: {:#?}", self.job(id).await);
    }

    /// Kills a replica's server and starts it again a moment later.
    pub async fn kill_a_replica(&mut self, replica: usize, random: &Random) {
        let server = &mut self.fleet.servers[replica];
        server.kill();
        tokio::time::sleep(Duration::from_millis(random.below(1500))).await;
        server.restart().await;
    }
}
