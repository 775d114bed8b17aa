//! The cluster's affairs as this store answers them.

use super::{Heart, founding::KEEPER, mind::Mind};
use crate::{
    Control, Directory, Hand,
    affairs::{Answer, KeeperClient, Question, Tale, json},
    keeper::{State, What, lost},
};
use async_trait::async_trait;
use bytes::Bytes;
use log::LogError;
use std::sync::Arc;

/// Where they are answered.
#[derive(Clone)]
pub(super) struct Desk {
    hand: Hand,
    directory: Directory,
    mind: Arc<Mind>,
    own: String,
    keeper: Arc<KeeperClient>,
}

#[async_trait]
impl Control for Desk {
    async fn control(&self, body: Bytes) -> Bytes {
        let Ok(question) = serde_json::from_slice::<Question>(&body) else {
            return json(&Answer::Refused("the question makes no sense to this version".to_owned()));
        };
        json(&self.answer(question).await)
    }

    async fn leader(&self, shard: u64) -> Option<String> {
        match self.keeper.ask(&Question::State, &self.services()).await {
            Ok(Answer::State(state)) => led(&state, shard),
            _ => None,
        }
    }
}

/// Where a shard is led, by what the keeper knows.
fn led(state: &State, shard: u64) -> Option<String> {
    let known = state.shards.get(&shard)?;
    let (_, on) = known.members.get(&known.leader)?;
    Some(state.stores.get(on)?.told.addresses.service.clone())
}

fn failed(error: LogError) -> Answer {
    match error {
        LogError::Unavailable(_) => Answer::Elsewhere(None),
        other => Answer::Later(other.to_string()),
    }
}

impl Desk {
    pub fn new(heart: &Heart) -> Desk {
        let own = heart.options.identity.store.to_string();
        Desk {
            hand: heart.hand.clone(),
            directory: heart.directory.clone(),
            mind: Arc::clone(&heart.mind),
            own,
            keeper: Arc::clone(&heart.keeper),
        }
    }

    pub async fn answer(&self, question: Question) -> Answer {
        match question {
            Question::Meet { known, store } => self.meet(known, &store),
            Question::Told => match self.hand.told().await {
                Ok(told) => Answer::Told(told.iter().map(Tale::from).collect()),
                Err(error) => Answer::Later(error.to_string()),
            },
            // The rest is the keeper's, and only its leader knows what was acknowledged last.
            keepers => match self.elsewhere().await {
                Some(answer) => answer,
                None => self.keepers(keepers).await,
            },
        }
    }

    /// Where the stores it knows are asked.
    fn services(&self) -> Vec<String> {
        self.directory.all().into_values().map(|entry| entry.addresses.service).collect()
    }

    fn meet(&self, mut known: crate::Entries, store: &str) -> Answer {
        let Some(caller) = known.remove(store) else {
            return Answer::Met { known: self.directory.all(), store: self.own.clone() };
        };
        let before = self.directory.entry(store).filter(|before| before.born != caller.born);
        let refused = self.mind.with(|state| state.refusal(store, caller.born));
        let refused = refused.or(before.map(|before| lost(store, before.born, caller.born)));
        if let Some(why) = refused {
            return Answer::Refused(why);
        }
        // Where a store is it knows best; what it says of others is hearsay.
        known.remove(&self.own);
        self.directory.merge(known);
        self.directory.put(store, caller);
        Answer::Met { known: self.directory.all(), store: self.own.clone() }
    }

    /// Who must be asked instead of this store; `None` if it is the one.
    async fn elsewhere(&self) -> Option<Answer> {
        let told = self.hand.told().await.unwrap_or_default();
        let Some(zero) = told.iter().find(|told| told.shard == KEEPER) else {
            // None of it here: whoever heard our last heartbeat will do.
            return Some(Answer::Elsewhere(self.keeper.last()));
        };
        if zero.tip.leads {
            return None;
        }
        let store = zero.members.on.get(&zero.tip.leader).filter(|store| **store != self.own);
        let addresses = store.and_then(|store| self.directory.get(store));
        Some(Answer::Elsewhere(addresses.map(|addresses| addresses.service)))
    }

    async fn happen(&self, what: What) -> Answer {
        match self.mind.happen(what).await {
            Ok(Ok(())) => Answer::Done,
            Ok(Err(forbidden)) => Answer::Forbidden(forbidden),
            Err(error) => failed(error),
        }
    }

    fn orders(&self, store: &str) -> Answer {
        let own = |state: &State| state.orders.iter().filter(|order| order.store == store).cloned().collect();
        Answer::Orders(self.mind.with(own))
    }

    async fn keepers(&self, question: Question) -> Answer {
        match question {
            Question::Heartbeat(heartbeat) => {
                let store = heartbeat.store.clone();
                if let Some(why) = self.mind.with(|state| state.refusal(&store, heartbeat.born)) {
                    return Answer::Refused(why);
                }
                match self.happen(What::Heard(heartbeat)).await {
                    Answer::Done => self.orders(&store),
                    other => other,
                }
            }
            Question::Node(node) => self.happen(What::Node(node)).await,
            Question::Set(setting) => self.happen(What::Set(setting)).await,
            // Agreed on now: a leader that others left behind does not answer.
            Question::State => match self.hand.positions(KEEPER).await {
                Ok(positions) => {
                    self.mind.reach(positions.end).await;
                    Answer::State(Box::new(self.mind.state()))
                }
                Err(error) => failed(error),
            },
            Question::Meet { .. } | Question::Told => Answer::Later("asked of the wrong desk".to_owned()),
        }
    }
}
