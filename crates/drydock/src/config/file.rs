//! `config.yaml` as it is written: the seed's sections (chapter 4) and our own keys beside them, typed, with defaults.

use super::value::{fraction, level, percent, positive, span, tls_mode};
use api::{Scope, WorkMode};
use control::Role;
use jiff::civil::Time;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use types::{Address, Secret, Span, TableName};

/// The whole file. An absent section, or an absent key of one, takes its default.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ConfigFile {
    /// Where the doors stand.
    pub server: Server,
    /// Who may come in.
    pub auth: Auth,
    /// The log file.
    pub logging: Logging,
    /// How managed servers are reached.
    pub database: Database,
    /// What a job takes for what its request leaves out.
    pub recycling: Recycling,
    /// Samples and alerts.
    pub monitoring: Monitoring,
    /// Where jobs and samples are kept.
    pub persistence: Persistence,
}

/// `server`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Server {
    /// Address to listen on.
    pub host: String,
    /// Port to listen on.
    pub port: u16,
    /// Limit for reading a request.
    #[serde(deserialize_with = "span")]
    pub read_timeout: Span,
    /// Limit for a client to take a piece of the answer.
    #[serde(deserialize_with = "span")]
    pub write_timeout: Span,
    /// How long an idle connection is kept.
    #[serde(deserialize_with = "span")]
    pub idle_timeout: Span,
    /// Limit for answering a request, waits for managed servers included.
    #[serde(deserialize_with = "super::value::some_span")]
    pub request_timeout: Span,
    /// Certificate and key; both or neither.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<ServerTls>,
    /// Host names beside loopback's own by which the server may be addressed (against DNS rebinding).
    pub allowed_hosts: Vec<String>,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            host: "127.0.0.1".to_owned(),
            port: 8080,
            read_timeout: Span::from_secs(30),
            write_timeout: Span::from_secs(30),
            idle_timeout: Span::from_secs(120),
            request_timeout: Span::from_secs(120),
            tls: None,
            allowed_hosts: Vec::new(),
        }
    }
}

/// `server.tls`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerTls {
    /// PEM file, the server's certificate first.
    pub cert: PathBuf,
    /// PEM file.
    pub key: PathBuf,
}

/// `auth`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Auth {
    /// Tokens; none means none is asked for, which only a loopback bind may do.
    pub tokens: Vec<Token>,
    /// Whether a job that may touch a writer waits for a second admin.
    pub two_person: bool,
}

/// One of `auth.tokens`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Token {
    /// Whose it is; the actor in the audit.
    pub name: String,
    /// `viewer`, `operator` or `admin`.
    pub role: Role,
    /// SHA-256 of the token as `drydock token new` prints it.
    #[serde(deserialize_with = "super::value::sha256")]
    pub sha256: String,
    /// The groups of clusters it is kept to; everything if left out.
    #[serde(default, deserialize_with = "super::value::list", skip_serializing_if = "Option::is_none")]
    pub groups: Option<Vec<String>>,
}

/// `logging`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Logging {
    /// `debug`, `info`, `warn` or `error`.
    #[serde(deserialize_with = "level")]
    pub level: String,
    /// The file; its directory is made if it is not there.
    pub file: PathBuf,
    /// MB at which the file is rotated.
    #[serde(deserialize_with = "positive")]
    pub max_size: u64,
    /// Rotated files kept.
    pub max_backups: u64,
    /// Days a rotated file is kept; 0 is for ever.
    pub max_age: u64,
    /// Whether rotated files are gzipped.
    pub compress: bool,
}

impl Default for Logging {
    fn default() -> Self {
        Self {
            level: "info".to_owned(),
            file: PathBuf::from("./logs/recycling.log"),
            max_size: 100,
            max_backups: 5,
            max_age: 30,
            compress: true,
        }
    }
}

/// `database`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Database {
    /// For every managed server.
    #[serde(rename = "default")]
    pub defaults: Connection,
    /// How members are found.
    pub discovery: Discovery,
    /// Clusters known by name.
    pub clusters: Vec<Cluster>,
}

