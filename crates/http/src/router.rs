//! Which way a request goes through the door.

use crate::{answer, answer::Failed, door::Door, guard, page, prometheus, rest};
use axum::{
    Router,
    extract::{Request, State},
    http::header,
    middleware::{self, Next, from_fn, from_fn_with_state},
    response::Response,
    routing::get,
};
use control::Decision;
use tower_http::compression::CompressionLayer;
use types::{Code, Failure};
use utoipa_swagger_ui::{Config, SwaggerUi};

/// Limit for answering; a WebSocket, once open, has none, and what has begun to be written is waited for: it is never
/// in doubt whether a job was made.
async fn in_time(State(door): State<Door>, mut request: Request, next: Next) -> Result<Response, Failed> {
    let limit = door.settings.request_timeout;
    let decision = Decision::default();
    request.extensions_mut().insert(decision.clone());
    let answer = next.run(request);
    tokio::pin!(answer);
    match tokio::time::timeout(limit, &mut answer).await {
        Ok(response) => Ok(response),
        Err(_) if decision.give_up() => {
            let error = format!("no answer within {} s; it was stopped and nothing was changed", limit.as_secs_f64());
            Err(Failure::new(Code::TimedOut, error, "ask for less at once, or raise server.request_timeout").into())
        }
        Err(_) => Ok(answer.await),
    }
}

/// The whole door. Outermost last: headers and counting see every answer, also refusals.
pub(crate) fn router(door: Door) -> Router {
    let (routes, document) = rest::routes();
    let json = document.to_json().unwrap_or_default();
    let document = move || {
        let json = json.clone();
        async move { ([(header::CONTENT_TYPE, "application/json")], json) }
    };
    let config = Config::new(["/api/v1/openapi.json"]).validator_url("none");
    let docs: Router<Door> = SwaggerUi::new("/docs").config(config).into();
    routes
        .route("/api/v1/openapi.json", get(document))
        .route("/metrics", get(prometheus::metrics))
        .method_not_allowed_fallback(answer::no_method)
        .merge(docs)
        .fallback(page::fallback)
        .layer(from_fn_with_state(door.clone(), guard::known_caller))
        .layer(from_fn_with_state(door.clone(), guard::same_house))
        .layer(from_fn_with_state(door.clone(), in_time))
        .layer(from_fn_with_state(door.clone(), answer::shape))
        .layer(CompressionLayer::new())
        .layer(from_fn(page::protect))
        .layer(middleware::from_fn_with_state(door.clone(), prometheus::count))
        .with_state(door)
}
