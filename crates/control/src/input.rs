//! What a request may ask, checked before anything is touched: 1001 names the field and what it may hold.

use crate::{RecycleDefaults, Settings};
use api::{DatabaseTarget, JobConfig, JobRequest, RecycleConfig};
use serde_json::Value;
use std::time::Duration;
use types::{Code, Failure};

/// Most entries of `databases` or `tables`.
const NAMES: usize = 10_000;

/// A refused field.
pub(crate) fn bad(field: &str, value: impl Into<Value>, allowed: &str) -> Failure {
    let value = value.into();
    let error = format!("`{field}` is {value}, which it cannot be: {allowed}");
    Failure::new(Code::InvalidArgument, error, format!("set `{field}` to {allowed}")).with("field", field)
}

/// Within `range`, else 1001.
fn within(field: &str, value: i64, range: std::ops::RangeInclusive<i64>, allowed: &str) -> Result<u64, Failure> {
    match u64::try_from(value) {
        Ok(number) if range.contains(&value) => Ok(number),
        _ => Err(bad(field, value, allowed)),
    }
}

fn real(field: &str, value: f64, most: f64, allowed: &str) -> Result<f64, Failure> {
    if value.is_finite() && (0.0..=most).contains(&value) { Ok(value) } else { Err(bad(field, value, allowed)) }
}

fn narrow(value: u64) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

/// A host and an account that could be dialled.
pub(crate) fn address(host: &str, port: u16, username: &str) -> Result<(), Failure> {
    if host.trim().is_empty() || host.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err(bad("host", host, "a host name or IP address"));
    }
    if port == 0 {
        return Err(bad("port", port, "1 to 65535"));
    }
    if username.is_empty() {
        return Err(bad("username", username, "the name of a database account"));
    }
    Ok(())
}

fn names(field: &str, names: Option<&Vec<String>>) -> Result<Vec<String>, Failure> {
    let names = names.cloned().unwrap_or_default();
    if names.len() > NAMES {
        return Err(bad(field, names.len(), "at most 10000 names"));
    }
    match names.iter().find(|name| name.trim().is_empty() || name.contains('\0')) {
        Some(name) => Err(bad(field, name.as_str(), "a list of names, none of them empty")),
        None => Ok(names),
    }
}

fn timeout(config: &JobConfig, defaults: &RecycleDefaults) -> Result<types::Span, Failure> {
    let span = config.timeout.unwrap_or(defaults.timeout);
    if span.0 < Duration::from_secs(1) || span.0 > Duration::from_hours(720) {
        return Err(bad("config.timeout", span.to_string(), "1s to 720h"));
    }
    Ok(span)
}

/// A request with every gap filled from the defaults, or 1001.
pub(crate) fn resolve(request: &JobRequest, settings: &Settings) -> Result<RecycleConfig, Failure> {
    let (target, config, defaults) = (&request.target, &request.config, &settings.defaults);
    address(&target.host, target.port, &target.username)
        .map_err(|failure| failure.clone().with("field", format!("target.{}", failure.detail("field"))))?;
    let threshold = config.threshold_mb.unwrap_or(i64::try_from(defaults.threshold_mb).unwrap_or(i64::MAX));
    let percent = config.threshold_percent.unwrap_or(defaults.threshold_percent);
    let batch = config.batch_size.unwrap_or(i64::from(defaults.batch_size));
    let parallel = config.parallel.unwrap_or(i64::from(defaults.parallel));
    Ok(RecycleConfig {
        target: DatabaseTarget { password: types::Secret::default(), ..target.clone() },
        mode: config.mode.unwrap_or(defaults.mode),
        threshold_mb: within("config.threshold_mb", threshold, 0..=i64::MAX, "0 or more megabytes")?,
        threshold_percent: real("config.threshold_percent", percent, 100.0, "0 to 100 percent")?,
        exclude_primary: config.exclude_primary.unwrap_or(defaults.exclude_primary),
        databases: names("config.databases", config.databases.as_ref())?,
        tables: names("config.tables", config.tables.as_ref())?,
        batch_size: narrow(within("config.batch_size", batch, 1..=100_000, "1 or more tables")?),
        timeout: timeout(config, defaults)?,
        scope: config.scope.unwrap_or(defaults.scope),
        parallel: narrow(within("config.parallel", parallel, 1..=1_000, "1 or more replicas")?),
        max_lag: real("config.max_lag", config.max_lag.unwrap_or(defaults.max_lag), 86_400.0, "0 to 86400 seconds")?,
        shrink_undo: config.shrink_undo.unwrap_or(false),
    })
}

