//! `POST /api/v1/topology/discover` (seed 002 §3.2.1).

use super::Who;
use crate::{
    answer::{Failed, success},
    body::{Body, Query},
    door::Door,
};
use api::{ClusterTopology, DiscoverRequest, Envelope};
use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use utoipa::IntoParams;

/// Form of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Form {
    /// The envelope.
    Json,
    /// Graphviz text.
    Dot,
}

/// Query of the discovery.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct FormQuery {
    /// `json` (the envelope) or `dot` (Graphviz text); `json` if absent.
    format: Option<Form>,
}

/// A topology in the form asked for.
pub(crate) fn drawn(topology: ClusterTopology, form: Option<Form>) -> Response {
    match form {
        Some(Form::Dot) => {
            let kind = [(header::CONTENT_TYPE, "text/vnd.graphviz; charset=utf-8")];
            (kind, control::dot(&topology)).into_response()
        }
        _ => success(topology).into_response(),
    }
}

/// Works out the topology around one member.
#[utoipa::path(post, path = "/api/v1/topology/discover", tag = "topology", params(FormQuery), request_body = DiscoverRequest,
    responses((status = 200, body = Envelope<ClusterTopology>),
        (status = 400, body = api::ErrorBody), (status = 403, body = api::ErrorBody), (status = 408, body = api::ErrorBody),
        (status = 500, body = api::ErrorBody), (status = 503, body = api::ErrorBody)))]
pub(crate) async fn discover(
    State(door): State<Door>,
    Who(caller): Who,
    Query(query): Query<FormQuery>,
    Body(request): Body<DiscoverRequest>,
) -> Result<Response, Failed> {
    let topology = door.control().discover(&caller, request).await?;
    Ok(drawn(topology, query.format))
}
