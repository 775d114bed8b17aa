//! All services of a process, from their start to their end.

use crate::{node, store};
use log_server::Node;
use mo_config::{Cn, LogStore, ServiceConfig, ServiceType, Tn};
use tokio::{
    signal::unix::{SignalKind, signal},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

/// Starts them, stores first, and ends them in good order at a signal, or when a store works no more: that is an error.
pub async fn run(services: &[ServiceConfig]) -> Result<(), String> {
    let told = |kind| signal(kind).map_err(|error| format!("signals cannot be heard: {error}"));
    let (mut interrupt, mut terminate) = (told(SignalKind::interrupt())?, told(SignalKind::terminate())?);
    let hostname = hostname();
    let of = |kind: ServiceType| services.iter().filter(move |service| service.service_type == Some(kind));
    let (mut stores, mut tasks, shutdown) = (Vec::new(), JoinSet::new(), CancellationToken::new());
    for service in of(ServiceType::Log) {
        stores.push(store::start(&LogStore::of(service, &hostname)).await?);
    }
    for service in of(ServiceType::Tn) {
        node::engine(&Tn::of(service), &mut tasks)?;
    }
    for service in of(ServiceType::Cn) {
        node::front(&Cn::of(service), &mut tasks, shutdown.clone()).await?;
    }
    eprintln!("mo-service is up: {} log stores, {} services", stores.len(), services.len());
    let ended = tokio::select! {
        _ = interrupt.recv() => Ok(()),
        _ = terminate.recv() => Ok(()),
        why = any_ended(&stores) => Err(why),
    };
    shutdown.cancel();
    tasks.shutdown().await;
    for store in stores {
        store.stop().await;
    }
    ended
}

/// Why the first store ended that did.
async fn any_ended(stores: &[Node]) -> String {
    let (tell, mut told) = tokio::sync::mpsc::channel(1);
    let mut watches = JoinSet::new();
    for store in stores {
        let (ended, tell) = (store.ended(), tell.clone());
        watches.spawn(async move { tell.send(ended.await).await });
    }
    drop(tell);
    match told.recv().await {
        Some(why) => why,
        None => std::future::pending().await,
    }
}

fn hostname() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    if name.trim().is_empty() { "localhost".to_owned() } else { name.trim().to_owned() }
}
