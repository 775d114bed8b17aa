//! What the hall holds, and how it opens, starts, reloads and ends.

use crate::{
    Caller, ClusterSettings, Role, Settings, access, input,
    keyring::Keyring,
    sampler::Readings,
    tenants,
    watch::{News, Teller},
};
use api::ClusterTopology;
use arc_swap::ArcSwap;
use jobs::{Runner, Store};
use runtime::{Clock, Instant, Random};
use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};
use tokio::sync::{Semaphore, broadcast};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use types::{Code, Failure};

/// Every use case. Cheap to clone; all clones are one.
#[derive(Clone)]
pub struct Control {
    pub(crate) hall: Arc<Hall>,
}

/// What all clones share.
pub(crate) struct Hall {
    pub(crate) settings: Arc<ArcSwap<Settings>>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Clock,
    pub(crate) random: Random,
    pub(crate) keyring: Arc<Keyring>,
    /// Clusters connected since the start; gone at the end.
    pub(crate) guests: Mutex<BTreeMap<String, ClusterSettings>>,
    /// The topology last found of each named cluster, with what the cluster was then: a name may come to mean another.
    pub(crate) seen: Mutex<HashMap<String, (ClusterSettings, ClusterTopology)>>,
    /// What the last sample read.
    pub(crate) readings: Mutex<Readings>,
    pub(crate) runner: OnceLock<Runner>,
    pub(crate) updates: broadcast::Sender<News>,
    pub(crate) watching: OnceLock<()>,
    /// What watchers were told.
    pub(crate) teller: Mutex<Teller>,
    /// Requests that ask servers: so many at once.
    pub(crate) asking: Semaphore,
    /// Requests that ask servers or wait to: one more than this many is refused.
    pub(crate) waiting: Semaphore,
    pub(crate) tasks: TaskTracker,
    pub(crate) stop: CancellationToken,
    pub(crate) started: Instant,
}

impl std::fmt::Debug for Control {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Control").finish_non_exhaustive()
    }
}

/// Updates a slow watcher may fall behind before it misses some.
const UPDATES: usize = 1024;
/// How long running jobs get to come to a point they can be resumed from.
const GRACE: Duration = Duration::from_secs(8);

/// A lock whose holder died holds plain data, which is still good.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A task of ours that died: a defect, told as such.
pub(crate) fn broken(action: &str, error: &tokio::task::JoinError) -> Failure {
    tracing::error!(action, %error, "a task died");
    let next = "look into the server's log, and report it";
    Failure::new(Code::JobCreateFailed, format!("`{action}` broke off inside the server"), next)
}

impl Settings {
    /// Refuses settings that cannot work; 1001 names the key.
    pub fn check(&self) -> Result<(), Failure> {
        access::check_tokens(&self.tokens)?;
        access::check_two_person(self)?;
        tenants::check_groups(self)?;
        for (index, cluster) in self.clusters.iter().enumerate() {
            input::cluster_name(&cluster.name)?;
            input::address(&cluster.address.host, cluster.address.port, &cluster.username)?;
            if self.clusters[..index].iter().any(|other| other.name == cluster.name) {
                return Err(input::bad("database.clusters", cluster.name.as_str(), "clusters with a name each"));
            }
        }
        Ok(())
    }
}

