//! A bed for reclaim tests: real fleets with tables that waste space.
#![allow(dead_code, reason = "each test program uses its part")]

pub mod kinds;

use api::{DatabaseTarget, Plan, RecycleConfig, RecycleDocument, RecycleJob};
use jobs::{JobStore, MemoryStore, Runner, RunnerOptions};
use reclaim::{
    plan::{PlanOptions, plan},
    trade::{RecycleTrade, TradeOptions},
};
use runtime::{Clock, Random};
use std::{sync::Arc, time::Duration};
use testkit::{Engine, Fleet, Options, PASSWORD, Server, USER};
use types::{JobId, Secret, Span};

/// Runs a test on every engine that can be had, and says which cannot.
pub async fn on_each<F: Future<Output = ()>>(test: impl Fn(Engine) -> F) {
    for engine in [Engine::MariaDb, Engine::MySql] {
        if engine.is_available() {
            test(engine).await;
        } else {
            eprintln!("skipped: no {} here", engine.name());
        }
    }
}

/// A request for a server, with thresholds that take every clear gain.
pub fn config(server: &Server) -> RecycleConfig {
    let types::Address { host, port } = server.address();
    let target = DatabaseTarget { host, port, username: USER.into(), password: Secret::new(PASSWORD) };
    let clear = RecycleConfig { threshold_mb: 0, threshold_percent: 0.0, ..RecycleConfig::new(target) };
    RecycleConfig { timeout: Span::from_secs(120), ..clear }
}

/// One primary and replicas with a pool large enough to work in.
pub async fn fleet(engine: Engine, replicas: usize) -> Fleet {
    let options = Options { arguments: vec!["--innodb-buffer-pool-size=64M".into()], ..Options::default() };
    Fleet::start_with(engine, replicas, &options).await
}

/// Makes `database.table` with `rows` rows of some 200 bytes, by doubling.
pub async fn fill(server: &Server, database: &str, table: &str, rows: u64, options: &str) {
    let name = mysql::table_ident(&types::TableName::new(database, table));
    let database = mysql::ident(database);
    let mut sql = vec![
        format!("CREATE DATABASE IF NOT EXISTS {database}"),
        format!(
            "CREATE TABLE {name} (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, k INT, v VARCHAR(255), KEY (k)) {options}"
        ),
        format!("INSERT INTO {name} (k, v) VALUES (1, REPEAT('x', 180))"),
    ];
    let mut have = 1;
    while have < rows {
        let more = have.min(rows - have);
        sql.push(format!("INSERT INTO {name} (k, v) SELECT FLOOR(RAND() * 1000000), v FROM {name} LIMIT {more}"));
        have += more;
    }
    server.run(&sql.iter().map(String::as_str).collect::<Vec<_>>()).await;
}

/// Deletes all but every tenth row: holes everywhere, no extent free.
pub async fn scatter(server: &Server, database: &str, table: &str) {
    let name = mysql::table_ident(&types::TableName::new(database, table));
    server.run(&[&format!("DELETE FROM {name} WHERE id % 10 <> 0")]).await;
}

/// A fleet whose every member holds `shop.orders`, nine tenths of it deleted.
pub async fn wasteful(engine: Engine, replicas: usize, rows: u64) -> Fleet {
    let fleet = fleet(engine, replicas).await;
    fill(fleet.primary(), "shop", "orders", rows, "").await;
    scatter(fleet.primary(), "shop", "orders").await;
    for replica in 1..=replicas {
        fleet.catch_up(replica, 0).await;
        fleet.servers[replica].settled().await;
    }
    fleet
}

/// A replica that wants its applier stopped for a copy, and has a table that can only be copied.
pub async fn impatient(engine: Engine) -> Fleet {
    let fleet = fleet(engine, 1).await;
    for table in ["orders", "texts"] {
        fill(fleet.primary(), "shop", table, 20_000, "").await;
    }
    fleet.primary().run(&["ALTER TABLE shop.texts ADD FULLTEXT (v)"]).await;
    for table in ["orders", "texts"] {
        scatter(fleet.primary(), "shop", table).await;
    }
    fleet.catch_up(1, 0).await;
    fleet.servers[1].run(&["SET GLOBAL lock_wait_timeout = 1"]).await;
    fleet.servers[1].settled().await;
    fleet
}

/// A checksum of a table's rows that no server has dropped: the sum of each row's CRC.
pub async fn checksum(server: &Server, table: &str) -> String {
    server.value(&format!("SELECT CONCAT(COUNT(*), '/', SUM(CRC32(CONCAT_WS('#', id, k, v)))) FROM {table}")).await
}

