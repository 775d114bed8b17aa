//! What the hall is told at start and on reload: plain data, mapped from the configuration file by the roof.

use crate::Role;
use api::{Scope, WorkMode};
use mysql::Endpoint;
pub use mysql::TlsMode;
pub use reclaim::gates::{budget::Budget, window::Window};
use std::time::Duration;
pub use topology::Heartbeat;
use types::{Address, Secret, Span};

/// Everything the hall can be told. [`Settings::default`] is the seed's configuration with nothing in it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Settings {
    /// `recycling.defaults`: what a job takes for fields its request leaves out.
    pub defaults: RecycleDefaults,
    /// `recycling.concurrency`.
    pub concurrency: Concurrency,
    /// `recycling.regrowth_after`.
    pub regrowth: RegrowthSettings,
    /// `database.default`.
    pub database: DatabaseSettings,
    /// `database.discovery`.
    pub discovery: DiscoverySettings,
    /// `database.clusters`.
    pub clusters: Vec<ClusterSettings>,
    /// `monitoring.metrics`.
    pub metrics: MetricsSettings,
    /// `monitoring.alerts`.
    pub alerts: AlertSettings,
    /// `auth.tokens`; empty means none is asked for, which only a loopback bind may do.
    pub tokens: Vec<TokenSettings>,
    /// `auth.two_person`: a job that may touch a writer waits for a second admin.
    pub two_person: bool,
    /// `recycling.window`: work begins only inside it; any time if absent.
    pub window: Option<Window>,
    /// `recycling.budget`: what rebuilding may cost each node.
    pub budget: Budget,
    /// `recycling.heartbeat`: a table lag is also measured by; none if absent.
    pub heartbeat: Option<Heartbeat>,
    /// `RECYCLER_DB_PASSWORD`: for targets that come without one, such as jobs found again after a restart.
    pub password: Option<Secret>,
}

/// What a job takes for what its request leaves out.
#[derive(Debug, Clone, PartialEq)]
pub struct RecycleDefaults {
    /// MB a table must waste.
    pub threshold_mb: u64,
    /// Percent of its file a table must waste.
    pub threshold_percent: f64,
    /// Tables per batch, at least 1.
    pub batch_size: u32,
    /// Limit for one table.
    pub timeout: Span,
    /// How rebuilds meet the binlog.
    pub mode: WorkMode,
    /// Leave writers alone.
    pub exclude_primary: bool,
    /// Which members.
    pub scope: Scope,
    /// Replicas rebuilt at once.
    pub parallel: u32,
    /// Seconds of lag above which work pauses.
    pub max_lag: f64,
}

impl Default for RecycleDefaults {
    fn default() -> Self {
        Self {
            threshold_mb: 100,
            threshold_percent: 10.0,
            batch_size: 5,
            timeout: Span::from_secs(3600),
            mode: WorkMode::default(),
            exclude_primary: true,
            scope: Scope::default(),
            parallel: 1,
            max_lag: 10.0,
        }
    }
}

/// How much goes on at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Concurrency {
    /// Jobs running at once, and members asked at once during discovery.
    pub max_workers: usize,
    /// Jobs waiting; one more is refused as busy.
    pub queue_size: usize,
    /// Limit for a request that has to ask servers (discovery, plan, space, census).
    pub worker_timeout: Duration,
    /// Limit for one rebuilding statement. Without one only a job's own timeout ends a rebuild: a default would stop every
    /// large table, hours into a job that was given a day.
    pub statement_limit: Option<Duration>,
}

impl Default for Concurrency {
    fn default() -> Self {
        Self { max_workers: 10, queue_size: 100, worker_timeout: Duration::from_mins(30), statement_limit: None }
    }
}

/// The look at what grew again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegrowthSettings {
    /// How long after a job's end its tables are looked at once more; zero is never.
    pub after: Duration,
}

impl Default for RegrowthSettings {
    fn default() -> Self {
        Self { after: Duration::from_hours(168) }
    }
}

/// How managed servers are spoken to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseSettings {
    /// Limit for connecting and logging in.
    pub timeout: Duration,
    /// Channel protection.
    pub tls: TlsMode,
}

impl Default for DatabaseSettings {
    fn default() -> Self {
        Self { timeout: Duration::from_secs(10), tls: TlsMode::default() }
    }
}

impl DatabaseSettings {
    /// A way in with these settings.
    pub fn endpoint(&self, address: Address, username: &str, password: Secret) -> Endpoint {
        let mut endpoint = Endpoint::new(address, username, password);
        endpoint.connect_timeout = self.timeout;
        endpoint.tls = self.tls.clone();
        endpoint
    }
}

/// One configured cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterSettings {
    /// Its name.
    pub name: String,
    /// The member to begin at; the configuration calls it `primary`, which is taken as a hint only.
    pub address: Address,
    /// Database account.
    pub username: String,
    /// Its password; empty falls back to [`Settings::password`].
    pub password: Secret,
    /// Members beside it that discovery asks too, linked or not, with this cluster's account.
    pub members: Vec<Address>,
    /// The group it belongs to: limited tokens see it by this; none is for tokens without groups only.
    pub group: Option<String>,
}

impl ClusterSettings {
    /// Every address the operator named.
    pub fn addresses(&self) -> impl Iterator<Item = &Address> {
        std::iter::once(&self.address).chain(&self.members)
    }
}

/// `database.discovery`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DiscoverySettings {
    /// Accounts whose binlog dumps are never replicas.
    pub ignore_users: Vec<String>,
    /// Ports worth trying where a replica does not announce its own.
    pub guess_ports: Vec<u16>,
}

/// Samples over time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetricsSettings {
    /// Whether samples are taken.
    pub enabled: bool,
    /// How often.
    pub interval: Duration,
    /// How long they are kept.
    pub retention: Duration,
}

impl Default for MetricsSettings {
    fn default() -> Self {
        Self { enabled: true, interval: Duration::from_secs(30), retention: Duration::from_hours(168) }
    }
}

/// Where failures are reported.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AlertSettings {
    /// Whether anything is sent.
    pub enabled: bool,
    /// An Alertmanager's address, `/api/v1/alerts` or `/api/v2/alerts`; may hold a password, so it is a secret.
    pub webhook_url: Option<Secret>,
}

/// A token that opens the door.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenSettings {
    /// Whose it is: the actor in the audit.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// SHA-256 of the token, 64 hexadecimal digits; the token itself is kept nowhere.
    pub sha256: String,
    /// The groups of clusters it is kept to, at least one; everything if absent.
    pub groups: Option<Vec<String>>,
}
