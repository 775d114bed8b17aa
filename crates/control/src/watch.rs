//! Job changes for those who watch: the worker's own, and those other processes make in the same store.

use crate::{Caller, Control, Role, hall::lock, tenants};
use api::{JobStatus, JobUpdate};
use jobs::{JobFilter, JobRecord, JobRow};
use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
    time::Duration,
};
use tokio::sync::broadcast::{self, error::RecvError};
use types::{Failure, JobId};

/// How often the store is asked for what other processes did, while someone watches.
const LOOK: Duration = Duration::from_secs(1);
/// Most jobs a watcher starts from.
const MOST: u32 = 1000;

/// A change of a job, and the cluster whose it is.
#[derive(Debug, Clone)]
pub(crate) struct News {
    update: JobUpdate,
    cluster: Option<String>,
}

/// Changes of the jobs that are there for one caller.
#[derive(Debug)]
pub struct Updates {
    control: Control,
    caller: Caller,
    receiver: broadcast::Receiver<News>,
}

impl Updates {
    /// The next change. Nothing is lost if it is dropped while it waits.
    pub async fn recv(&mut self) -> Result<JobUpdate, RecvError> {
        loop {
            let news = self.receiver.recv().await?;
            if self.control.shows(&self.caller, news.cluster.as_deref()) {
                return Ok(news.update);
            }
        }
    }
}

/// What was told of a job last.
#[derive(Clone, Copy, PartialEq)]
struct Told {
    version: u64,
    progress: f64,
}

/// Keeps order: no job goes backwards, nothing is told twice.
#[derive(Default)]
pub(crate) struct Teller {
    told: HashMap<JobId, Told>,
}

/// A record as a watcher sees it.
pub(crate) fn update_of(record: &JobRecord) -> JobUpdate {
    let job = crate::record::document(record).ok().map(|document| document.job);
    JobUpdate {
        kind: "job_update".to_owned(),
        job_id: record.id.clone(),
        status: record.status,
        progress: if record.status == JobStatus::Completed { 100.0 } else { record.progress },
        timestamp: record.updated_at,
        current_table: job.as_ref().map(|job| job.progress.current_table.clone()).unwrap_or_default(),
        phase: job.as_ref().map(|job| job.progress.phase.clone()).unwrap_or_default(),
        space_freed_bytes: job.map(|job| job.statistics.space_freed_bytes).unwrap_or_default(),
    }
}

impl Teller {
    /// The update to send, if this is news.
    fn tell(&mut self, record: &JobRecord) -> Option<JobUpdate> {
        let mut update = update_of(record);
        let before = self.told.get(&record.id).copied();
        if before.is_some_and(|before| before.version >= record.version) {
            return None;
        }
        update.progress = update.progress.max(before.map_or(0.0, |before| before.progress));
        let told = Told { version: record.version, progress: update.progress };
        if record.status.is_final() {
            self.told.remove(&record.id);
        } else {
            self.told.insert(record.id.clone(), told);
        }
        Some(update)
    }

    /// Notes what a watcher was shown, so that it hears of these jobs' end wherever they end.
    fn shown(&mut self, records: &[JobRecord]) {
        for record in records.iter().filter(|record| !record.status.is_final()) {
            let told = Told { version: record.version, progress: record.progress };
            self.told.entry(record.id.clone()).or_insert(told);
        }
    }

    /// Jobs to tell of: those that moved, and those told of as active that are not among the active ones any more.
    fn news(&self, rows: &[JobRow], active: &HashSet<JobId>) -> Vec<JobId> {
        let moved = |row: &&JobRow| self.told.get(&row.id).is_none_or(|told| told.version < row.version);
        let ended = self.told.keys().filter(|id| !active.contains(id));
        rows.iter().filter(moved).map(|row| &row.id).chain(ended).cloned().collect()
    }
}

impl Control {
    /// Every change from now on of every job that is there for the caller; a slow reader gets `Lagged` and should ask
    /// [`Control::jobs_now`].
    pub fn subscribe(&self, caller: &Caller) -> Updates {
        let receiver = self.hall.updates.subscribe();
        self.watch();
        Updates { control: self.clone(), caller: caller.clone(), receiver }
    }

