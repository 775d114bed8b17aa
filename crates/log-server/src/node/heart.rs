//! The heart of a store: it meets others, tells the keeper what is, and does what it is told.

use super::{NodeOptions, connect, desk::Desk, founding::KEEPER, keep, mind::Mind};
use crate::{
    Book, Directory, Hand, Run, Told,
    affairs::{Answer, KeeperClient, Question},
    consensus::Change,
    keeper::{Heartbeat, Held, Order, OrderKind, Role},
};
use log::LogError;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};
use tokio::sync::watch;

/// Who was met just now: they answered, and know this store as what it is.
pub(super) type Met = BTreeSet<String>;

/// A store's heart.
pub(super) struct Heart {
    pub options: NodeOptions,
    pub book: Book,
    pub hand: Hand,
    pub directory: Directory,
    pub mind: Arc<Mind>,
    pub keeper: Arc<KeeperClient>,
    refuse: watch::Sender<Option<String>>,
}

/// Between two tries to find a place in the cluster.
const SOON: Duration = Duration::from_millis(200);

impl Heart {
    pub fn new(
        options: NodeOptions,
        book: Book,
        hand: Hand,
        directory: Directory,
        mind: Arc<Mind>,
        refuse: watch::Sender<Option<String>>,
    ) -> Heart {
        let keeper = Arc::new(KeeperClient::new(options.seeds.clone(), connect(&options.identity)));
        if let Some(wanted) = super::wanted(options.founding.as_ref()) {
            mind.want(wanted);
        }
        Heart { options, book, hand, directory, mind, keeper, refuse }
    }

    /// Beats for as long as it is polled.
    pub async fn run(self) {
        let desk = Desk::new(&self);
        let (mut since_met, mut placed) = (Duration::MAX, false);
        loop {
            if since_met >= self.options.pace.probe || !placed {
                let met = self.meet().await;
                self.found(&met).await;
                since_met = Duration::ZERO;
            }
            placed = self.beat(&desk).await;
            let pause = if placed { self.options.pace.heartbeat } else { SOON.min(self.options.pace.heartbeat) };
            tokio::time::sleep(pause).await;
            since_met += pause;
        }
    }

    /// Addresses of others, known or given.
    fn others(&self) -> Vec<String> {
        let all = self.directory.all();
        let others = all.iter().filter(|(store, _)| ***store != *self.options.identity.store);
        let mut addresses: Vec<String> = others.map(|(_, entry)| entry.addresses.service.clone()).collect();
        let own = &self.options.addresses;
        let seeds = self.options.seeds.iter();
        addresses.extend(seeds.filter(|seed| ![&own.raft, &own.service, &own.gossip].contains(seed)).cloned());
        addresses.dedup();
        addresses
    }

    /// Tells others whom it knows and hears whom they know.
    async fn meet(&self) -> Met {
        let (before, own) = (self.directory.all(), self.options.identity.store.to_string());
        let mut met = Met::from([own.clone()]);
        for address in self.others() {
            let question = Question::Meet { known: self.directory.all(), store: own.clone() };
            match self.keeper.ask_at(&address, &question).await {
                Ok(Answer::Met { mut known, store }) => {
                    // Where this store is it knows best.
                    known.remove(&own);
                    self.directory.merge(known);
                    met.insert(store);
                }
                Ok(Answer::Refused(why)) => {
                    self.refused(&why);
                    return Met::default();
                }
                _ => {}
            }
        }
        let now = self.directory.all();
        if now != before || self.book.running().is_empty() {
            keep(&self.options.folder, &now);
        }
        met
    }

    fn refused(&self, why: &str) {
        tracing::error!("the cluster refuses this store: {why}");
        self.refuse.send_replace(Some(why.to_owned()));
    }

    /// One heartbeat. True if the keeper heard it.
    async fn beat(&self, desk: &Desk) -> bool {
        let Ok(told) = self.hand.told().await else { return false };
        let question = Question::Heartbeat(self.heartbeat(&told));
        let leads = told.iter().any(|told| told.shard == KEEPER && told.tip.leads);
        let answer =
            if leads { Ok(desk.answer(question).await) } else { self.keeper.ask(&question, &self.others()).await };
        match answer {
            Ok(Answer::Orders(orders)) => {
                for order in orders {
                    self.obey(order, &told).await;
                }
                true
            }
            Ok(Answer::Refused(why)) => {
                self.refused(&why);
                false
            }
            _ => false,
        }
    }

    fn heartbeat(&self, told: &[Told]) -> Heartbeat {
        let options = &self.options;
        let held = told.iter().map(held).collect();
        let (addresses, locality) = (options.addresses.clone(), options.locality.clone());
        Heartbeat { store: options.identity.store.to_string(), born: self.book.born, addresses, locality, held }
    }

    async fn obey(&self, order: Order, told: &[Told]) {
        let here = told.iter().find(|told| told.shard == order.shard);
        let valid = here.is_some_and(|here| here.membership == order.epoch);
        if let OrderKind::Start { replica, .. } | OrderKind::Found { replica, .. } = &order.kind
            && here.is_some_and(|here| here.replica == *replica)
        {
            // It runs since the keeper last compared.
            return;
        }
        let what = format!("shard {}: {:?}", order.shard, order.kind);
        let done = match order.kind.clone() {
            OrderKind::Add { replica, on } if valid => {
                self.hand.change(order.shard, order.epoch, vec![Change::Learner(replica, on)]).await
            }
            OrderKind::Promote { replica, on } if valid => {
                self.hand.change(order.shard, order.epoch, vec![Change::Voter(replica, on)]).await
            }
            OrderKind::Remove { replica } if valid => self.remove(&order, replica, here).await,
            OrderKind::Start { replica, .. } => self.hand.run(order.shard, replica, Run::Joining).await,
            OrderKind::Found { replica, voters } => self.hand.run(order.shard, replica, Run::First(voters)).await,
            OrderKind::Stop { replica } => self.hand.end(order.shard, replica).await,
            OrderKind::Add { .. } | OrderKind::Promote { .. } | OrderKind::Remove { .. } => return,
        };
        match done {
            Ok(()) => tracing::info!("the keeper's order is done: {what}"),
            Err(error) => tracing::warn!("the keeper's order waits: {what}: {error}"),
        }
    }

    /// A leader does not take itself out: it hands the lead on first.
    async fn remove(&self, order: &Order, replica: u64, here: Option<&Told>) -> Result<(), LogError> {
        if here.is_some_and(|here| here.replica == replica && here.members.voters.len() > 1) {
            self.hand.hand_over(order.shard);
            return Ok(());
        }
        self.hand.change(order.shard, order.epoch, vec![Change::Gone(replica)]).await
    }
}

fn held(told: &Told) -> Held {
    let members = &told.members;
    let role = |replica: &u64| if members.voters.contains(replica) { Role::Voter } else { Role::Learner };
    let on = members.on.iter().map(|(replica, store)| (*replica, (role(replica), store.clone())));
    let members: BTreeMap<u64, (Role, String)> = on.collect();
    let (term, leader, end) = (told.tip.term, told.tip.leader, told.tip.end.0);
    Held { shard: told.shard, replica: told.replica, term, epoch: told.membership, leader, end, members }
}