/// The password of every server, as the process that runs the jobs knows it.
struct Known;

#[async_trait::async_trait]
impl reclaim::trade::Credentials for Known {
    async fn endpoint(&self, target: &DatabaseTarget) -> Option<mysql::Endpoint> {
        let address = types::Address::new(target.host.clone(), target.port);
        Some(mysql::Endpoint::new(address, target.username.clone(), Secret::new(PASSWORD)))
    }
}

/// A process that runs jobs, over a store that can outlive it.
pub struct Hall {
    /// The store.
    pub store: Arc<MemoryStore>,
    /// The dispatcher.
    pub runner: Runner,
}

impl Hall {
    /// With a store of its own.
    pub fn new() -> Self {
        Self::over(Arc::new(MemoryStore::default()))
    }

    /// Over the store of an earlier process.
    pub fn over(store: Arc<MemoryStore>) -> Self {
        Self::with(store, TradeOptions::default())
    }

    /// The same with options for the trade.
    pub fn with(store: Arc<MemoryStore>, options: TradeOptions) -> Self {
        let beat = Duration::from_millis(100);
        let trade = RecycleTrade::new(Arc::new(Known), TradeOptions { beat, ..options }, Clock::real());
        let options = RunnerOptions {
            lease: Duration::from_secs(3),
            poll: Duration::from_millis(100),
            rest: Duration::from_millis(300),
            ..RunnerOptions::default()
        };
        let runner = Runner::start(store.clone(), vec![Arc::new(trade)], options, Clock::real(), &Random::real());
        Self { store, runner }
    }

    /// Plans and submits.
    pub async fn submit(&self, server: &Server, config: RecycleConfig) -> JobId {
        let clock = Clock::real();
        let plan = plan(&server.endpoint(), &config, &PlanOptions::default(), &clock).await.expect("a plan");
        self.submit_plan(plan).await
    }

    /// Submits a plan.
    pub async fn submit_plan(&self, plan: Plan) -> JobId {
        let document = RecycleDocument::new(plan.config.clone(), plan, Clock::real().now());
        let body = serde_json::to_value(document).expect("a document");
        self.runner.submit("recycle", body).await.expect("a job").id
    }

    /// The job as it stands.
    pub async fn job(&self, id: &JobId) -> RecycleJob {
        let record = self.store.get(id).await.expect("the store").expect("the job");
        let document: RecycleDocument = serde_json::from_value(record.body).expect("a document");
        document.job
    }

    /// Waits until the job is final.
    pub async fn finished(&self, id: &JobId) -> RecycleJob {
        self.until(id, |job| job.status.is_final()).await
    }

