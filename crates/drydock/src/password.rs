//! Where a database password comes from: flag, file, environment, configuration, prompt, in that order.

use crate::{
    args::ConnectArgs,
    ask::ask,
    config::{Config, MOVED_PASSWORD},
    output::clean,
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

/// Address, account and password from the flags; `None` if the person at the terminal left the question.
pub async fn target(
    args: &ConnectArgs,
    config: &Config,
    settings: &Settings,
) -> Result<Option<DatabaseTarget>, Failure> {
    if let Some(name) = &args.cluster {
        return cluster(name, settings).map(Some);
    }
    let (host, username) = (args.host.clone().unwrap_or_default(), args.user.clone().unwrap_or_default());
    let address = Address::new(host, args.port);
    let password = match given(args, config, settings, &address, &username)? {
        Some(password) => Some(password),
        None => prompt(&address, &username).await?,
    };
    Ok(password.map(|password| DatabaseTarget { host: address.host, port: address.port, username, password }))
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

/// The password, if it need not be asked for.
fn given(
    args: &ConnectArgs,
    config: &Config,
    settings: &Settings,
    address: &Address,
    username: &str,
) -> Result<Option<Secret>, Failure> {
    if let Some(value) = std::env::var_os(MOVED_PASSWORD) {
        return moved(value).map(Some);
    }
    if let Some(password) = &args.password {
        return Ok(Some(Secret::new(password.clone())));
    }
    if let Some(path) = &args.password_file {
        return read_file(path).map(Some);
    }
    if let Some(password) = &config.password {
        return Ok(Some(password.clone()));
    }
    let known = settings.clusters.iter().find(|cluster| cluster.address == *address && cluster.username == username);
    Ok(known.map(|cluster| cluster.password.clone()).filter(|password| !password.is_empty()))
}

async fn prompt(address: &Address, username: &str) -> Result<Option<Secret>, Failure> {
    if !stdin().is_terminal() {
        let next = "give --password-file, set RECYCLER_DB_PASSWORD, or run this on a terminal to be asked";
        return Err(invalid(format!("no password for {username} at {address}"), next).with("field", "password"));
    }
    let question = clean(&format!("Password of {username} at {address}:"));
    let asked = ask(move || inquire::Password::new(&question).without_confirmation().prompt().map(Secret::new));
    Ok(asked.await)
}
