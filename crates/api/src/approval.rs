//! A second person's yes to a job that may touch a writer.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Who asked for a job that needs two people, and who else agreed. It begins only once somebody did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Approval {
    /// Who made the job: its actor in the audit.
    pub asked_by: String,
    /// The other person who agreed; absent while the job waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved_by: Option<String>,
    /// When, UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub approved_at: Option<Timestamp>,
}

impl Approval {
    /// Asked for, not given.
    pub fn asked_by(actor: impl Into<String>) -> Self {
        Self { asked_by: actor.into(), approved_by: None, approved_at: None }
    }

    /// True while nobody has agreed.
    pub fn is_missing(&self) -> bool {
        self.approved_by.is_none()
    }
}

/// `POST /api/v1/recycle/jobs/{job_id}/approve`; no body is an empty one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApproveRequest {
    /// `digest` of the plan that was looked at; if it is not that of the job's plan, nothing is approved (1007).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan_digest: Option<String>,
}
