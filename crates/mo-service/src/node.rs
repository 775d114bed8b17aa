//! The services beside the log. Thin as yet: an engine registers, a front registers and opens the SQL door.

use crate::{keeper::Keeper, sql};
use log_server::keeper::Node;
use mo_config::{Cn, Tn};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

fn failed(kind: &str, name: &str, error: &dyn std::fmt::Display) -> String {
    format!("{kind} {name}: {error}")
}

/// Starts an engine's service.
pub fn engine(settings: &Tn, tasks: &mut JoinSet<()>) -> Result<(), String> {
    let keeper = Keeper::new(&settings.cluster_id, &settings.uuid, settings.discovery.clone(), settings.tls.as_ref());
    let keeper = keeper.map_err(|error| failed("TN", &settings.uuid, &error))?;
    let (name, service) = (settings.uuid.clone(), settings.service.advertised.clone());
    let node = Node { name, kind: "TN".to_owned(), service, sql: String::new() };
    tasks.spawn(keeper.register(node, settings.heartbeat_interval));
    Ok(())
}

/// Starts a front: its SQL door is open once this returns.
pub async fn front(settings: &Cn, tasks: &mut JoinSet<()>, shutdown: CancellationToken) -> Result<(), String> {
    let failed = |error: &dyn std::fmt::Display| failed("CN", &settings.uuid, error);
    let keeper = Keeper::new(&settings.cluster_id, &settings.uuid, settings.discovery.clone(), settings.tls.as_ref());
    let keeper = keeper.map_err(|error| failed(&error))?;
    let (name, service, sql) = (settings.uuid.clone(), settings.service.advertised.clone(), settings.sql.clone());
    let node = Node { name, kind: "CN".to_owned(), service, sql };
    let door = sql::open(settings, keeper.clone(), shutdown).await.map_err(|why| failed(&why))?;
    tasks.spawn(door.ended());
    tasks.spawn(keeper.register(node, settings.heartbeat_interval));
    Ok(())
}
