//! Where passwords live while they are needed: in memory, by account; never in a job, a log or the store.

use crate::Settings;
use api::DatabaseTarget;
use arc_swap::ArcSwap;
use async_trait::async_trait;
use mysql::Endpoint;
use reclaim::trade::Credentials;
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};
use types::{Address, Secret};

type Account = (Address, String);

/// Passwords handed in with requests, and behind them those of the configuration.
#[derive(Debug)]
pub(crate) struct Keyring {
    given: Mutex<HashMap<Account, Secret>>,
    home: AtomicBool,
    settings: Arc<ArcSwap<Settings>>,
}

impl Keyring {
    pub(crate) fn new(settings: Arc<ArcSwap<Settings>>) -> Self {
        Self { given: Mutex::default(), home: AtomicBool::new(false), settings }
    }

    /// Remembers a password that was seen to work.
    pub(crate) fn keep(&self, address: &Address, username: &str, password: &Secret) {
        let account = (address.clone(), username.to_owned());
        self.given.lock().unwrap_or_else(PoisonError::into_inner).insert(account, password.clone());
    }

    /// The password of an account of a job that was accepted before: given with a request, else of a configured cluster that begins at this member or
    /// uses this account, else `RECYCLER_DB_PASSWORD`.
    pub(crate) fn password(&self, address: &Address, username: &str) -> Option<Secret> {
        let account = (address.clone(), username.to_owned());
        let given = self.given.lock().unwrap_or_else(PoisonError::into_inner).get(&account).cloned();
        given.or_else(|| self.configured(address, username)).or_else(|| self.settings.load().password.clone())
    }

    /// A way in without being asked to work there: with a password that was given for this very account, or with that of
    /// a configured cluster that names this very member, or on whose name the job was made. A password of ours must not be drawn out by a host someone made up.
    pub(crate) fn own_way_in(&self, target: &DatabaseTarget, cluster: Option<&str>) -> Option<Endpoint> {
        let (settings, address) = (self.settings.load(), Address::new(target.host.clone(), target.port));
        let account = (address.clone(), target.username.clone());
        let given = self.given.lock().unwrap_or_else(PoisonError::into_inner).get(&account).cloned();
        let named = || {
            let here = |entry: &&crate::ClusterSettings| {
                let named = cluster == Some(&entry.name) || entry.addresses().any(|named| *named == address);
                named && entry.username == target.username
            };
            let own = settings.clusters.iter().find(here)?.password.clone();
            Some(own).filter(|password| !password.is_empty()).or_else(|| settings.password.clone())
        };
        Some(settings.database.endpoint(address.clone(), &target.username, given.or_else(named)?))
    }

    /// A cluster with this very member wins over one that only shares the account's name; several of the latter with
    /// different passwords are no answer.
    fn configured(&self, address: &Address, username: &str) -> Option<Secret> {
        let settings = self.settings.load();
        let same = |entry: &&crate::ClusterSettings| entry.username == username && !entry.password.is_empty();
        let entries: Vec<_> = settings.clusters.iter().filter(same).collect();
        let exact = entries.iter().find(|entry| entry.addresses().any(|named| named == address));
        exact.map(|entry| entry.password.clone()).or_else(|| {
            let first = entries.first()?;
            entries.iter().all(|entry| entry.password == first.password).then(|| first.password.clone())
        })
    }

    /// From now on a job whose password nobody knows fails in this process instead of waiting for another.
    pub(crate) fn make_home(&self) {
        self.home.store(true, Ordering::Relaxed);
    }
}

#[async_trait]
impl Credentials for Keyring {
    async fn endpoint(&self, target: &DatabaseTarget) -> Option<Endpoint> {
        let address = Address::new(target.host.clone(), target.port);
        let password = self.password(&address, &target.username)?;
        Some(self.settings.load().database.endpoint(address, &target.username, password))
    }

    fn is_home(&self) -> bool {
        self.home.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ClusterSettings;

    fn cluster(host: &str, password: &str) -> ClusterSettings {
        let (name, address) = (host.to_owned(), Address::new(host, 3306));
        let password = Secret::new(password);
        let members = vec![Address::new(format!("{host}-2"), 3306)];
        ClusterSettings { name, address, username: "recycler".into(), password, members, group: None }
    }

    fn ring(clusters: Vec<ClusterSettings>, password: Option<&str>) -> Keyring {
        let settings = Settings { clusters, password: password.map(Secret::new), ..Settings::default() };
        Keyring::new(Arc::new(ArcSwap::from_pointee(settings)))
    }

    #[test]
    fn the_nearest_password_wins() {
        let ring = ring(vec![cluster("a", "pa"), cluster("b", "pb")], Some("environment"));
        let ask = |host: &str| ring.password(&Address::new(host, 3306), "recycler").unwrap();
        assert_eq!(ask("a"), Secret::new("pa"));
        assert_eq!(ask("b-2"), Secret::new("pb"), "a member the operator named");
        assert_eq!(ask("c"), Secret::new("environment"), "two clusters disagree about the account");
        ring.keep(&Address::new("a", 3306), "recycler", &Secret::new("given"));
        assert_eq!(ask("a"), Secret::new("given"));
    }

    #[test]
    fn an_account_shared_by_a_cluster_is_found_on_its_replicas() {
        let ring = ring(vec![cluster("a", "pa")], None);
        assert_eq!(ring.password(&Address::new("replica", 3306), "recycler"), Some(Secret::new("pa")));
        assert!(ring.password(&Address::new("replica", 3306), "someone else").is_none());
    }

    #[test]
    fn nobody_is_looked_at_again_with_a_password_of_ours_but_whom_we_named() {
        let ring = ring(vec![cluster("a", "pa"), cluster("b", "")], Some("environment"));
        let of = |host: &str, username: &str, cluster: Option<&str>| {
            let (host, username) = (host.to_owned(), username.to_owned());
            ring.own_way_in(&DatabaseTarget { host, port: 3306, username, password: Secret::default() }, cluster)
        };
        let way = |host: &str, username: &str| of(host, username, None);
        assert_eq!(of("replica", "recycler", Some("a")).map(|way| way.password), Some(Secret::new("pa")));
        assert!(of("replica", "other", Some("a")).is_none() && of("replica", "recycler", Some("gone")).is_none());
        assert_eq!(way("a", "recycler").map(|way| way.password), Some(Secret::new("pa")));
        assert_eq!(way("a-2", "recycler").map(|way| way.password), Some(Secret::new("pa")), "a member that is named");
        assert_eq!(way("b", "recycler").map(|way| way.password), Some(Secret::new("environment")));
        assert!(way("made-up", "recycler").is_none() && way("a", "other").is_none());
        ring.keep(&Address::new("made-up", 3306), "recycler", &Secret::new("theirs"));
        assert_eq!(way("made-up", "recycler").map(|way| way.password), Some(Secret::new("theirs")));
    }

    #[tokio::test]
    async fn only_a_home_takes_jobs_it_has_no_password_for() {
        let ring = ring(Vec::new(), None);
        let target = DatabaseTarget { host: "a".into(), port: 1, username: "u".into(), password: Secret::default() };
        assert!(ring.endpoint(&target).await.is_none());
        assert!(!ring.is_home());
        ring.make_home();
        assert!(ring.is_home());
    }
}
