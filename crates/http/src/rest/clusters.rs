//! Named clusters: their credentials stay in the server.

use super::{Who, recycle, topology as drawing};
use crate::{
    answer::{Answer, Failed, success},
    body::{Body, Name, Query},
    door::Door,
};
use api::{
    ClusterInfo, ClusterJobRequest, ClusterTopology, ConnectRequest, DiskCensus, Envelope, JobCreated, Plan, TableSpace,
};
use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use utoipa::IntoParams;

/// Query of a cluster's topology.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct Look {
    /// Look anew; the last one found if absent.
    refresh: Option<bool>,
    /// `json` (the envelope) or `dot` (Graphviz text); `json` if absent.
    format: Option<drawing::Form>,
}

/// Clusters the server knows a way into.
#[utoipa::path(get, path = "/api/v1/clusters", tag = "clusters",
    responses((status = 200, body = Envelope<Vec<ClusterInfo>>), (status = 403, body = api::ErrorBody)))]
pub(crate) async fn list(State(door): State<Door>, Who(caller): Who) -> Answer<Vec<ClusterInfo>> {
    Ok(success(door.control().clusters(&caller).await?))
}

/// Keeps credentials in memory under a name, after they were seen to work.
#[utoipa::path(post, path = "/api/v1/clusters", tag = "clusters", request_body = ConnectRequest,
    responses((status = 201, body = Envelope<ClusterInfo>),
        (status = 400, body = api::ErrorBody), (status = 403, body = api::ErrorBody), (status = 500, body = api::ErrorBody)))]
pub(crate) async fn connect(
    State(door): State<Door>,
    Who(caller): Who,
    Body(request): Body<ConnectRequest>,
) -> Result<Response, Failed> {
    let info = door.control().connect_cluster(&caller, request).await?;
    Ok((StatusCode::CREATED, Json(Envelope::said("cluster connected", info))).into_response())
}

/// Topology of a cluster: the last one found, or a new look.
#[utoipa::path(get, path = "/api/v1/clusters/{name}/topology", tag = "clusters", params(("name" = String, Path), Look),
    responses((status = 200, body = Envelope<ClusterTopology>),
        (status = 400, body = api::ErrorBody), (status = 403, body = api::ErrorBody), (status = 500, body = api::ErrorBody)))]
pub(crate) async fn topology(
    State(door): State<Door>,
    Who(caller): Who,
    Name(name): Name,
    Query(look): Query<Look>,
) -> Result<Response, Failed> {
    let refresh = look.refresh.unwrap_or(false);
    Ok(drawing::drawn(door.control().cluster_topology(&caller, &name, refresh).await?, look.format))
}

/// Tables by space, on every reachable member.
#[utoipa::path(get, path = "/api/v1/clusters/{name}/space", tag = "clusters", params(("name" = String, Path)),
    responses((status = 200, body = Envelope<Vec<TableSpace>>),
        (status = 400, body = api::ErrorBody), (status = 403, body = api::ErrorBody), (status = 500, body = api::ErrorBody)))]
pub(crate) async fn space(State(door): State<Door>, Who(caller): Who, Name(name): Name) -> Answer<Vec<TableSpace>> {
    Ok(success(door.control().space(&caller, &name).await?))
}

/// Where the disk went, on every reachable member.
#[utoipa::path(get, path = "/api/v1/clusters/{name}/census", tag = "clusters", params(("name" = String, Path)),
    responses((status = 200, body = Envelope<Vec<DiskCensus>>),
        (status = 400, body = api::ErrorBody), (status = 403, body = api::ErrorBody), (status = 500, body = api::ErrorBody)))]
pub(crate) async fn census(State(door): State<Door>, Who(caller): Who, Name(name): Name) -> Answer<Vec<DiskCensus>> {
    Ok(success(door.control().census(&caller, &name).await?))
}

/// What a job on the cluster would do; changes nothing.
#[utoipa::path(post, path = "/api/v1/clusters/{name}/plan", tag = "clusters", params(("name" = String, Path)),
    request_body = ClusterJobRequest,
    responses((status = 200, body = Envelope<Plan>), (status = 400, body = api::ErrorBody), (status = 403, body = api::ErrorBody),
        (status = 408, body = api::ErrorBody), (status = 500, body = api::ErrorBody), (status = 503, body = api::ErrorBody)))]
pub(crate) async fn plan(
    State(door): State<Door>,
    Who(caller): Who,
    Name(name): Name,
    Body(request): Body<ClusterJobRequest>,
) -> Answer<Plan> {
    Ok(success(door.control().cluster_plan(&caller, &name, request).await?))
}

/// Plans and enlists a job on the cluster; only plans if `config.dry_run`.
#[utoipa::path(post, path = "/api/v1/clusters/{name}/jobs", tag = "clusters", params(("name" = String, Path)),
    request_body = ClusterJobRequest,
    responses((status = 201, body = Envelope<JobCreated>), (status = 200, description = "dry run", body = Envelope<Plan>),
        (status = 400, body = api::ErrorBody), (status = 403, body = api::ErrorBody), (status = 408, body = api::ErrorBody),
        (status = 500, body = api::ErrorBody), (status = 503, body = api::ErrorBody)))]
pub(crate) async fn create(
    State(door): State<Door>,
    Who(caller): Who,
    Name(name): Name,
    Body(request): Body<ClusterJobRequest>,
) -> Result<Response, Failed> {
    Ok(recycle::created(door.control().create_cluster_job(&caller, &name, request).await?))
}
