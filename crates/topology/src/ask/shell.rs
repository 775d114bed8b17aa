//! What MySQL Shell wrote down about its cluster: the public views of `mysql_innodb_cluster_metadata`.

use super::place;
use crate::facts::{Identity, ShellInstance, ShellMetadata, Told};
use mysql::{Row, Session, SqlError};
use std::net::IpAddr;
use types::Address;

pub(super) const INSTANCES: &str = "SELECT * FROM mysql_innodb_cluster_metadata.v2_instances";
const CLUSTERS: &str = "SELECT * FROM mysql_innodb_cluster_metadata.v2_clusters";
const SOURCES: &str = "SELECT * FROM mysql_innodb_cluster_metadata.v2_ar_members";

/// Asks for the metadata of the server's own cluster.
///
/// Metadata that does not name the server it lies on, by its uuid and at the address it was asked at, came with a copy of
/// another's data (a restored snapshot has the uuid too): it speaks of servers this one has nothing to do with. Most servers have none, and a server says "denied" for what is not there too, so a refusal is no
/// answer and no fault.
pub(super) async fn metadata(
    session: &mut Session,
    identity: &Identity,
) -> Result<Option<Told<ShellMetadata>>, SqlError> {
    let Some(uuid) = identity.server_uuid.as_deref() else { return Ok(None) };
    let rows = rows(session, INSTANCES).await?;
    let Some(own_row) = rows.iter().find(|row| uuid_of(row) == uuid) else { return Ok(None) };
    let here = match place_of(own_row) {
        Some((host, port)) => is_here(session.address(), &host, port).await,
        None => false,
    };
    let Some(own) = cluster_of(own_row).filter(|_| here) else { return Ok(None) };
    let clusters = self::rows(session, CLUSTERS).await?;
    let name =
        clusters.iter().find(|row| cluster_of(row).as_ref() == Some(&own)).and_then(|row| row.text("cluster_name"));
    let sources = self::rows(session, SOURCES).await?;
    let source_of = |uuid: &str| {
        let row = sources.iter().find(|row| row.text("member_id").is_some_and(|id| id.eq_ignore_ascii_case(uuid)));
        row.and_then(|row| row.text("master_member_id")).map(|source| source.to_ascii_lowercase())
    };
    let ours = rows.iter().filter(|row| cluster_of(row).as_ref() == Some(&own));
    let instances = ours.filter_map(|row| instance(row, &source_of)).collect();
    Ok(Some(Told {
        value: ShellMetadata { cluster: name.unwrap_or_default(), instances },
        statement: INSTANCES.to_owned(),
    }))
}

async fn rows(session: &mut Session, statement: &str) -> Result<Vec<Row>, SqlError> {
    match session.rows(statement).await {
        Ok(rows) => Ok(rows),
        Err(SqlError::Server { .. }) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

fn uuid_of(row: &Row) -> String {
    row.text("mysql_server_uuid").unwrap_or_default().to_ascii_lowercase()
}

fn cluster_of(row: &Row) -> Option<String> {
    row.text("cluster_id")
}

/// Where clients reach it: `endpoint`; before it was taken apart, `address` held the same.
fn place_of(row: &Row) -> Option<(String, u16)> {
    row.text("endpoint").or_else(|| row.text("address")).as_deref().and_then(place)
}

/// Whether a place is where the session leads: by name, or by an IP address both names have.
async fn is_here(session: &Address, host: &str, port: u16) -> bool {
    if port != session.port {
        return false;
    }
    host.eq_ignore_ascii_case(&session.host) || {
        let (there, here) = (ips(host).await, ips(&session.host).await);
        there.iter().any(|ip| here.contains(ip))
    }
}

async fn ips(host: &str) -> Vec<IpAddr> {
    tokio::net::lookup_host((host, 0)).await.map(|found| found.map(|socket| socket.ip()).collect()).unwrap_or_default()
}

fn instance(row: &Row, source_of: &impl Fn(&str) -> Option<String>) -> Option<ShellInstance> {
    let (host, port) = place_of(row)?;
    let uuid = uuid_of(row);
    let source = source_of(&uuid);
    // Before there were read replicas the type was not told: without a source it stands in a group.
    let in_group = row.text("instance_type").map_or(source.is_none(), |kind| kind == "group-member");
    Some(ShellInstance { uuid, host, port, in_group, source })
}