/// `database.default`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Connection {
    /// Limit for connecting and logging in.
    #[serde(deserialize_with = "span")]
    pub timeout: Span,
    /// Read and checked. Sessions are pinned one by one and never pooled, so that a setting and the statement it is
    /// meant for cannot land in two sessions; the number bounds nothing.
    #[serde(deserialize_with = "positive")]
    pub max_open_conns: u64,
    /// Read and checked; see `max_open_conns`.
    pub max_idle_conns: u64,
    /// Read and checked; see `max_open_conns`.
    #[serde(deserialize_with = "span")]
    pub conn_max_lifetime: Span,
    /// `disabled`, `required` or `verify-identity`.
    #[serde(deserialize_with = "tls_mode")]
    pub tls: String,
    /// PEM file `verify-identity` checks against.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_ca: Option<PathBuf>,
}

impl Default for Connection {
    fn default() -> Self {
        Self {
            timeout: Span::from_secs(10),
            max_open_conns: 10,
            max_idle_conns: 5,
            conn_max_lifetime: Span::from_secs(3600),
            tls: "disabled".to_owned(),
            tls_ca: None,
        }
    }
}

/// One of `database.clusters`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cluster {
    /// Its name.
    pub name: String,
    /// The member to begin at; who is primary is found out, not believed.
    pub primary: Member,
    /// Members beside it, `host:port` or `host` and `port`: asked with its account even where no link leads to them.
    #[serde(default, deserialize_with = "super::value::addresses", skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<Address>,
    /// The group whose tokens see it, beside those without groups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
}

/// `database.discovery`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Discovery {
    /// Accounts whose binlog dumps are never replicas (CDC, backup).
    pub ignore_users: Vec<String>,
    /// Ports worth trying where a replica does not announce its own.
    pub guess_ports: Vec<u16>,
}

/// `primary` of a cluster.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// Host name or address.
    pub host: String,
    /// TCP port.
    #[serde(default = "mysql_port")]
    pub port: u16,
    /// Database account.
    pub username: String,
    /// Its password in clear. Prefer one of the next two.
    #[serde(default, skip_serializing_if = "Secret::is_empty")]
    pub password: Secret,
    /// A file that holds it; a line end after it is not part of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_file: Option<PathBuf>,
    /// An environment variable that holds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_env: Option<String>,
}

pub(super) fn mysql_port() -> u16 {
    3306
}

/// `recycling`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Recycling {
    /// For fields a request leaves out.
    pub defaults: Defaults,
    /// How much goes on at once.
    pub concurrency: Concurrency,
    /// Work begins only inside it; at any time if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
    /// A heartbeat table lag is also measured by; none unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub heartbeat: Option<Heartbeat>,
    /// What rebuilding may cost each node; anything if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget: Option<Budget>,
    /// How long after a job's end its tables are looked at once more; 0s is never.
    #[serde(deserialize_with = "super::value::rare_span")]
    pub regrowth_after: Span,
}

impl Default for Recycling {
    fn default() -> Self {
        Self {
            defaults: Defaults::default(),
            concurrency: Concurrency::default(),
            window: None,
            heartbeat: None,
            budget: None,
            regrowth_after: Span::from_secs(7 * 86_400),
        }
    }
}

/// `recycling.budget`, for each node by itself.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Budget {
    /// Bytes written by rebuilds in an hour, such as `50G`.
    #[serde(deserialize_with = "super::value::given_size", skip_serializing_if = "Option::is_none")]
    pub bytes_per_hour: Option<u64>,
    /// Minutes of rebuilding in a UTC day.
    #[serde(deserialize_with = "super::value::given_minutes", skip_serializing_if = "Option::is_none")]
    pub minutes_per_day: Option<u64>,
}

/// `recycling.heartbeat`: a table as pt-heartbeat writes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Heartbeat {
    /// `database.table`.
    #[serde(deserialize_with = "super::value::table", serialize_with = "super::value::as_text")]
    pub table: TableName,
    /// Whether it is written with `--utc`.
    #[serde(default = "yes")]
    pub utc: bool,
}

fn yes() -> bool {
    true
}

/// `recycling.window`, every day, UTC; it may go over midnight.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// First moment, such as `22:00`.
    #[serde(deserialize_with = "super::value::time")]
    pub start: Time,
    /// First moment after it, such as `06:00`.
    #[serde(deserialize_with = "super::value::time")]
    pub end: Time,
}

