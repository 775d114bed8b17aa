//! The page, from inside the binary: files by name, the first page for its own addresses, nothing from elsewhere.

use crate::{answer, answer::Failed, door::Door};
use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use rust_embed::{EmbeddedFile, RustEmbed};
use std::fmt::Write as _;

/// The built page, committed beside its sources; without it this crate does not build.
#[derive(RustEmbed)]
#[folder = "../../web/dist"]
struct Files;

/// Names with a hash in them never change.
const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// All else is asked for again, which costs a 304.
const ASK_AGAIN: HeaderValue = HeaderValue::from_static("no-cache");
/// Nothing from elsewhere, nothing inline, no frame around us.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
);
/// The offline API page sets styles from its script and draws from data addresses.
const DOCS_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'",
);

/// Weak, because compression may change the bytes on the way.
fn tag(file: &EmbeddedFile) -> String {
    let hash = file.metadata.sha256_hash();
    let hex = hash.iter().take(16).fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    });
    format!("W/\"{hex}\"")
}

fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok()).unwrap_or("");
    known.split(',').map(str::trim).any(|known| known == tag || known == "*")
}

fn kind(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or("") {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" | "webmanifest" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

fn served(path: &str, file: EmbeddedFile, headers: &HeaderMap) -> Response {
    let tag = tag(&file);
    let keep = if path.starts_with("assets/") { FOR_EVER } else { ASK_AGAIN };
    let mut response = if is_known(headers, &tag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(header::CONTENT_TYPE, kind(path))], Body::from(file.data)).into_response()
    };
    let out = response.headers_mut();
    out.insert(header::CACHE_CONTROL, keep);
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        out.insert(header::ETAG, tag);
    }
    response
}

/// Whether the page may know this address; fleets and jobs have names of their own, with dots in them if they like.
fn is_address(path: &str) -> bool {
    let (first, rest) = path.split_once('/').unwrap_or((path, ""));
    matches!(first, "fleet" | "jobs") || first != "assets" && !first.contains('.') && !rest.contains('.')
}

/// Everything no route answers to: a file, the first page for the page's own addresses, else 404 in the envelope.
#[allow(clippy::unused_async, reason = "a handler is async")]
pub(crate) async fn fallback(State(_): State<Door>, request: Request) -> Result<Response, Failed> {
    let path = request.uri().path().trim_start_matches('/').to_owned();
    let ours = ["api", "metrics", "docs"].iter().any(|first| path.split('/').next() == Some(first));
    if ours || !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Err(answer::no_route(&request));
    }
    if let Some(file) = Files::get(&path) {
        return Ok(served(&path, file, request.headers()));
    }
    if !is_address(&path) {
        return Err(answer::no_route(&request));
    }
    let file = Files::get("index.html").ok_or_else(|| answer::no_route(&request))?;
    Ok(served("index.html", file, request.headers()))
}

/// Headers every answer carries.
pub(crate) async fn protect(request: Request, next: axum::middleware::Next) -> Response {
    let docs = request.uri().path().starts_with("/docs");
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, if docs { DOCS_POLICY } else { POLICY });
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_inside_and_so_is_what_it_asks_for() {
        let index = Files::get("index.html").expect("the first page");
        let text = String::from_utf8_lossy(&index.data).into_owned();
        let asked: Vec<&str> =
            text.split('"').filter(|part| part.starts_with('/')).map(|part| part.trim_start_matches('/')).collect();
        assert!(asked.iter().any(|path| path.contains(".js")), "{text}");
        for path in asked.into_iter().filter(|path| !path.starts_with("api/")) {
            assert!(Files::get(path).is_some(), "{path} is not inside");
        }
    }

    #[test]
    fn names_with_dots_are_addresses_and_missing_files_are_not() {
        for path in ["", "fleet/db.prod", "fleet/db.prod/space", "jobs/job-20261121-001", "audit", "connect"] {
            assert!(is_address(path), "{path}");
        }
        for path in ["assets/index-old.js", "favicon.ico", "nowhere/x.map"] {
            assert!(!is_address(path), "{path}");
        }
    }
}
