//! The configuration as the other rooms take it: the hall's settings, the door's, and where things are kept.

use super::{Cluster, Config, ConfigError, ConfigFile, Lookup, Member};
use control::{
    AlertSettings, Budget, ClusterSettings, Concurrency, DatabaseSettings, DiscoverySettings, Heartbeat,
    MetricsSettings, RecycleDefaults, RegrowthSettings, Settings, TlsMode, TokenSettings, Window,
};
use http::{HttpSettings, TlsFiles};
use std::{collections::BTreeSet, net::SocketAddr, path::PathBuf};
use types::{Address, Secret};

fn meaning(key: impl Into<String>, reason: impl Into<String>) -> ConfigError {
    ConfigError::Meaning { key: key.into(), reason: reason.into() }
}

impl Config {
    /// What the hall is told.
    pub fn settings(&self, lookup: Lookup<'_>) -> Result<Settings, ConfigError> {
        let values = &self.values;
        Ok(Settings {
            defaults: defaults(values),
            concurrency: concurrency(values),
            regrowth: RegrowthSettings { after: values.recycling.regrowth_after.0 },
            database: DatabaseSettings { timeout: values.database.defaults.timeout.0, tls: tls(values)? },
            discovery: DiscoverySettings {
                ignore_users: values.database.discovery.ignore_users.clone(),
                guess_ports: values.database.discovery.guess_ports.clone(),
            },
            clusters: clusters(values, lookup)?,
            metrics: metrics(values),
            alerts: alerts(values)?,
            tokens: tokens(values)?,
            two_person: values.auth.two_person,
            password: self.password.clone(),
            heartbeat: values.recycling.heartbeat.as_ref().map(heartbeat),
            window: values.recycling.window.as_ref().map(|window| Window { start: window.start, end: window.end }),
            budget: values.recycling.budget.as_ref().map_or_else(Budget::default, |budget| Budget {
                bytes_per_hour: budget.bytes_per_hour,
                minutes_per_day: budget.minutes_per_day,
            }),
        })
    }

    /// What the door is told; the host may be a name.
    pub async fn http(&self) -> Result<HttpSettings, ConfigError> {
        let server = &self.values.server;
        let mut settings = HttpSettings::at(resolve(&server.host, server.port).await?);
        settings.read_timeout = server.read_timeout.0;
        settings.write_timeout = server.write_timeout.0;
        settings.idle_timeout = server.idle_timeout.0;
        settings.request_timeout = server.request_timeout.0;
        settings.tls = server.tls.as_ref().map(|tls| TlsFiles { certificate: tls.cert.clone(), key: tls.key.clone() });
        settings.allowed_hosts.clone_from(&server.allowed_hosts);
        Ok(settings)
    }

    /// The job store's URL; SQLite beside `persistence.job_state.file` unless one is given.
    pub fn store_url(&self, lookup: Lookup<'_>) -> Result<Secret, ConfigError> {
        let place = &self.values.persistence.store;
        if let Some(name) = &place.url_env {
            return variable("persistence.store.url_env", name, lookup);
        }
        Ok(place.url.clone().unwrap_or_else(|| {
            let file = self.values.persistence.job_state.file.with_extension("db");
            Secret::new(format!("sqlite:{}", file.display()))
        }))
    }

    /// Where samples are kept past the end of the process; `None` leaves them to the job store.
    pub fn samples_file(&self) -> Option<PathBuf> {
        let metrics = &self.values.persistence.metrics;
        metrics.enabled.then(|| metrics.file.clone())
    }

    /// Where `jobs.json` is written, if it is.
    pub fn jobs_file(&self) -> Option<PathBuf> {
        let state = &self.values.persistence.job_state;
        state.enabled.then(|| state.file.clone())
    }
}

fn defaults(values: &ConfigFile) -> RecycleDefaults {
    let given = &values.recycling.defaults;
    RecycleDefaults {
        threshold_mb: given.threshold_mb,
        threshold_percent: given.threshold_percent,
        batch_size: u32::try_from(given.batch_size).unwrap_or(u32::MAX),
        timeout: given.timeout,
        mode: given.mode,
        exclude_primary: given.exclude_primary,
        scope: given.scope,
        parallel: u32::try_from(given.parallel).unwrap_or(u32::MAX),
        max_lag: given.max_lag,
    }
}

fn concurrency(values: &ConfigFile) -> Concurrency {
    let given = &values.recycling.concurrency;
    Concurrency {
        max_workers: usize::try_from(given.max_workers).unwrap_or(usize::MAX),
        queue_size: usize::try_from(given.queue_size).unwrap_or(usize::MAX),
        worker_timeout: given.worker_timeout.map_or(Concurrency::default().worker_timeout, |span| span.0),
        statement_limit: given.worker_timeout.map(|span| span.0),
    }
}

