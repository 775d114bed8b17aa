//! Every answer's shape: the envelope for what went well, the error body for what did not.

use crate::door::Door;
use api::{Envelope, ErrorBody};
use axum::{
    Json,
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use types::{Code, Failure};

/// A failure on its way out; the outermost layer writes it, because only that knows the time.
#[derive(Debug)]
pub(crate) struct Failed {
    failure: Failure,
    status: StatusCode,
}

impl From<Failure> for Failed {
    fn from(failure: Failure) -> Self {
        let status = StatusCode::from_u16(failure.code.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self { failure, status }
    }
}

impl Failed {
    /// A 1001 with an HTTP status that says more than 400: no such route, wrong method, too large.
    pub(crate) fn with_status(status: StatusCode, failure: Failure) -> Self {
        Self { failure, status }
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        if self.failure.code == Code::Busy {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
        }
        response.extensions_mut().insert(self.failure);
        response
    }
}

/// What a handler gives: data in the envelope, or a failure.
pub(crate) type Answer<T> = Result<Json<Envelope<T>>, Failed>;

/// Data with the seed's `success`.
pub(crate) fn success<T: Serialize>(data: T) -> Json<Envelope<T>> {
    Json(Envelope::success(data))
}

/// Writes failures as the seed's error body; no answer of the API is to be stored by anyone between.
pub(crate) async fn shape(State(door): State<Door>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    if let Some(failure) = response.extensions_mut().remove::<Failure>() {
        let body = ErrorBody::new(&failure, door.control().clock().now());
        let (status, headers) = (response.status(), response.headers().clone());
        response = (status, Json(body)).into_response();
        for (name, value) in &headers {
            if name != header::CONTENT_LENGTH && name != header::CONTENT_TYPE {
                response.headers_mut().insert(name, value.clone());
            }
        }
    }
    response.headers_mut().entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// A route that is not there.
pub(crate) fn no_route(request: &Request) -> Failed {
    let error = format!("there is no {} {}", request.method(), request.uri().path());
    let failure = Failure::new(Code::InvalidArgument, error, "see /docs on this server for the routes there are");
    Failed::with_status(StatusCode::NOT_FOUND, failure)
}

/// A route that is there for other methods.
#[allow(clippy::unused_async, reason = "a handler is async")]
pub(crate) async fn no_method(request: Request) -> Failed {
    let error = format!("{} does not answer to {}", request.uri().path(), request.method());
    let failure = Failure::new(Code::InvalidArgument, error, "see the Allow header or /docs for the methods it takes");
    Failed::with_status(StatusCode::METHOD_NOT_ALLOWED, failure)
}
