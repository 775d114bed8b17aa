//! Health (seed 002 §3.2.6), session, audit, history.

use super::Who;
use crate::{
    answer::{Answer, Failed, success},
    body::Query,
    door::Door,
};
use api::{AuditEntry, AuditQuery, Envelope, Health, MetricPoint, MetricsQuery, SessionInfo};
use axum::{Extension, Json, extract::State};
use control::Caller;

/// How the program is; needs no token.
#[utoipa::path(get, path = "/api/v1/health", tag = "system", responses((status = 200, body = Envelope<Health>)))]
pub(crate) async fn health(State(door): State<Door>) -> Result<Json<Envelope<Health>>, Failed> {
    Ok(Json(Envelope::said("healthy", door.control().health().await?)))
}

/// Who the server takes the caller for; needs no token.
#[utoipa::path(get, path = "/api/v1/session", tag = "system", responses((status = 200, body = Envelope<SessionInfo>)))]
pub(crate) async fn session(State(door): State<Door>, caller: Option<Extension<Caller>>) -> Answer<SessionInfo> {
    let caller = caller.map(|Extension(caller)| caller);
    Ok(success(SessionInfo {
        role: caller.as_ref().map(|caller| caller.role.as_str().to_owned()).unwrap_or_default(),
        actor: caller.map(|caller| caller.actor).unwrap_or_default(),
        token_required: !door.control().settings().tokens.is_empty(),
    }))
}

/// Who did what, newest first.
#[utoipa::path(get, path = "/api/v1/audit", tag = "system", params(AuditQuery),
    responses((status = 200, body = Envelope<Vec<AuditEntry>>), (status = 400, body = api::ErrorBody), (status = 403, body = api::ErrorBody)))]
pub(crate) async fn audit(
    State(door): State<Door>,
    Who(caller): Who,
    Query(query): Query<AuditQuery>,
) -> Answer<Vec<AuditEntry>> {
    Ok(success(door.control().audit(&caller, query).await?))
}

/// Samples over time, oldest first.
#[utoipa::path(get, path = "/api/v1/metrics/history", tag = "system", params(MetricsQuery),
    responses((status = 200, body = Envelope<Vec<MetricPoint>>), (status = 400, body = api::ErrorBody), (status = 403, body = api::ErrorBody)))]
pub(crate) async fn history(
    State(door): State<Door>,
    Who(caller): Who,
    Query(query): Query<MetricsQuery>,
) -> Answer<Vec<MetricPoint>> {
    Ok(success(door.control().metrics_history(&caller, query).await?))
}