/// A page's size and place: 1 to 1000, from 0.
pub(crate) fn page(limit: Option<u32>, offset: Option<u32>, usual: u32) -> Result<(u32, u32), Failure> {
    match limit.unwrap_or(usual) {
        limit @ 1..=1000 => Ok((limit, offset.unwrap_or(0))),
        limit => Err(bad("limit", limit, "1 to 1000")),
    }
}

/// A name a cluster may have: it stands in addresses of the page and of the REST door.
pub(crate) fn cluster_name(name: &str) -> Result<(), Failure> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if (1..=64).contains(&name.len()) && name.chars().all(fits) && !name.starts_with('.') {
        return Ok(());
    }
    Err(bad("name", name, "1 to 64 letters, digits, `-`, `_` and `.`"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use types::{Secret, Span};

    fn request(config: JobConfig) -> JobRequest {
        let target = DatabaseTarget {
            host: "db1".into(),
            port: 3306,
            username: "recycler".into(),
            password: Secret::new("hunter2"),
        };
        JobRequest { target, config, plan_digest: None }
    }

    #[test]
    fn gaps_are_filled_and_the_password_is_left_behind() {
        let resolved = resolve(&request(JobConfig::default()), &Settings::default()).unwrap();
        assert_eq!((resolved.threshold_mb, resolved.batch_size, resolved.exclude_primary), (100, 5, true));
        assert_eq!(resolved.timeout, Span::from_secs(3600));
        assert!(resolved.target.password.is_empty());
    }

    #[test]
    fn each_field_out_of_range_is_named() {
        let none = JobConfig::default;
        let cases = [
            ("config.threshold_mb", JobConfig { threshold_mb: Some(-1), ..none() }),
            ("config.threshold_percent", JobConfig { threshold_percent: Some(-0.5), ..none() }),
            ("config.threshold_percent", JobConfig { threshold_percent: Some(100.5), ..none() }),
            ("config.threshold_percent", JobConfig { threshold_percent: Some(f64::NAN), ..none() }),
            ("config.batch_size", JobConfig { batch_size: Some(0), ..none() }),
            ("config.batch_size", JobConfig { batch_size: Some(-5), ..none() }),
            ("config.parallel", JobConfig { parallel: Some(0), ..none() }),
            ("config.max_lag", JobConfig { max_lag: Some(-1.0), ..none() }),
            ("config.timeout", JobConfig { timeout: Some(Span::from_secs(0)), ..none() }),
            ("config.databases", JobConfig { databases: Some(vec![String::new()]), ..none() }),
            ("config.tables", JobConfig { tables: Some(vec!["t\0".into()]), ..none() }),
        ];
        for (field, config) in cases {
            let refused = resolve(&request(config), &Settings::default()).unwrap_err();
            assert_eq!((refused.code, refused.detail("field")), (Code::InvalidArgument, field));
            assert!(refused.detail("next").contains(field));
        }
    }

    #[test]
    fn a_target_that_cannot_be_dialled_is_refused() {
        for (host, port, user, field) in
            [("", 1, "u", "host"), ("a b", 1, "u", "host"), ("h", 0, "u", "port"), ("h", 1, "", "username")]
        {
            assert_eq!(address(host, port, user).unwrap_err().detail("field"), field);
        }
    }

    #[test]
    fn pages_and_names_have_bounds() {
        assert_eq!(page(None, None, 10), Ok((10, 0)));
        assert!(page(Some(0), None, 10).is_err() && page(Some(1001), None, 10).is_err());
        assert!(cluster_name("prod-1.eu").is_ok());
        for name in ["", "../x", "a/b", "a b", ".hidden", &"x".repeat(65)] {
            assert!(cluster_name(name).is_err(), "{name}");
        }
    }
}
