//! Who reads this server's binlog: registered replicas, and dump threads of anybody.

use super::{Variables, first_known, untold};
use crate::facts::{Asked, DumpThread, Registered, Told};
use mysql::{Row, Session, SqlError};
use std::collections::HashMap;

const HOSTS: [&str; 3] = ["SHOW REPLICAS", "SHOW SLAVE HOSTS", "SHOW REPLICA HOSTS"];

/// Asks for registered replicas. Needs REPLICATION SLAVE (MySQL) or REPLICATION MASTER ADMIN (MariaDB).
pub(super) async fn registered(session: &mut Session) -> Result<Asked<Vec<Registered>>, SqlError> {
    let answer = first_known(session, &HOSTS).await;
    let told = answer.map(|told| Told { value: told.value.iter().map(row).collect(), statement: told.statement });
    untold(HOSTS[0], told)
}

/// Five columns on MySQL, four on MariaDB, seven with `show_slave_auth_info`: by name, whatever their number.
fn row(row: &Row) -> Registered {
    let text = |names: &[&str]| row.first(names).unwrap_or_default();
    Registered {
        server_id: row.parse("Server_Id").unwrap_or(0),
        uuid: text(&["Replica_UUID", "Slave_UUID"]).to_ascii_lowercase(),
        host: text(&["Host"]).trim().to_owned(),
        port: row.parse("Port").unwrap_or(0),
    }
}

const BY_SCHEMA: &str = "SELECT ID, USER, HOST FROM performance_schema.processlist WHERE COMMAND LIKE 'Binlog Dump%'";
const BY_LIST: &str = "SELECT ID, USER, HOST FROM information_schema.PROCESSLIST WHERE COMMAND LIKE 'Binlog Dump%'";
const UUIDS: &str = "SELECT t.PROCESSLIST_ID AS ID, v.VARIABLE_VALUE AS VALUE \
     FROM performance_schema.user_variables_by_thread v JOIN performance_schema.threads t USING (THREAD_ID) \
     WHERE v.VARIABLE_NAME IN ('replica_uuid', 'slave_uuid')";
const PROGRAMS: &str = "SELECT PROCESSLIST_ID AS ID, ATTR_VALUE AS VALUE \
     FROM performance_schema.session_connect_attrs WHERE ATTR_NAME = 'program_name'";

/// Asks for dump threads. Needs PROCESS; who they are is told by `performance_schema` where it is on and readable.
pub(super) async fn dumps(session: &mut Session, vars: &Variables) -> Result<Asked<Vec<DumpThread>>, SqlError> {
    let told = threads(session, vars).await;
    let mut asked = untold(BY_LIST, told)?;
    if let Ok(told) = &mut asked
        && !told.value.is_empty()
        && vars.flag("performance_schema") == Some(true)
    {
        let (uuids, programs) = (by_id(session, UUIDS).await?, by_id(session, PROGRAMS).await?);
        for dump in &mut told.value {
            dump.uuid = uuids.get(&dump.id).map(|uuid| uuid.to_ascii_lowercase()).unwrap_or_default();
            dump.program = programs.get(&dump.id).cloned().unwrap_or_default();
        }
    }
    Ok(asked)
}

async fn threads(session: &mut Session, vars: &Variables) -> Result<Told<Vec<DumpThread>>, SqlError> {
    session.sees_everybody().await?;
    // With performance_schema=OFF its process list exists and is empty, so it must not be asked.
    let on = vars.flag("performance_schema") == Some(true);
    let told =
        if on { first_known(session, &[BY_SCHEMA, BY_LIST]).await } else { first_known(session, &[BY_LIST]).await }?;
    Ok(Told { value: told.value.iter().map(thread).collect(), statement: told.statement })
}

fn thread(row: &Row) -> DumpThread {
    let from = row.text("HOST").unwrap_or_default();
    // `host:port` over TCP, a bare `localhost` over a socket; an IPv6 address holds colons of its own.
    let host = from.rsplit_once(':').map_or(from.as_str(), |(host, _)| host).trim_matches(['[', ']']).to_owned();
    DumpThread {
        id: row.parse("ID").unwrap_or(0),
        user: row.text("USER").unwrap_or_default(),
        host,
        ..Default::default()
    }
}

/// A side view that only helps: absent or refused, it is empty.
async fn by_id(session: &mut Session, statement: &str) -> Result<HashMap<u64, String>, SqlError> {
    let rows = match session.rows(statement).await {
        Ok(rows) => rows,
        Err(SqlError::Server { .. }) => return Ok(HashMap::new()),
        Err(error) => return Err(error),
    };
    Ok(rows
        .iter()
        .filter_map(|row| Some((row.parse("ID")?, row.text("VALUE")?.trim_matches('\'').to_owned())))
        .collect())
}
