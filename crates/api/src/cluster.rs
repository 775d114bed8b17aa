//! Named clusters on the wire: their credentials stay with the server, so a page never asks for a password twice.

use crate::{job::JobConfig, topology::default_port};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use types::Secret;
use utoipa::{IntoParams, ToSchema};

/// A cluster the server knows a way into; never its password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ClusterInfo {
    /// Its name, as configured or given.
    pub name: String,
    /// Host of the member to begin at.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Database account.
    pub username: String,
    /// Whether the server holds a password for it.
    pub has_password: bool,
    /// `config` (survives a restart) or `session` (in memory only).
    pub origin: String,
}

/// `POST /api/v1/clusters`: credentials kept in memory until the server ends.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConnectRequest {
    /// The name it shall have; letters, digits, `-`, `_` and `.`.
    pub name: String,
    /// Any member's host.
    pub host: String,
    /// Its port; 3306 if absent.
    #[serde(default = "default_port")]
    pub port: u16,
    /// Database account, used on every member.
    pub username: String,
    /// Its password.
    #[serde(default, skip_serializing_if = "never_shown")]
    #[schema(value_type = String, write_only)]
    pub password: Secret,
}

/// Leaves a password out of every answer. Not `skip_serializing`: that would hide the field from the document of what
/// may be sent as well.
pub(crate) fn never_shown(_: &Secret) -> bool {
    true
}

/// Body of `POST /api/v1/clusters/{name}/plan` and `/jobs`: as for `recycle/jobs`, credentials from the cluster.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClusterJobRequest {
    /// How.
    #[serde(default)]
    pub config: JobConfig,
    /// A member other than the cluster's first.
    pub host: Option<String>,
    /// Its port; the cluster's if absent.
    pub port: Option<u16>,
    /// `digest` of the plan that was agreed to, as in `JobRequest`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan_digest: Option<String>,
}

/// Query of `GET /api/v1/audit`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AuditQuery {
    /// 1 to 1000; 100 if absent.
    pub limit: Option<u32>,
    /// Entries to pass over, newest first; 0 if absent.
    pub offset: Option<u32>,
}

/// Query of `GET /api/v1/metrics/history`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MetricsQuery {
    /// Series, such as `lag_seconds`; all if absent.
    pub name: Option<String>,
    /// What it is about, such as `127.0.0.1:3306`; all if absent.
    pub subject: Option<String>,
    /// Samples since then, UTC; the last hour if absent.
    #[param(value_type = Option<String>, format = DateTime)]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub since: Option<Timestamp>,
}
