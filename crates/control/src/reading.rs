//! Use cases that only read: jobs, plans, history, health.

use crate::{
    Caller, Control, Role, input, record,
    tenants::{self, Page},
};
use api::{Health, JobList, JobQuery, JobStatus, MetricPoint, MetricsQuery, Plan, RecycleJob};
use jiff::SignedDuration;
use jobs::{JobFilter, JobRecord, StoreError};
use types::{Failure, JobId, Span};

impl Control {
    /// A job that is there for the caller; any other answers as one that is not there at all.
    pub(crate) async fn stored(&self, caller: &Caller, id: &JobId) -> Result<JobRecord, Failure> {
        let record = self.hall.store.get(id).await?.filter(|found| self.shows(caller, tenants::cluster_of(found)));
        record.ok_or_else(|| Failure::from(StoreError::NotFound(id.clone())).with("job_id", id.as_str()))
    }

    /// One job in full. Viewer.
    pub async fn job(&self, caller: &Caller, id: &JobId) -> Result<RecycleJob, Failure> {
        caller.require_role(Role::Viewer, "jobs.read")?;
        record::shown(&self.stored(caller, id).await?, self.hall.clock.now())
    }

    /// The plan a job carries out. Viewer.
    pub async fn job_plan(&self, caller: &Caller, id: &JobId) -> Result<Plan, Failure> {
        caller.require_role(Role::Viewer, "jobs.read")?;
        Ok(record::document(&self.stored(caller, id).await?)?.plan)
    }

    /// A page of jobs, newest first. Viewer.
    pub async fn jobs(&self, caller: &Caller, query: JobQuery) -> Result<JobList, Failure> {
        caller.require_role(Role::Viewer, "jobs.read")?;
        let (limit, offset) = input::page(query.limit, query.offset, 10)?;
        if caller.is_limited() {
            let statuses: Vec<JobStatus> = query.status.into_iter().collect();
            let (total, jobs) = self.own_jobs(caller, &statuses, Page { limit, offset }).await?;
            return Ok(JobList { total, jobs });
        }
        let filter = JobFilter { statuses: query.status.into_iter().collect(), limit, offset };
        let page = self.hall.store.list(&filter).await?;
        Ok(JobList { total: page.total, jobs: page.jobs.iter().map(record::summary).collect() })
    }

    /// How many jobs are in a state.
    pub(crate) async fn count(&self, status: JobStatus) -> Result<u64, Failure> {
        let filter = JobFilter { statuses: vec![status], limit: 0, offset: 0 };
        Ok(self.hall.store.list(&filter).await?.total)
    }

    /// How the program is. Everyone.
    pub async fn health(&self) -> Result<Health, Failure> {
        let seconds = self.hall.clock.since(self.hall.started).as_secs();
        Ok(Health {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            uptime: Span::from_secs(seconds).to_string(),
            active_jobs: self.count(JobStatus::Running).await?,
            system_load: load(),
        })
    }

    /// Samples over time. Viewer.
    pub async fn metrics_history(&self, caller: &Caller, query: MetricsQuery) -> Result<Vec<MetricPoint>, Failure> {
        caller.require_role(Role::Viewer, "metrics.read")?;
        let now = self.hall.clock.now();
        let since = query.since.unwrap_or_else(|| now.checked_sub(SignedDuration::from_hours(1)).unwrap_or(now));
        let (name, subject) = (query.name.unwrap_or_default(), query.subject.unwrap_or_default());
        let points = self.hall.store.history(&name, &subject, since).await?;
        if caller.is_limited() { self.own_points(caller, points).await } else { Ok(points) }
    }
}

/// One-minute load average; 0 where the system does not tell.
fn load() -> f64 {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().and_then(|first| first.parse().ok()).unwrap_or(0.0)
}