    /// One update for each job that is not final, and for each of `known` as it stands: what a watcher starts from, and
    /// what one that missed something needs. A watcher hears of the end of every job it was shown. Viewer.
    pub async fn jobs_now(&self, caller: &Caller, known: Vec<JobId>) -> Result<Vec<JobUpdate>, Failure> {
        caller.require_role(Role::Viewer, "jobs.watch")?;
        let active = self.unfinished().await?.into_iter().map(|row| row.id);
        let ids: BTreeSet<JobId> = active.chain(known).collect();
        let mut records = self.hall.store.get_many(&ids.into_iter().collect::<Vec<_>>()).await?;
        records.retain(|record| self.shows(caller, tenants::cluster_of(record)));
        lock(&self.hall.teller).shown(&records);
        Ok(records.iter().map(update_of).collect())
    }

    async fn unfinished(&self) -> Result<Vec<JobRow>, Failure> {
        let statuses = vec![JobStatus::Pending, JobStatus::Running];
        Ok(self.hall.store.list(&JobFilter { statuses, limit: MOST, offset: 0 }).await?.jobs)
    }

    /// Starts the one task that tells watchers; further calls do nothing.
    pub(crate) fn watch(&self) {
        if self.hall.watching.set(()).is_ok() {
            let control = self.clone();
            self.spawn_loop(async move { control.tell().await });
        }
    }

    async fn tell(&self) {
        let mut own: Option<broadcast::Receiver<Arc<JobRecord>>> = None;
        loop {
            own = own.or_else(|| self.hall.runner.get().map(jobs::Runner::updates));
            let news = async {
                match own.as_mut() {
                    Some(own) => own.recv().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                record = news => match record {
                    Ok(record) => self.send(&record),
                    Err(RecvError::Lagged(_)) => self.look().await,
                    Err(RecvError::Closed) => return,
                },
                () = self.hall.clock.sleep(LOOK) => if self.hall.updates.receiver_count() > 0 {
                    self.look().await;
                },
            }
        }
    }

    /// Asks the store, and tells what is news: unfinished jobs, and those told of before that ended elsewhere.
    async fn look(&self) {
        let Ok(rows) = self.unfinished().await else { return };
        let active: HashSet<JobId> = rows.iter().map(|row| row.id.clone()).collect();
        let news = lock(&self.hall.teller).news(&rows, &active);
        for record in self.hall.store.get_many(&news).await.unwrap_or_default() {
            self.send(&record);
        }
    }

    fn send(&self, record: &JobRecord) {
        if let Some(update) = lock(&self.hall.teller).tell(record) {
            // Nobody watching is no error.
            let cluster = tenants::cluster_of(record).map(str::to_owned);
            let _ = self.hall.updates.send(News { update, cluster });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(version: u64, status: JobStatus, progress: f64) -> JobRecord {
        let at = jiff::Timestamp::UNIX_EPOCH;
        JobRecord {
            id: JobId("job-20240101-001".into()),
            kind: "recycle".into(),
            status,
            progress,
            body: serde_json::Value::Null,
            created_at: at,
            updated_at: at,
            cancel_requested: false,
            version,
        }
    }

    #[test]
    fn progress_never_falls_and_ends_at_100() {
        let mut teller = Teller::default();
        let told: Vec<f64> = [(1, 0.0), (2, 40.0), (3, 30.0), (2, 90.0)]
            .iter()
            .filter_map(|(version, progress)| teller.tell(&record(*version, JobStatus::Running, *progress)))
            .map(|update| update.progress)
            .collect();
        assert_eq!(told, [0.0, 40.0, 40.0], "an old version is not told again");
        let last = teller.tell(&record(9, JobStatus::Completed, 99.0)).unwrap();
        assert!((last.progress - 100.0).abs() < f64::EPSILON);
        assert!(teller.told.is_empty(), "a final job is forgotten");
    }
}
