//! Who asks, and what each may do.

use crate::Decision;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use types::{Code, Failure};

/// Rights, each including those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Reads: health, jobs, clusters, topology, space, history.
    Viewer,
    /// Discovers, plans, creates and cancels jobs.
    Operator,
    /// Connects clusters, reads the audit, reloads, and may let a job touch a writer.
    Admin,
}

impl Role {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }
}

/// Someone who asks.
#[derive(Debug, Clone)]
pub struct Caller {
    /// As in the audit: a token's name, `cli:<os user>`, `anonymous@<peer>`.
    pub actor: String,
    /// What they may do.
    pub role: Role,
    /// The groups of clusters they are kept to; everything if absent.
    pub groups: Option<BTreeSet<String>>,
    /// Whether they still wait for what they asked.
    pub decision: Decision,
}

/// Who they are, not what they wait for.
impl PartialEq for Caller {
    fn eq(&self, other: &Self) -> bool {
        (&self.actor, self.role, &self.groups) == (&other.actor, other.role, &other.groups)
    }
}

impl Eq for Caller {}

impl Caller {
    /// A caller.
    pub fn new(actor: impl Into<String>, role: Role) -> Self {
        Self { actor: actor.into(), role, groups: None, decision: Decision::default() }
    }

    /// The same, for a request that may be given up from outside.
    #[must_use]
    pub fn deciding(self, decision: Decision) -> Self {
        Self { decision, ..self }
    }

    /// Refuses unless the caller's role reaches `needed`, and every caller who is kept to groups; 1008. What a use case answers
    /// them has to be chosen by their groups: one that does so asks `require_role` instead.
    pub fn require(&self, needed: Role, action: &str) -> Result<(), Failure> {
        self.require_role(needed, action)?;
        self.require_all(action)
    }

    /// Refuses unless the caller's role reaches `needed`; 1008. Only for use cases that themselves show and touch nothing but
    /// what is there for the caller.
    pub(crate) fn require_role(&self, needed: Role, action: &str) -> Result<(), Failure> {
        if self.role >= needed {
            return Ok(());
        }
        let (has, needs) = (self.role.as_str(), needed.as_str());
        let error = format!("`{action}` needs the role {needs}; {} has {has}", self.actor);
        Err(Failure::new(Code::Forbidden, error, format!("use a token of role {needs}")).with("needs_role", needs))
    }
}
