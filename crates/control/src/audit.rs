//! Who did what and how it ended: every writing use case goes through here, refused ones included.

use crate::{Caller, Control, Role, decision::Waiting, input};
use api::{AuditEntry, AuditQuery};
use std::future::Future;
use types::Failure;

impl Control {
    /// Runs a writing use case and records how it ended. Up to its [`Decision::begin`](crate::Decision) it ends when
    /// the caller goes away; from there on it runs to its end, caller or not.
    pub(crate) async fn audited<T, F>(
        &self,
        caller: &Caller,
        action: &'static str,
        subject: String,
        work: F,
    ) -> Result<T, Failure>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Failure>> + Send + 'static,
    {
        let (control, actor, decision) = (self.clone(), caller.actor.clone(), caller.decision.clone());
        let waiting = Waiting::new(&decision);
        let task = self.hall.tasks.spawn(async move {
            let outcome = tokio::select! {
                outcome = work => outcome,
                given_up = decision.given_up() => Err(given_up),
            };
            control.note(actor, action, subject, outcome.as_ref().err()).await;
            outcome
        });
        let outcome = task.await.unwrap_or_else(|error| Err(crate::hall::broken(action, &error)));
        waiting.answered();
        outcome
    }

    pub(crate) async fn note(&self, actor: String, action: &str, subject: String, failure: Option<&Failure>) {
        let outcome = failure.map_or_else(|| "ok".to_owned(), ToString::to_string);
        tracing::info!(actor, action, subject, outcome, "audit");
        let entry = AuditEntry { at: self.hall.clock.now(), actor, action: action.to_owned(), subject, outcome };
        if let Err(error) = self.hall.store.record(entry).await {
            tracing::error!(%error, action, "the audit entry could not be stored");
        }
    }

    /// Who did what, newest first. Admin.
    pub async fn audit(&self, caller: &Caller, query: AuditQuery) -> Result<Vec<AuditEntry>, Failure> {
        caller.require(Role::Admin, "audit.read")?;
        let (limit, offset) = input::page(query.limit, query.offset, 100)?;
        Ok(self.hall.store.entries(limit, offset).await?)
    }

    /// Records a token that was refused at the door; the door limits how often.
    pub async fn note_refusal(&self, peer: &str, failure: &Failure) {
        self.note(format!("unknown@{peer}"), "authenticate", String::new(), Some(failure)).await;
    }
}
