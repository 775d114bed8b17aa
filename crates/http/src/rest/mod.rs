//! The REST routes, each registered once for the router and for the OpenAPI document.

mod clusters;
mod recycle;
mod system;
mod topology;

use crate::{answer::Failed, door::Door};
use axum::{extract::FromRequestParts, http::request::Parts};
use control::Caller;
use types::{Code, Failure};
use utoipa::{
    Modify, OpenApi,
    openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
};
use utoipa_axum::{router::OpenApiRouter, routes};

/// The caller the guard found.
pub(crate) struct Who(pub(crate) Caller);

impl FromRequestParts<Door> for Who {
    type Rejection = Failed;

    async fn from_request_parts(parts: &mut Parts, _: &Door) -> Result<Self, Failed> {
        let caller = parts.extensions.get::<Caller>().cloned();
        let refused = || Failure::new(Code::Forbidden, "this route wants a token", "send `Authorization: Bearer dd_…`");
        caller.map(Self).ok_or_else(|| refused().into())
    }
}

/// The head of the OpenAPI document.
#[derive(OpenApi)]
#[openapi(
    info(title = "Drydock", description = "Topology, space and reclaim of MySQL-protocol fleets (seed 002 and what stands beside it)."),
    components(schemas(api::ErrorBody, api::JobUpdate)),
    modifiers(&Bearer),
    security((), ("bearer" = []))
)]
struct Document;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("dd_…").build();
        if let Some(components) = openapi.components.as_mut() {
            components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
        }
    }
}

/// Every REST route, and the document that describes them.
pub(crate) fn routes() -> (axum::Router<Door>, utoipa::openapi::OpenApi) {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(topology::discover))
        .routes(routes!(recycle::create, recycle::list))
        .routes(routes!(recycle::show, recycle::cancel))
        .routes(routes!(recycle::approve))
        .routes(routes!(recycle::job_plan))
        .routes(routes!(recycle::plan))
        .routes(routes!(system::health))
        .routes(routes!(system::session))
        .routes(routes!(system::audit))
        .routes(routes!(system::history))
        .routes(routes!(clusters::list, clusters::connect))
        .routes(routes!(clusters::topology))
        .routes(routes!(clusters::space))
        .routes(routes!(clusters::census))
        .routes(routes!(clusters::plan))
        .routes(routes!(clusters::create))
        .routes(routes!(crate::ws::monitor))
        .split_for_parts()
}

/// The OpenAPI document as JSON, as it is served and kept in `docs/openapi.json`.
pub fn openapi_json() -> String {
    routes().1.to_pretty_json().unwrap_or_default()
}
