//! How a discovery that cannot go on is told to the user.

use crate::facts::{Observation, Untold};
use mysql::{Endpoint, SqlError};
use types::{Code, Failure};

/// The seed did not let us in, or let us in and did not say who it is.
pub(crate) fn seed_failure(seed: &Endpoint, error: &SqlError) -> Failure {
    let (code, next) = match error {
        SqlError::Server { code: 1045 | 1130 | 1698 | 1044 | 1049, .. } => {
            (Code::ConnectFailed, "check the user, the password and the host the account is granted for")
        }
        SqlError::Server { .. } if error.is_denied() => {
            (Code::Forbidden, "grant the account REPLICATION CLIENT, REPLICATION SLAVE and PROCESS, then try again")
        }
        SqlError::Server { .. } | SqlError::Shape { .. } => (
            Code::DiscoveryFailed,
            "name another member of the cluster, or see whether this is a MySQL or MariaDB server",
        ),
        _ => (Code::ConnectFailed, "check host, port and that the server is up, then try again"),
    };
    let failure = Failure::new(code, error, next).at(&seed.address);
    match error.code() {
        Some(number) => failure.with("mysql_error", number),
        None => failure,
    }
}

/// Refuses to draw a cluster the account cannot see: without the replication status of the seed, or without any way
/// to see who follows it, the picture would be wrong and look right.
pub(crate) fn refuse_blind(seed: &Endpoint, told: &Observation) -> Result<(), Failure> {
    if let Some(untold) = told.facts.inbound.as_ref().err().filter(|untold| untold.denied) {
        return Err(forbidden(seed, untold, "REPLICATION CLIENT"));
    }
    let (registered, dumps) = (told.registered.as_ref().err(), told.dumps.as_ref().err());
    match (registered, dumps) {
        (Some(registered), Some(dumps)) if registered.denied || dumps.denied => {
            Err(forbidden(seed, registered, "REPLICATION SLAVE"))
        }
        _ => Ok(()),
    }
}

fn forbidden(seed: &Endpoint, untold: &Untold, usual: &str) -> Failure {
    let privilege = named(&untold.error).unwrap_or_else(|| usual.to_owned());
    let next = format!(
        "grant the account {privilege} ON *.* on every member (and PROCESS, to see dump threads), then try again"
    );
    Failure::new(Code::Forbidden, &untold.error, next)
        .at(&seed.address)
        .with("privilege", privilege)
        .with("statement", untold.statement.clone())
}

/// Servers name what is missing: `… the SUPER, SLAVE MONITOR privilege(s) for this operation`. SUPER is too much to ask.
fn named(error: &str) -> Option<String> {
    let (before, _) = error.split_once(" privilege(s)")?;
    let list = before.rsplit_once(" the ")?.1;
    list.split(',').map(str::trim).find(|name| !name.is_empty() && *name != "SUPER").map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_names_the_privilege() {
        let words =
            "Access denied; you need (at least one of) the SUPER, SLAVE MONITOR privilege(s) for this operation";
        assert_eq!(named(words).as_deref(), Some("SLAVE MONITOR"));
        assert_eq!(named("Access denied"), None);
    }
}
