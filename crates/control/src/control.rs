//! The hall itself: what it holds, and its use cases by name.

use crate::{Caller, Settings};
use api::{
    AuditEntry, AuditQuery, ClusterInfo, ClusterJobRequest, ClusterTopology, ConnectRequest, DiscoverRequest,
    DiskCensus, Health, JobCreated, JobList, JobQuery, JobRequest, JobUpdate, MetricPoint, MetricsQuery, Plan,
    RecycleJob, TableSpace,
};
use arc_swap::ArcSwap;
use jobs::Store;
use runtime::{Clock, Random};
use std::sync::Arc;
use tokio::sync::broadcast;
use types::{Code, Failure, JobId};

/// What creating a job came to.
#[derive(Debug, Clone)]
pub enum Created {
    /// It is on the list.
    Job(JobCreated),
    /// `dry_run` was set: only this, and nothing was changed.
    Plan(Box<Plan>),
}

/// Every use case. Cheap to clone; all clones are one.
#[derive(Clone)]
pub struct Control {
    inner: Arc<Inner>,
}

#[allow(dead_code, reason = "signatures first; bodies follow")]
struct Inner {
    settings: ArcSwap<Settings>,
    store: Arc<dyn Store>,
    clock: Clock,
    random: Random,
    updates: broadcast::Sender<JobUpdate>,
}

fn unwired() -> Failure {
    Failure::new(Code::JobCreateFailed, "this part is not wired yet", "wait for the next landing")
}