/// Whose beats count is found out for each node.
fn heartbeat(given: &super::Heartbeat) -> Heartbeat {
    Heartbeat { table: given.table.clone(), utc: given.utc, roots: Vec::new() }
}

fn metrics(values: &ConfigFile) -> MetricsSettings {
    let given = &values.monitoring.metrics;
    MetricsSettings { enabled: given.enabled, interval: given.interval.0, retention: given.retention.0 }
}

fn tls(values: &ConfigFile) -> Result<TlsMode, ConfigError> {
    let given = &values.database.defaults;
    match (given.tls.as_str(), &given.tls_ca) {
        ("verify-identity", Some(ca)) => Ok(TlsMode::VerifyIdentity { ca: ca.clone() }),
        ("verify-identity", None) => Err(meaning("database.default.tls", "is verify-identity, which needs tls_ca")),
        (_, Some(_)) => Err(meaning("database.default.tls_ca", "is only used when tls is verify-identity")),
        ("required", None) => Ok(TlsMode::Required),
        _ => Ok(TlsMode::Disabled),
    }
}

fn alerts(values: &ConfigFile) -> Result<AlertSettings, ConfigError> {
    let given = &values.monitoring.alerts;
    let enabled = given.enabled.unwrap_or(given.webhook_url.is_some());
    let key = "monitoring.alerts.webhook_url";
    match &given.webhook_url {
        None if enabled => Err(meaning(key, "is missing while alerts are enabled")),
        Some(url) if !url.expose().starts_with("http://") && !url.expose().starts_with("https://") => {
            Err(meaning(key, "must begin with http:// or https://"))
        }
        url => Ok(AlertSettings { enabled, webhook_url: url.clone() }),
    }
}

fn tokens(values: &ConfigFile) -> Result<Vec<TokenSettings>, ConfigError> {
    let mut seen = BTreeSet::new();
    let one = |token: &super::Token| {
        if !seen.insert(token.sha256.clone()) {
            return Err(meaning("auth.tokens", format!("holds the token of `{}` twice", token.name)));
        }
        Ok(TokenSettings {
            name: token.name.clone(),
            role: token.role,
            sha256: token.sha256.clone(),
            groups: token.groups.clone(),
        })
    };
    values.auth.tokens.iter().map(one).collect()
}

fn clusters(values: &ConfigFile, lookup: Lookup<'_>) -> Result<Vec<ClusterSettings>, ConfigError> {
    let mut seen = BTreeSet::new();
    let mut one = |cluster: &Cluster| {
        if !seen.insert(cluster.name.clone()) {
            return Err(meaning("database.clusters", format!("holds `{}` twice", cluster.name)));
        }
        let member = &cluster.primary;
        Ok(ClusterSettings {
            name: cluster.name.clone(),
            address: Address::new(member.host.clone(), member.port),
            username: member.username.clone(),
            password: member_password(&cluster.name, member, lookup)?,
            members: cluster.members.clone(),
            group: cluster.group.clone(),
        })
    };
    values.database.clusters.iter().map(&mut one).collect()
}

fn member_password(cluster: &str, member: &Member, lookup: Lookup<'_>) -> Result<Secret, ConfigError> {
    let key = |name: &str| format!("database.clusters[{cluster}].primary.{name}");
    match (member.password.is_empty(), &member.password_file, &member.password_env) {
        (_, None, None) => Ok(member.password.clone()),
        (true, Some(path), None) => crate::password::read_file(path)
            .map_err(|failure| meaning(key("password_file"), failure.detail("error").to_owned())),
        (true, None, Some(name)) => variable(&key("password_env"), name, lookup),
        _ => Err(meaning(key("password"), "is given in more than one way; keep one")),
    }
}

fn variable(key: &str, name: &str, lookup: Lookup<'_>) -> Result<Secret, ConfigError> {
    let value = lookup(name).ok_or_else(|| meaning(key, format!("names {name}, which is not set")))?;
    value.into_string().map(Secret::new).map_err(|_| meaning(key, format!("names {name}, which is not UTF-8")))
}

async fn resolve(host: &str, port: u16) -> Result<SocketAddr, ConfigError> {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let found = tokio::net::lookup_host((bare, port)).await;
    let reason = match found {
        Ok(mut addresses) => match addresses.next() {
            Some(address) => return Ok(address),
            None => "leads nowhere".to_owned(),
        },
        Err(error) => format!("is not an address of this machine: {error}"),
    };
    Err(meaning("server.host", format!("`{host}` {reason}")))
}