    /// Waits until the job is as wanted.
    pub async fn until(&self, id: &JobId, wanted: impl Fn(&RecycleJob) -> bool) -> RecycleJob {
        for _ in 0..6000 {
            let job = self.job(id).await;
            if wanted(&job) {
                return job;
            }
            assert!(!job.status.is_final(), "the job ended first: {job:#?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("the job does not get there: {:#?}", self.job(id).await);
    }

    /// Plans, runs, waits.
    pub async fn run(&self, server: &Server, config: RecycleConfig) -> RecycleJob {
        let id = self.submit(server, config).await;
        self.finished(&id).await
    }
}

/// A fleet whose members come back read-only after a crash, as real replicas do.
pub async fn sturdy(engine: Engine, replicas: usize, rows: u64) -> Fleet {
    let arguments = vec!["--innodb-buffer-pool-size=64M".into(), "--read-only=1".into()];
    let fleet = Fleet::start_with(engine, replicas, &Options { arguments, ..Options::default() }).await;
    fleet.primary().run(&["SET GLOBAL read_only = 0"]).await;
    fill(fleet.primary(), "shop", "orders", rows, "").await;
    scatter_half(fleet.primary(), "shop", "orders").await;
    for replica in 1..=replicas {
        fleet.catch_up(replica, 0).await;
        fleet.servers[replica].settled().await;
    }
    fleet
}

/// Waits until the only connection of ours to a server is the one that asks: servers take their time to end one.
pub async fn until_alone(server: &Server) {
    let ours = "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER = 'drydock'";
    let mut left = String::new();
    for _ in 0..400 {
        left = server.value(ours).await;
        if left == "1" {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("{left} connections are left open, with the one that counts them");
}

/// Deletes half: enough to be worth a rebuild, and what is left takes a while to rebuild.
pub async fn scatter_half(server: &Server, database: &str, table: &str) {
    let name = mysql::table_ident(&types::TableName::new(database, table));
    server.run(&[&format!("DELETE FROM {name} WHERE id % 2 = 0")]).await;
}

/// Waits until a rebuild of ours runs on a server; its connection id.
pub async fn caught(server: &Server) -> u64 {
    let mut session = server.session().await;
    let sql = "SELECT ID AS i FROM information_schema.PROCESSLIST WHERE COMMAND <> 'Sleep' \
               AND ID <> CONNECTION_ID() AND STATE NOT LIKE '%metadata lock%' AND INFO LIKE 'ALTER /* drydock%'";
    for _ in 0..60_000 {
        if let Some(id) = session.row(sql).await.expect("the process list").and_then(|row| row.parse("i")) {
            session.close().await;
            return id;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    panic!("no rebuild begins");
}

/// Global settings a rebuild touches.
pub async fn settings(server: &Server) -> String {
    let mut session = server.session().await;
    let sql = "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('read_only', 'super_read_only', \
               'innodb_segment_reserve_factor', 'innodb_online_alter_log_max_size', 'lock_wait_timeout', 'sql_mode')";
    let rows = session.rows(sql).await.expect("variables");
    session.close().await;
    let shown: Vec<String> =
        rows.iter().map(|row| format!("{:?}={:?}", row.text("Variable_name"), row.text("Value"))).collect();
    shown.join(";")
}

/// The transactions a server knows of.
pub async fn gtids(server: &Server) -> String {
    let sql = match server.engine() {
        Engine::MariaDb => "SELECT CONCAT(@@gtid_binlog_pos, '/', @@gtid_slave_pos)",
        Engine::MySql => "SELECT REPLACE(@@gtid_executed, '\n', '')",
    };
    server.value(sql).await
}

/// Every member has the same rows.
pub async fn same_rows(fleet: &Fleet, table: &str) {
    let expected = checksum(fleet.primary(), table).await;
    for replica in 1..fleet.servers.len() {
        fleet.catch_up(replica, 0).await;
        assert_eq!(checksum(&fleet.servers[replica], table).await, expected, "replica {replica}");
    }
}

/// Temporary files of rebuilds below a server's data directory.
pub fn leftovers(server: &Server) -> Vec<String> {
    let mut found = Vec::new();
    for directory in std::fs::read_dir(server.data_directory()).expect("the data directory").flatten() {
        for file in std::fs::read_dir(directory.path()).into_iter().flatten().flatten() {
            let name = file.file_name().to_string_lossy().into_owned();
            if name.starts_with("#sql") && directory.file_name() != "#innodb_temp" {
                found.push(name);
            }
        }
    }
    found
}

/// The same plan with every table copied while the applier stands still, whatever the engine would allow: so that on either
/// engine something is lowered for the length of the statement.
pub fn copying(mut plan: Plan) -> Plan {
    for table in plan.nodes.iter_mut().flat_map(|node| &mut node.batches).flat_map(|batch| &mut batch.tables) {
        table.strategy = api::Strategy::Copy { stop_applier: true };
        table.lock = api::LockClass::Shared;
        for statement in &mut table.statements {
            *statement = statement.replace("ALGORITHM=INPLACE, LOCK=NONE", "ALGORITHM=COPY, LOCK=SHARED");
        }
    }
    plan
}

/// Whether the applier of a replica runs, as the server words it.
pub async fn applier(server: &Server) -> String {
    let mut session = server.session().await;
    let row = session.row("SHOW REPLICA STATUS").await.expect("the replica answers");
    session.close().await;
    row.and_then(|row| row.first(&["Replica_SQL_Running", "Slave_SQL_Running"])).unwrap_or_else(|| "none".to_owned())
}

/// All that a rebuild lowers on a replica.
pub async fn lowered(server: &Server) -> (String, String) {
    (settings(server).await, applier(server).await)
}

/// Waits until a server is as wanted.
pub async fn until<T: PartialEq + std::fmt::Debug, F: Future<Output = T>>(what: &str, wanted: T, ask: impl Fn() -> F) {
    for _ in 0..3000 {
        if ask().await == wanted {
            return;
        }
        tokio::time::sleep(Duration::from_millis(40)).await;
    }
    assert_eq!(ask().await, wanted, "{what}");
}
