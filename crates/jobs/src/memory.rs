//! The store in memory: for tests and for one-shot commands that keep nothing. Passes the same suite as the SQL stores.

use crate::{
    AuditLog, Claim, JobFilter, JobPage, JobRecord, JobRow, JobStore, JobText, JournalEntry, Lease, MetricsHistory,
    NewEntry, NewJob, StoreError,
    record::{later, to_micros},
};
use api::{AuditEntry, JobStatus, MetricPoint};
use async_trait::async_trait;
use jiff::Timestamp;
use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use types::JobId;

/// Everything in one process, behind one lock; nothing survives it.
#[derive(Default)]
pub struct MemoryStore(Mutex<State>);

/// Jobs are keyed by creation time and number, the order of lists.
type JobKey = (Timestamp, u64);

#[derive(Default)]
struct State {
    days: HashMap<String, u64>,
    made: u64,
    keys: HashMap<JobId, JobKey>,
    jobs: BTreeMap<JobKey, JobRecord>,
    journals: HashMap<JobId, Vec<JournalEntry>>,
    leases: HashMap<String, Lease>,
    audit: Vec<AuditEntry>,
    points: Vec<MetricPoint>,
}

impl State {
    fn create(&mut self, job: NewJob) -> JobRecord {
        let day = job.day();
        let number = self.days.entry(day.clone()).or_default();
        *number += 1;
        let id = JobId::of_day(&day, *number);
        self.made += 1;
        let record = job.into_record(id.clone());
        let key = (record.created_at, self.made);
        self.keys.insert(id, key);
        self.jobs.insert(key, record.clone());
        record
    }

    fn job(&mut self, id: &JobId) -> Result<&mut JobRecord, StoreError> {
        let job = self.keys.get(id).and_then(|key| self.jobs.get_mut(key));
        job.ok_or_else(|| StoreError::NotFound(id.clone()))
    }

    fn take(&mut self, resource: &str, claim: &Claim, now: Timestamp) -> Result<Lease, StoreError> {
        let lease = claim.take(resource, self.leases.get(resource).cloned(), now)?;
        self.leases.insert(resource.to_owned(), lease.clone());
        Ok(lease)
    }

    fn held(&mut self, lease: &Lease) -> Result<&mut Lease, StoreError> {
        let fenced = StoreError::Fenced { resource: lease.resource.clone(), epoch: lease.epoch };
        let same = |held: &&mut Lease| held.epoch == lease.epoch && held.owner == lease.owner;
        self.leases.get_mut(&lease.resource).filter(same).ok_or(fenced)
    }

