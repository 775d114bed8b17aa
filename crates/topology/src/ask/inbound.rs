//! Inbound channels: every one of them, whichever words the server has for its columns.

use super::{first_known, untold};
use crate::facts::{Asked, Channel, Told};
use mysql::{Row, Session, SqlError};

/// MariaDB answers `SHOW REPLICA STATUS` with its default connection only, so the statement for all comes first.
const SPELLINGS: [&str; 3] = ["SHOW ALL SLAVES STATUS", "SHOW REPLICA STATUS", "SHOW SLAVE STATUS"];

/// Asks for all channels. Needs REPLICATION CLIENT (MySQL) or SLAVE MONITOR (MariaDB).
///
/// # Errors
/// Only a broken session; what the server refuses to tell is an [`crate::Untold`].
pub async fn inbound(session: &mut Session) -> Result<Asked<Vec<Channel>>, SqlError> {
    let answer = first_known(session, &SPELLINGS).await;
    let told = answer.map(|told| Told {
        value: told.value.iter().map(channel).filter(|channel| !is_group_channel(channel)).collect(),
        statement: told.statement,
    });
    untold(SPELLINGS[1], told)
}

/// Group Replication's own plumbing, which the group's member list tells better.
fn is_group_channel(channel: &Channel) -> bool {
    channel.name.starts_with("group_replication_")
}

fn channel(row: &Row) -> Channel {
    let text = |names: &[&str]| row.first(names).unwrap_or_default();
    let number = |names: &[&str]| row.first(names).and_then(|text| text.trim().parse::<u32>().ok()).unwrap_or(0);
    let behind = row.first(&["Seconds_Behind_Source", "Seconds_Behind_Master"]);
    let errors = [text(&["Last_IO_Error"]), text(&["Last_SQL_Error"])];
    Channel {
        name: text(&["Channel_Name", "Connection_name"]),
        source_host: text(&["Source_Host", "Master_Host"]),
        source_port: u16::try_from(number(&["Source_Port", "Master_Port"])).unwrap_or(0),
        source_server_id: number(&["Source_Server_Id", "Master_Server_Id"]),
        source_uuid: text(&["Source_UUID", "Master_UUID"]).to_ascii_lowercase(),
        io: text(&["Replica_IO_Running", "Slave_IO_Running"]),
        sql: text(&["Replica_SQL_Running", "Slave_SQL_Running"]),
        seconds_behind: behind.and_then(|text| text.trim().parse().ok()),
        last_error: errors.into_iter().filter(|error| !error.is_empty()).collect::<Vec<_>>().join("; "),
    }
}
