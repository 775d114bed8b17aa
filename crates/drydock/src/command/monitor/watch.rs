//! Which jobs are watched: the active ones, those that were active when the watching began, and all if so asked.

use api::{JobQuery, JobStatus, RecycleJob};
use control::{Caller, Control};
use std::collections::BTreeSet;
use types::{Failure, JobId};

/// Jobs shown at once.
const SHOWN: u32 = 100;

/// A watcher over the store; a server may run beside it or not.
pub struct Watch {
    control: Control,
    caller: Caller,
    completed: bool,
    seen: BTreeSet<JobId>,
}

impl Watch {
    /// `completed`: jobs that have ended are shown as well.
    pub fn new(control: Control, caller: Caller, completed: bool) -> Self {
        Self { control, caller, completed, seen: BTreeSet::new() }
    }

    /// The jobs as they stand, newest first.
    pub async fn look(&mut self) -> Result<Vec<RecycleJob>, Failure> {
        let mut ids = self.ids(Some(JobStatus::Running)).await?;
        ids.extend(self.ids(Some(JobStatus::Pending)).await?);
        // One that ended since the last look is shown at its end.
        self.seen.append(&mut ids);
        let mut shown = self.seen.clone();
        if self.completed {
            shown.append(&mut self.ids(None).await?);
        }
        let mut jobs = Vec::new();
        for id in shown.iter().rev() {
            jobs.push(self.control.job(&self.caller, id).await?);
        }
        jobs.sort_by_key(|job| std::cmp::Reverse(job.created_at));
        Ok(jobs)
    }

    async fn ids(&self, status: Option<JobStatus>) -> Result<BTreeSet<JobId>, Failure> {
        let query = JobQuery { status, limit: Some(SHOWN), offset: None };
        let page = self.control.jobs(&self.caller, query).await?;
        Ok(page.jobs.into_iter().map(|job| job.job_id).collect())
    }
}