    fn is_attended(&self, id: &JobId, now: Timestamp) -> bool {
        self.leases.get(id.as_str()).is_some_and(|lease| lease.until > now)
    }
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl JobStore for MemoryStore {
    async fn create(&self, job: NewJob) -> Result<JobRecord, StoreError> {
        Ok(self.state().create(job))
    }

    async fn create_held(&self, job: NewJob, claim: &Claim) -> Result<(JobRecord, Lease), StoreError> {
        let mut state = self.state();
        let now = job.created_at;
        let record = state.create(job);
        let lease = state.take(record.id.as_str(), claim, now)?;
        Ok((record, lease))
    }

    async fn get(&self, id: &JobId) -> Result<Option<JobRecord>, StoreError> {
        Ok(self.state().job(id).ok().cloned())
    }

    async fn get_many(&self, ids: &[JobId]) -> Result<Vec<JobRecord>, StoreError> {
        let mut state = self.state();
        Ok(ids.iter().filter_map(|id| state.job(id).ok().cloned()).collect())
    }

    async fn texts(&self, ids: &[JobId]) -> Result<Vec<JobText>, StoreError> {
        let text = |job: JobRecord| JobText { id: job.id, version: job.version, body: job.body.to_string() };
        Ok(self.get_many(ids).await?.into_iter().map(text).collect())
    }

    async fn unattended(&self, now: Timestamp, limit: u32) -> Result<Vec<JobRow>, StoreError> {
        let state = self.state();
        let open = state.jobs.values().filter(|job| !job.status.is_final() && !state.is_attended(&job.id, now));
        Ok(open.take(limit as usize).map(JobRow::from).collect())
    }

    async fn list(&self, filter: &JobFilter) -> Result<JobPage, StoreError> {
        let state = self.state();
        let wanted = |status: JobStatus| filter.statuses.is_empty() || filter.statuses.contains(&status);
        let fitting = || state.jobs.values().rev().filter(|job| wanted(job.status));
        let page = fitting().skip(filter.offset as usize).take(filter.limit as usize);
        Ok(JobPage { total: fitting().count() as u64, jobs: page.map(JobRow::from).collect() })
    }

    async fn save(&self, job: &JobRecord, lease: Option<&Lease>) -> Result<JobRecord, StoreError> {
        let mut state = self.state();
        if let Some(lease) = lease {
            state.held(lease)?;
        }
        let stored = state.job(&job.id)?;
        if stored.version != job.version {
            return Err(StoreError::Conflict(job.id.clone()));
        }
        let kept = JobRecord {
            status: job.status,
            progress: job.progress,
            body: job.body.clone(),
            updated_at: to_micros(job.updated_at),
            version: stored.version + 1,
            ..stored.clone()
        };
        *stored = kept.clone();
        Ok(kept)
    }

    async fn request_cancel(&self, id: &JobId) -> Result<(), StoreError> {
        self.state().job(id)?.cancel_requested = true;
        Ok(())
    }

    async fn forget_jobs_before(&self, moment: Timestamp) -> Result<u64, StoreError> {
        let mut state = self.state();
        let old = |job: &&JobRecord| job.status.is_final() && job.created_at < moment;
        let ids: Vec<JobId> = state.jobs.values().filter(old).map(|job| job.id.clone()).collect();
        for id in &ids {
            if let Some(key) = state.keys.remove(id) {
                state.jobs.remove(&key);
            }
            state.journals.remove(id);
            state.leases.remove(id.as_str());
        }
        Ok(ids.len() as u64)
    }

    async fn append(&self, id: &JobId, entry: NewEntry, lease: &Lease) -> Result<JournalEntry, StoreError> {
        let mut state = self.state();
        state.held(lease)?;
        state.job(id)?;
        let journal = state.journals.entry(id.clone()).or_default();
        let sequence = journal.len() as u64 + 1;
        let entry = entry.into_entry(sequence);
        journal.push(entry.clone());
        Ok(entry)
    }

    async fn journal(&self, id: &JobId) -> Result<Vec<JournalEntry>, StoreError> {
        Ok(self.state().journals.get(id).cloned().unwrap_or_default())
    }

    async fn take_lease(&self, resource: &str, claim: &Claim, now: Timestamp) -> Result<Lease, StoreError> {
        self.state().take(resource, claim, now)
    }

    async fn renew_lease(&self, lease: &Lease, span: Duration, now: Timestamp) -> Result<Lease, StoreError> {
        let mut state = self.state();
        let held = state.held(lease)?;
        held.until = later(now, span);
        Ok(held.clone())
    }

    async fn drop_lease(&self, lease: &Lease) -> Result<(), StoreError> {
        // The row stays, so that the epoch never starts over.
        if let Ok(held) = self.state().held(lease) {
            held.owner.clear();
            held.until = Timestamp::UNIX_EPOCH;
        }
        Ok(())
    }
}

#[async_trait]
impl AuditLog for MemoryStore {
    async fn record(&self, entry: AuditEntry) -> Result<(), StoreError> {
        self.state().audit.push(entry);
        Ok(())
    }

    async fn entries(&self, limit: u32, offset: u32) -> Result<Vec<AuditEntry>, StoreError> {
        let state = self.state();
        Ok(state.audit.iter().rev().skip(offset as usize).take(limit as usize).cloned().collect())
    }
}

#[async_trait]
impl MetricsHistory for MemoryStore {
    async fn keep(&self, points: &[MetricPoint]) -> Result<(), StoreError> {
        let mut state = self.state();
        state.points.extend_from_slice(points);
        state.points.sort_by_key(|point| point.at);
        Ok(())
    }

    async fn history(&self, name: &str, subject: &str, since: Timestamp) -> Result<Vec<MetricPoint>, StoreError> {
        let fits = |point: &&MetricPoint| {
            point.at >= since
                && (name.is_empty() || point.name == name)
                && (subject.is_empty() || point.subject == subject)
        };
        Ok(self.state().points.iter().filter(fits).cloned().collect())
    }

    async fn forget_before(&self, moment: Timestamp) -> Result<u64, StoreError> {
        let points = &mut self.state().points;
        let before = points.len();
        points.retain(|point| point.at >= moment);
        Ok((before - points.len()) as u64)
    }
}