/// `recycling.defaults`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Defaults {
    /// MB a table must waste.
    pub threshold_mb: u64,
    /// Percent of its file a table must waste.
    #[serde(deserialize_with = "percent")]
    pub threshold_percent: f64,
    /// Tables per batch.
    #[serde(deserialize_with = "positive")]
    pub batch_size: u64,
    /// Limit for one table's rebuild with its waits.
    #[serde(deserialize_with = "span")]
    pub timeout: Span,
    /// `binlog-off` or `binlog-on`.
    pub mode: WorkMode,
    /// Leave writers alone.
    pub exclude_primary: bool,
    /// `auto`, `node` or `fleet`.
    pub scope: Scope,
    /// Replicas rebuilt at once.
    #[serde(deserialize_with = "positive")]
    pub parallel: u64,
    /// Seconds of lag above which work pauses.
    #[serde(deserialize_with = "fraction")]
    pub max_lag: f64,
}

impl Default for Defaults {
    fn default() -> Self {
        Self {
            threshold_mb: 100,
            threshold_percent: 10.0,
            batch_size: 5,
            timeout: Span::from_secs(3600),
            mode: WorkMode::BinlogOff,
            exclude_primary: true,
            scope: Scope::Auto,
            parallel: 1,
            max_lag: 10.0,
        }
    }
}

/// `recycling.concurrency`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Concurrency {
    /// Jobs running at once, and members asked at once.
    #[serde(deserialize_with = "positive")]
    pub max_workers: u64,
    /// Jobs waiting; one more is refused as busy.
    #[serde(deserialize_with = "positive")]
    pub queue_size: u64,
    /// Limit for a request that asks servers, and, if given, for one rebuilding statement.
    #[serde(deserialize_with = "super::value::given_span", skip_serializing_if = "Option::is_none")]
    pub worker_timeout: Option<Span>,
}

impl Default for Concurrency {
    fn default() -> Self {
        Self { max_workers: 10, queue_size: 100, worker_timeout: None }
    }
}

/// `monitoring`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Monitoring {
    /// Samples over time.
    pub metrics: Metrics,
    /// Where failures are reported.
    pub alerts: Alerts,
}

/// `monitoring.metrics`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Metrics {
    /// Whether samples are taken.
    pub enabled: bool,
    /// How often.
    #[serde(deserialize_with = "super::value::some_span")]
    pub interval: Span,
    /// How long they are kept.
    #[serde(deserialize_with = "super::value::some_span")]
    pub retention: Span,
}

impl Default for Metrics {
    fn default() -> Self {
        Self { enabled: true, interval: Span::from_secs(30), retention: Span::from_secs(7 * 86_400) }
    }
}

/// `monitoring.alerts`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Alerts {
    /// Whether anything is sent; if absent, whenever there is an address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// An Alertmanager's address; it may carry a password, so it is masked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub webhook_url: Option<Secret>,
}

/// `persistence`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Persistence {
    /// Where jobs, journals, leases and the audit are kept.
    pub store: StorePlace,
    /// `jobs.json`, a copy for reading.
    pub job_state: JobState,
    /// The samples' own file.
    pub metrics: MetricsFile,
}

/// `persistence.store`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StorePlace {
    /// `sqlite:PATH`, `mysql://…` or `postgres://…`; SQLite beside `persistence.job_state.file` unless set. A URL
    /// may carry a password, so it is masked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<Secret>,
    /// An environment variable that holds the URL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url_env: Option<String>,
    /// How long ended jobs are kept; none is for ever.
    #[serde(deserialize_with = "super::value::span")]
    pub retention: Span,
}

impl Default for StorePlace {
    fn default() -> Self {
        Self { url: None, url_env: None, retention: Span::from_secs(365 * 86_400) }
    }
}

/// `persistence.job_state`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct JobState {
    /// Whether the copy is written.
    pub enabled: bool,
    /// The file.
    pub file: PathBuf,
    /// How often.
    #[serde(deserialize_with = "super::value::some_span")]
    pub interval: Span,
}

impl Default for JobState {
    fn default() -> Self {
        Self { enabled: true, file: PathBuf::from("./data/jobs.json"), interval: Span::from_secs(10) }
    }
}

/// `persistence.metrics`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MetricsFile {
    /// Whether samples are also written to a file; the store keeps them in any case.
    pub enabled: bool,
    /// The file.
    pub file: PathBuf,
}

impl Default for MetricsFile {
    fn default() -> Self {
        Self { enabled: true, file: PathBuf::from("./data/metrics.db") }
    }
}