impl Control {
    /// The hall over a store. Nothing runs yet: reading use cases work, jobs wait for [`Control::start`]. 1001 for
    /// settings that cannot work.
    #[allow(clippy::unused_async, reason = "opening may come to ask the store")]
    pub async fn open(
        settings: Settings,
        store: Arc<dyn Store>,
        clock: Clock,
        random: Random,
    ) -> Result<Self, Failure> {
        settings.check()?;
        let (workers, queue) = (settings.concurrency.max_workers.max(1), settings.concurrency.queue_size);
        let settings = Arc::new(ArcSwap::from_pointee(settings));
        let hall = Hall {
            keyring: Arc::new(Keyring::new(Arc::clone(&settings))),
            settings,
            store,
            clock,
            random,
            guests: Mutex::default(),
            seen: Mutex::default(),
            readings: Mutex::default(),
            runner: OnceLock::new(),
            updates: broadcast::channel(UPDATES).0,
            watching: OnceLock::new(),
            teller: Mutex::default(),
            asking: Semaphore::new(workers),
            waiting: Semaphore::new(workers.saturating_add(queue).min(Semaphore::MAX_PERMITS)),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
            started: clock.instant(),
        };
        Ok(Self { hall: Arc::new(hall) })
    }

    /// Starts what goes on by itself: workers, jobs found unfinished, samples, alerts, and in a home the looks at what grew again. A server calls it once; so does
    /// a command that runs a job in its own process (with samples and alerts as its settings say). `status` and
    /// `monitor` do not. A second call does nothing.
    #[allow(clippy::unused_async, reason = "starting may come to ask the store")]
    pub async fn start(&self) -> Result<(), Failure> {
        let mut first = false;
        let runner = self.hall.runner.get_or_init(|| {
            first = true;
            self.new_runner()
        });
        if first {
            self.watch();
            self.spawn_alerts(runner.updates());
            self.spawn_sampler();
            self.spawn_regrowth();
        }
        Ok(())
    }

    /// Makes this process the home of the store's jobs: one whose password nobody knows any more fails here, saying
    /// where it can come from, instead of waiting for a process that knows it. A server calls this.
    pub fn make_home(&self) {
        self.hall.keyring.make_home();
    }

    /// Takes new settings; returns the configuration keys that changed but need a restart. What is under way keeps
    /// what it began with. Admin.
    pub async fn reload(&self, caller: &Caller, settings: Settings) -> Result<Vec<String>, Failure> {
        let control = self.clone();
        let (allowed, decision) = (caller.require(Role::Admin, "config.reload"), caller.decision.clone());
        self.audited(caller, "config.reload", String::new(), async move {
            allowed?;
            decision.begin()?;
            settings.check()?;
            let old = control.settings();
            let mut later = Vec::new();
            if old.concurrency != settings.concurrency {
                later.push("recycling.concurrency".to_owned());
            }
            if old.window != settings.window {
                later.push("recycling.window".to_owned());
            }
            if old.budget != settings.budget {
                later.push("recycling.budget".to_owned());
            }
            if old.heartbeat != settings.heartbeat {
                later.push("recycling.heartbeat".to_owned());
            }
            // An open door must not be made by reloading: the bind was allowed because of the tokens.
            if !old.tokens.is_empty() && settings.tokens.is_empty() {
                return Err(input::bad("auth.tokens", "empty", "at least one token while the server runs with tokens"));
            }
            control.hall.settings.store(Arc::new(Settings {
                concurrency: old.concurrency.clone(),
                window: old.window,
                budget: old.budget,
                heartbeat: old.heartbeat.clone(),
                ..settings
            }));
            Ok(later)
        })
        .await
    }

    /// Stops taking work, lets running jobs come to a point they resume from at the next start, ends the loops.
    pub async fn shutdown(&self) {
        self.hall.stop.cancel();
        if let Some(runner) = self.hall.runner.get() {
            runner.shutdown(GRACE).await;
        }
        self.hall.tasks.close();
        if tokio::time::timeout(GRACE, self.hall.tasks.wait()).await.is_err() {
            tracing::warn!("some tasks did not end in time and are dropped");
        }
    }

    /// The settings as they stand.
    pub fn settings(&self) -> Arc<Settings> {
        self.hall.settings.load_full()
    }

    /// The clock the hall runs by.
    pub fn clock(&self) -> Clock {
        self.hall.clock
    }

    /// The source of randomness the hall runs by.
    pub fn random(&self) -> &Random {
        &self.hall.random
    }
}
