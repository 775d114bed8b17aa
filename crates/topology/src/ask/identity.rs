//! A server's variables, by the one statement that never fails on a name it does not know.

use crate::facts::Identity;
use mysql::{Capabilities, Flavor, Session, SqlError};
use std::collections::HashMap;
use types::Address;

/// `SHOW … WHERE` leaves out what the server does not have, where `SELECT @@name` would fail.
pub(crate) const VARIABLES: &str = "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('server_id', 'server_uuid', \
     'hostname', 'port', 'version', 'version_comment', 'read_only', 'super_read_only', 'log_bin', 'gtid_mode', \
     'wsrep_on', 'performance_schema')";

/// The variables of one server, names in lower case.
#[derive(Debug, Clone)]
pub(crate) struct Variables(HashMap<String, String>);

/// Asks for them.
pub(crate) async fn variables(session: &mut Session) -> Result<Variables, SqlError> {
    let rows = session.rows(VARIABLES).await?;
    let pair = |row: &mysql::Row| Some((row.text("Variable_name")?.to_ascii_lowercase(), row.text("Value")?));
    Ok(Variables(rows.iter().filter_map(pair).collect()))
}

impl Variables {
    /// The text of one.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// `ON` or `OFF`; `None` if absent or something else.
    pub(crate) fn flag(&self, name: &str) -> Option<bool> {
        match self.text(name)?.to_ascii_uppercase().as_str() {
            "ON" | "1" | "YES" => Some(true),
            "OFF" | "0" | "NO" => Some(false),
            _ => None,
        }
    }

    /// MariaDB 12 adds stricter degrees of ON.
    pub(crate) fn read_only(&self) -> Option<bool> {
        let stricter = self.text("read_only").is_some_and(|text| text.to_ascii_uppercase().starts_with("NO_LOCK"));
        if stricter { Some(true) } else { self.flag("read_only") }
    }

    /// Who the server is; an error if it does not say, because then it could be anybody.
    pub(crate) fn identity(&self, address: &Address) -> Result<Identity, SqlError> {
        let missing = |column: &str| SqlError::Shape {
            address: address.clone(),
            column: column.to_owned(),
            statement: VARIABLES.to_owned(),
        };
        let server_id =
            self.text("server_id").and_then(|text| text.parse().ok()).ok_or_else(|| missing("server_id"))?;
        let version = self.text("version").ok_or_else(|| missing("version"))?.to_owned();
        let comment = self.text("version_comment").unwrap_or_default();
        Ok(Identity {
            server_uuid: self.text("server_uuid").filter(|uuid| !uuid.is_empty()).map(str::to_ascii_lowercase),
            server_id,
            hostname: self.text("hostname").unwrap_or_default().to_owned(),
            port: self.text("port").and_then(|text| text.parse().ok()).unwrap_or(address.port),
            flavor: Capabilities::read(&version, comment).map_or(Flavor::Other, |card| card.flavor),
            version,
        })
    }
}
