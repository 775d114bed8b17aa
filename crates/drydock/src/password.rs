//! Where a database password comes from: flag, file, environment, configuration, prompt, in that order.

use crate::{
    args::ConnectArgs,
    config::{Config, MOVED_PASSWORD},
};
use api::DatabaseTarget;
use control::Settings;
use std::{
    ffi::OsString,
    io::{IsTerminal, stdin},
    path::Path,
};
use types::{Address, Code, Failure, Secret};

fn invalid(error: impl std::fmt::Display, next: &str) -> Failure {
    Failure::new(Code::InvalidArgument, error, next)
}

/// A password file's content; the line end after it is not part of it.
pub fn read_file(path: &Path) -> Result<Secret, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        let error = format!("the password file {} cannot be read: {error}", path.display());
        invalid(error, "check the path and its rights").with("field", "password_file")
    })?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    Ok(Secret::new(line.strip_suffix('\r').unwrap_or(line)))
}

fn moved(value: OsString) -> Result<Secret, Failure> {
    let next = "write the password in UTF-8";
    value.into_string().map(Secret::new).map_err(|_| invalid("the password is not UTF-8", next))
}

/// Address, account and password from the flags.
pub fn target(args: &ConnectArgs, config: &Config, settings: &Settings) -> Result<DatabaseTarget, Failure> {
    if let Some(name) = &args.cluster {
        return cluster(name, settings);
    }
    let (host, username) = (args.host.clone().unwrap_or_default(), args.user.clone().unwrap_or_default());
    let address = Address::new(host, args.port);
    let password = password(args, config, settings, &address, &username)?;
    Ok(DatabaseTarget { host: address.host, port: address.port, username, password })
}

fn cluster(name: &str, settings: &Settings) -> Result<DatabaseTarget, Failure> {
    let found = settings.clusters.iter().find(|cluster| cluster.name == name);
    let cluster = found.ok_or_else(|| {
        let known: Vec<&str> = settings.clusters.iter().map(|cluster| cluster.name.as_str()).collect();
        let next = if known.is_empty() {
            "add it under database.clusters".to_owned()
        } else {
            format!("take one of: {}", known.join(", "))
        };
        invalid(format!("there is no cluster `{name}` in the configuration"), &next).with("field", "cluster")
    })?;
    let Address { host, port } = cluster.address.clone();
    let password = match &settings.password {
        Some(password) if cluster.password.is_empty() => password.clone(),
        _ => cluster.password.clone(),
    };
    Ok(DatabaseTarget { host, port, username: cluster.username.clone(), password })
}

fn password(
    args: &ConnectArgs,
    config: &Config,
    settings: &Settings,
    address: &Address,
    username: &str,
) -> Result<Secret, Failure> {
    if let Some(value) = std::env::var_os(MOVED_PASSWORD) {
        return moved(value);
    }
    if let Some(password) = &args.password {
        return Ok(Secret::new(password.clone()));
    }
    if let Some(path) = &args.password_file {
        return read_file(path);
    }
    if let Some(password) = &config.password {
        return Ok(password.clone());
    }
    let known = settings.clusters.iter().find(|cluster| cluster.address == *address && cluster.username == username);
    match known.filter(|cluster| !cluster.password.is_empty()) {
        Some(cluster) => Ok(cluster.password.clone()),
        None => prompt(address, username),
    }
}

fn prompt(address: &Address, username: &str) -> Result<Secret, Failure> {
    let next = "give --password-file, set RECYCLER_DB_PASSWORD, or run this on a terminal to be asked";
    let missing = || invalid(format!("no password for {username} at {address}"), next).with("field", "password");
    if !stdin().is_terminal() {
        return Err(missing());
    }
    let question = format!("Password of {username} at {address}:");
    inquire::Password::new(&question).without_confirmation().prompt().map(Secret::new).map_err(|_| missing())
}
