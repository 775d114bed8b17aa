//! The keeper as the services beside the log ask it.

use crate::names;
use async_trait::async_trait;
use front::{LogService, ServiceError};
use log::{Connect, net::TlsError};
use log_server::{
    affairs::{Answer, KeeperClient, Question},
    keeper::{Node, Setting, State},
};
use std::{sync::Arc, time::Duration};

/// Asks the keeper of a cluster.
#[derive(Clone)]
pub struct Keeper(Arc<KeeperClient>);

impl Keeper {
    /// By addresses of any of its stores; `name` is what the stores log.
    pub fn new(
        cluster: &str,
        name: &str,
        discovery: Vec<String>,
        tls: Option<&mo_config::Tls>,
    ) -> Result<Keeper, TlsError> {
        let (cluster, tls) = (Some(names::cluster(cluster)), names::tls(tls)?);
        let how = Connect { cluster, name: name.to_owned(), tls, ..Connect::default() };
        Ok(Keeper(Arc::new(KeeperClient::new(discovery, how))))
    }

    /// Tells the keeper of a service, again and again, for as long as it is polled.
    pub async fn register(self, node: Node, pause: Duration) {
        let mut heard = false;
        loop {
            let answer = self.0.ask(&Question::Node(node.clone()), &[]).await;
            let now = answer == Ok(Answer::Done);
            match answer {
                Ok(Answer::Done) if !heard => tracing::info!("{} {} is registered", node.kind, node.name),
                Err(why) if heard => tracing::warn!("{} {} does not reach the keeper: {why}", node.kind, node.name),
                _ => {}
            }
            heard = now;
            tokio::time::sleep(pause).await;
        }
    }
}

fn odd(answer: &Answer) -> ServiceError {
    match answer {
        Answer::Later(why) | Answer::Refused(why) => ServiceError::Unavailable(why.clone()),
        other => ServiceError::Unknown(format!("the answer is to another question: {other:?}")),
    }
}

#[async_trait]
impl LogService for Keeper {
    async fn state(&self) -> Result<State, ServiceError> {
        match self.0.ask(&Question::State, &[]).await {
            Ok(Answer::State(state)) => Ok(*state),
            Ok(other) => Err(odd(&other)),
            Err(why) => Err(ServiceError::Unavailable(why)),
        }
    }

    async fn set(&self, setting: Setting) -> Result<(), ServiceError> {
        match self.0.ask(&Question::Set(setting), &[]).await {
            Ok(Answer::Done) => Ok(()),
            Ok(Answer::Forbidden(why)) => Err(why.into()),
            Ok(other) => Err(odd(&other)),
            Err(why) => Err(ServiceError::Unknown(why)),
        }
    }
}
