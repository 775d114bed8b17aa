//! Two people for what may touch a writer: which jobs wait for a second admin, and whose yes counts.

use crate::{Caller, Control, Role, Settings, access, record};
use api::{Approval, ApproveRequest, RecycleConfig, RecycleDocument, RecycleJob, WorkMode};
use jobs::{JobRecord, StoreError};
use types::{Code, Failure, JobId};

/// What a job that waits shows as its phase.
const PHASE: &str = "waiting for a second admin's approval";

/// How often an approval looks again at a job that was saved by someone else meanwhile.
const TRIES: u32 = 5;

/// Marks a job that needs two people, once and for all: neither new settings nor a restart lets it go.
pub(crate) fn mark(document: &mut RecycleDocument, settings: &Settings, actor: &str) {
    if settings.two_person && may_touch_a_writer(&document.job.config) {
        document.job.approval = Some(Approval::asked_by(actor));
        PHASE.clone_into(&mut document.job.progress.phase);
    }
}

/// A logged statement never begins on a writer that is excluded, but it runs on every server below, also on one that takes
/// writes of its own.
fn may_touch_a_writer(config: &RecycleConfig) -> bool {
    !config.exclude_primary || config.mode == WorkMode::BinlogOn
}

/// What a yes comes to.
#[derive(Debug, PartialEq, Eq)]
enum Yes {
    /// The job may begin now.
    Given,
    /// The same person said so before.
    Again,
}

/// `cli:ann` at the terminal and the token `Ann` count as one: who cannot be told apart are not two people.
pub(crate) fn person(actor: &str) -> String {
    actor.strip_prefix("cli:").unwrap_or(actor).trim().to_lowercase()
}

fn state(id: &JobId, error: impl Into<String>, next: impl Into<String>) -> Failure {
    let error: String = error.into();
    Failure::new(Code::JobState, error, next.into()).with("job_id", id.as_str())
}

fn forbidden(id: &JobId, error: String, next: &str) -> Failure {
    Failure::new(Code::Forbidden, error, next).with("job_id", id.as_str())
}

/// Whether this admin's yes counts for the job as it is stored.
fn judge(record: &JobRecord, job: &RecycleDocument, actor: &str, digest: Option<&str>) -> Result<Yes, Failure> {
    let (id, status) = (&record.id, record.status.as_str());
    if record.status.is_final() {
        return Err(state(id, format!("job {id} is {status} already"), "only a job that waits can be approved"));
    }
    let Some(approval) = &job.job.approval else {
        let error = format!("job {id} needs nobody's approval; it is {status}");
        return Err(state(id, error, "nothing is to be done: it begins by itself"));
    };
    second(id, approval, actor)?;
    if let Some(digest) = digest.filter(|digest| *digest != job.plan.digest) {
        let error = format!("the plan of job {id} is not the one that was looked at, whose digest is {digest}");
        let next = "look at the job's own plan, and approve the job with its digest";
        return Err(state(id, error, next).with("plan_digest", job.plan.digest.clone()));
    }
    match &approval.approved_by {
        Some(by) if by == actor => Ok(Yes::Again),
        Some(by) => Err(state(id, format!("job {id} was approved by {by} already"), "nothing is left to be approved")),
        None if record.cancel_requested => {
            let next = "create a new job if it is still wanted";
            Err(state(id, format!("job {id} is being cancelled"), next))
        }
        None => Ok(Yes::Given),
    }
}

/// Refuses everyone who is not known to be another person than the one who asked.
fn second(id: &JobId, approval: &Approval, actor: &str) -> Result<(), Failure> {
    let next =
        "have another admin approve it: with a token of their own, or with `recycle approve` under their own account";
    if actor.starts_with(access::ANONYMOUS) {
        let error = format!("{actor} may be anyone, also {}, who asked for job {id}", approval.asked_by);
        return Err(forbidden(id, error, next));
    }
    if person(actor) == person(&approval.asked_by) {
        let error = format!("job {id} was asked for by {}; it takes the yes of another person", approval.asked_by);
        return Err(forbidden(id, error, next));
    }
    Ok(())
}

impl Control {
    /// Lets a job that may touch a writer begin, on the yes of another admin than the one who asked. 1008 for the one who
    /// asked; 1007 if it needs no approval, is final, or its plan is another than the one looked at. Admin.
    pub async fn approve(&self, caller: &Caller, id: &JobId, request: ApproveRequest) -> Result<RecycleJob, Failure> {
        let (control, allowed) = (self.clone(), caller.require_role(Role::Admin, "jobs.approve"));
        let (id, asker, decision) = (id.clone(), caller.clone(), caller.decision.clone());
        self.audited(caller, "jobs.approve", id.to_string(), async move {
            allowed?;
            decision.begin()?;
            control.say_yes(&asker, &id, request.plan_digest.as_deref()).await
        })
        .await
    }

    async fn say_yes(&self, caller: &Caller, id: &JobId, digest: Option<&str>) -> Result<RecycleJob, Failure> {
        let actor = caller.actor.as_str();
        let now = self.hall.clock.now();
        for _ in 0..TRIES {
            let record = self.stored(caller, id).await?;
            let document = record::document(&record)?;
            if judge(&record, &document, actor, digest)? == Yes::Again {
                return record::shown(&record, now);
            }
            // Saved only over what was judged: a job that was cancelled or approved meanwhile is judged anew.
            match self.hall.store.save(&approved(record, document, actor, now)?, None).await {
                Err(StoreError::Conflict(_)) => {}
                saved => return record::shown(&saved?, now),
            }
        }
        Err(StoreError::Conflict(id.clone()).into())
    }

    /// What an approval would come to; changes nothing. Admin.
    pub async fn approvable(&self, caller: &Caller, id: &JobId, request: &ApproveRequest) -> Result<(), Failure> {
        caller.require_role(Role::Admin, "jobs.approve")?;
        let record = self.stored(caller, id).await?;
        judge(&record, &record::document(&record)?, &caller.actor, request.plan_digest.as_deref()).map(drop)
    }
}

/// The record with the yes in it.
fn approved(
    record: JobRecord,
    mut document: RecycleDocument,
    actor: &str,
    now: jiff::Timestamp,
) -> Result<JobRecord, Failure> {
    if let Some(approval) = &mut document.job.approval {
        approval.approved_by = Some(actor.to_owned());
        approval.approved_at = Some(now);
    }
    document.job.progress.phase.clear();
    let body = serde_json::to_value(&document)
        .map_err(|error| state(&record.id, format!("the approval cannot be stored: {error}"), "report this"))?;
    Ok(JobRecord { body, updated_at: now, ..record })
}

#[cfg(test)]
mod tests;