#[allow(clippy::unused_async, reason = "signatures first; bodies follow")]
impl Control {
    /// The hall over a store. Nothing runs yet: reading use cases work, jobs wait for [`Control::start`].
    pub async fn open(
        settings: Settings,
        store: Arc<dyn Store>,
        clock: Clock,
        random: Random,
    ) -> Result<Self, Failure> {
        let (updates, _) = broadcast::channel(1024);
        let inner = Inner { settings: ArcSwap::from_pointee(settings), store, clock, random, updates };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Starts what goes on by itself: workers, jobs found unfinished, samples, alerts. A server calls it once; so does
    /// a command that runs a job in its own process. `status` and `monitor` do not.
    pub async fn start(&self) -> Result<(), Failure> {
        Err(unwired())
    }

    /// Takes new settings; returns what changed but needs a restart (as configuration keys). Admin.
    pub async fn reload(&self, caller: &Caller, settings: Settings) -> Result<Vec<String>, Failure> {
        let _ = (caller, settings);
        Err(unwired())
    }

    /// Stops taking work, stops running statements at a safe point (jobs resume at the next start), ends the loops.
    pub async fn shutdown(&self) {}

    /// The settings as they stand.
    pub fn settings(&self) -> Arc<Settings> {
        self.inner.settings.load_full()
    }

    /// Who holds this bearer token. Without configured tokens everyone is `anonymous@<peer>` with all rights, which
    /// the door allows on loopback only. 1008 for a missing or unknown token.
    pub fn authenticate(&self, token: Option<&str>, peer: &str) -> Result<Caller, Failure> {
        let _ = (token, peer);
        Err(unwired())
    }

    /// Works out the topology around one member. Operator.
    pub async fn discover(&self, caller: &Caller, request: DiscoverRequest) -> Result<ClusterTopology, Failure> {
        let _ = (caller, request);
        Err(unwired())
    }

    /// What a job would do; changes nothing. Operator.
    pub async fn plan(&self, caller: &Caller, request: JobRequest) -> Result<Plan, Failure> {
        let _ = (caller, request);
        Err(unwired())
    }

    /// Plans and enlists a job, or only plans if `dry_run`. Operator; admin if `exclude_primary` is false.
    pub async fn create_job(&self, caller: &Caller, request: JobRequest) -> Result<Created, Failure> {
        let _ = (caller, request);
        Err(unwired())
    }

    /// One job in full. Viewer.
    pub async fn job(&self, caller: &Caller, id: &JobId) -> Result<RecycleJob, Failure> {
        let _ = (caller, id);
        Err(unwired())
    }

    /// A page of jobs, newest first. Viewer.
    pub async fn jobs(&self, caller: &Caller, query: JobQuery) -> Result<JobList, Failure> {
        let _ = (caller, query);
        Err(unwired())
    }

    /// Asks a job to stop; its statement is killed and its table left whole. 1007 if it is final. Operator.
    pub async fn cancel(&self, caller: &Caller, id: &JobId) -> Result<(), Failure> {
        let _ = (caller, id);
        Err(unwired())
    }

    /// The plan a job carries out. Viewer.
    pub async fn job_plan(&self, caller: &Caller, id: &JobId) -> Result<Plan, Failure> {
        let _ = (caller, id);
        Err(unwired())
    }

    /// How the program is. Everyone.
    pub async fn health(&self) -> Result<Health, Failure> {
        Err(unwired())
    }

    /// Clusters the server knows a way into, by name. Viewer.
    pub async fn clusters(&self, caller: &Caller) -> Result<Vec<ClusterInfo>, Failure> {
        let _ = caller;
        Err(unwired())
    }

    /// Keeps credentials in memory under a name, after they were seen to work. Admin.
    pub async fn connect_cluster(&self, caller: &Caller, request: ConnectRequest) -> Result<ClusterInfo, Failure> {
        let _ = (caller, request);
        Err(unwired())
    }

    /// Topology of a named cluster: the last one found, or a new look if `refresh` or none yet. Viewer.
    pub async fn cluster_topology(
        &self,
        caller: &Caller,
        name: &str,
        refresh: bool,
    ) -> Result<ClusterTopology, Failure> {
        let _ = (caller, name, refresh);
        Err(unwired())
    }

    /// Tables by space, every reachable member of a named cluster. Viewer.
    pub async fn space(&self, caller: &Caller, name: &str) -> Result<Vec<TableSpace>, Failure> {
        let _ = (caller, name);
        Err(unwired())
    }

    /// Where the disk went, every reachable member of a named cluster. Viewer.
    pub async fn census(&self, caller: &Caller, name: &str) -> Result<Vec<DiskCensus>, Failure> {
        let _ = (caller, name);
        Err(unwired())
    }

    /// As [`Control::plan`], with the named cluster's credentials. Operator.
    pub async fn cluster_plan(&self, caller: &Caller, name: &str, request: ClusterJobRequest) -> Result<Plan, Failure> {
        let _ = (caller, name, request);
        Err(unwired())
    }

    /// As [`Control::create_job`], with the named cluster's credentials. Operator.
    pub async fn create_cluster_job(
        &self,
        caller: &Caller,
        name: &str,
        request: ClusterJobRequest,
    ) -> Result<Created, Failure> {
        let _ = (caller, name, request);
        Err(unwired())
    }

    /// Who did what, newest first. Admin.
    pub async fn audit(&self, caller: &Caller, query: AuditQuery) -> Result<Vec<AuditEntry>, Failure> {
        let _ = (caller, query);
        Err(unwired())
    }

    /// Samples over time. Viewer.
    pub async fn metrics_history(&self, caller: &Caller, query: MetricsQuery) -> Result<Vec<MetricPoint>, Failure> {
        let _ = (caller, query);
        Err(unwired())
    }

    /// One update for each job that is not final: what a watcher starts from. Viewer.
    pub async fn active_jobs(&self, caller: &Caller) -> Result<Vec<JobUpdate>, Failure> {
        let _ = caller;
        Err(unwired())
    }

    /// Every change of every job from now on; a slow reader gets `Lagged` and should ask [`Control::active_jobs`].
    pub fn subscribe(&self) -> broadcast::Receiver<JobUpdate> {
        self.inner.updates.subscribe()
    }

    /// The clock the hall runs by.
    pub fn clock(&self) -> Clock {
        self.inner.clock
    }
}
