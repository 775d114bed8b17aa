//! Reading what came: JSON bodies, queries and names in the address, with what is wrong and where.

use crate::{answer::Failed, door::Door};
use axum::{
    extract::{FromRequest, FromRequestParts, Request},
    http::{StatusCode, header, request::Parts},
};
use serde::de::DeserializeOwned;
use types::{Code, Failure};

/// Likeness above which a name is worth suggesting.
const LIKE: f64 = 0.7;

/// A JSON body of a known shape.
pub(crate) struct Body<T>(pub(crate) T);

/// The same where a request without a body asks for the usual.
pub(crate) struct OptionalBody<T>(pub(crate) T);

/// A query of a known shape.
pub(crate) struct Query<T>(pub(crate) T);

/// A name in the address: a cluster's, a job's.
pub(crate) struct Name(pub(crate) String);

/// The names in backticks of a serde message: the unknown one, then those expected.
fn quoted(message: &str) -> Vec<&str> {
    message.split('`').skip(1).step_by(2).collect()
}

/// What to do about an unknown field or variant: the nearest known one, else all.
fn suggestion(message: &str) -> Option<String> {
    if !message.contains("unknown field") && !message.contains("unknown variant") {
        return None;
    }
    let names = quoted(message);
    let (wrong, known) = names.split_first()?;
    let likeness = |name: &&&str| strsim::jaro_winkler(wrong, name);
    let nearest = known.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)))?;
    let all = known.join(", ");
    if likeness(&nearest) >= LIKE {
        Some(format!("did you mean `{nearest}`? Known here: {all}"))
    } else {
        Some(format!("known here: {all}"))
    }
}

fn refused(path: &str, message: &str) -> Failure {
    let next = suggestion(message).unwrap_or_else(|| "compare the request with /docs on this server".to_owned());
    let failure = Failure::new(Code::InvalidArgument, message, next);
    match quoted(message).first() {
        Some(field) if message.contains("unknown field") => failure.with("field", join(path, field)),
        _ if path == "." => failure,
        _ => failure.with("field", path),
    }
}

fn join(path: &str, field: &str) -> String {
    let parent = path.strip_suffix(field).unwrap_or(path).trim_end_matches('.');
    if parent.is_empty() || parent == "?" { field.to_owned() } else { format!("{parent}.{field}") }
}

/// Reads JSON; 1001 with line, column and field of what is wrong.
pub(crate) fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Failure> {
    // Serde takes a list for a structure whose fields may all be left out.
    let trimmed = bytes.trim_ascii_start();
    if trimmed.starts_with(b"[") {
        let before = &bytes[..bytes.len() - trimmed.len()];
        let line = before.split(|byte| *byte == b'\n').count();
        return Err(refused(".", "expected an object, found a list").with("line", line));
    }
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        let inner = error.into_inner();
        let failure = refused(&path, &inner.to_string());
        failure.with("line", inner.line()).with("column", inner.column())
    })?;
    json.end().map_err(|error| refused(".", &error.to_string()))?;
    Ok(value)
}

fn is_json(request: &Request) -> bool {
    let content = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let kind = content.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"))
}

async fn bytes(request: Request, door: &Door) -> Result<axum::body::Bytes, Failed> {
    let (limit, span) = (door.settings.body_limit, door.settings.read_timeout);
    let read = axum::body::to_bytes(request.into_body(), limit);
    match tokio::time::timeout(span, read).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) => {
            let error = format!("the body could not be read or is larger than {limit} bytes: {error}");
            let failure = Failure::new(Code::InvalidArgument, error, "send less at once");
            Err(Failed::with_status(StatusCode::PAYLOAD_TOO_LARGE, failure))
        }
        Err(_) => {
            let error = format!("the body did not arrive within {} s", span.as_secs_f64());
            Err(Failure::new(Code::TimedOut, error, "send the whole body at once, or raise server.read_timeout").into())
        }
    }
}

impl<T: DeserializeOwned> FromRequest<Door> for Body<T> {
    type Rejection = Failed;

    async fn from_request(request: Request, door: &Door) -> Result<Self, Failed> {
        // A page of another site can post forms and plain text without asking; JSON it cannot.
        if !is_json(&request) {
            let next = "send the header `Content-Type: application/json`";
            return Err(Failure::new(Code::InvalidArgument, "the body is not declared as JSON", next).into());
        }
        Ok(Self(read(&bytes(request, door).await?)?))
    }
}

impl<T: DeserializeOwned + Default> FromRequest<Door> for OptionalBody<T> {
    type Rejection = Failed;

    async fn from_request(request: Request, door: &Door) -> Result<Self, Failed> {
        if request.headers().contains_key(header::CONTENT_TYPE) {
            return Body::from_request(request, door).await.map(|Body(value)| Self(value));
        }
        if bytes(request, door).await?.is_empty() {
            return Ok(Self(T::default()));
        }
        let next = "send the header `Content-Type: application/json`, or no body";
        Err(Failure::new(Code::InvalidArgument, "the body is not declared as JSON", next).into())
    }
}

impl FromRequestParts<Door> for Name {
    type Rejection = Failed;

    async fn from_request_parts(parts: &mut Parts, door: &Door) -> Result<Self, Failed> {
        let read = axum::extract::Path::<String>::from_request_parts(parts, door).await;
        let read = read.map_err(|rejection| {
            let next = "write the address in UTF-8, percent-encoded";
            Failure::new(Code::InvalidArgument, rejection.body_text(), next)
        });
        Ok(Self(read?.0))
    }
}

impl<T: DeserializeOwned> FromRequestParts<Door> for Query<T> {
    type Rejection = Failed;

    async fn from_request_parts(parts: &mut Parts, _: &Door) -> Result<Self, Failed> {
        let read = axum::extract::Query::<T>::try_from_uri(&parts.uri);
        let read = read.map_err(|rejection| {
            let text = rejection.body_text();
            let text = text.strip_prefix("Failed to deserialize query string: ").unwrap_or(&text);
            let (path, message) = text.split_once(": ").unwrap_or((".", text));
            refused(path, message)
        });
        Ok(Self(read?.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::JobRequest;

    fn wrong(json: &str) -> Failure {
        read::<JobRequest>(json.as_bytes()).unwrap_err()
    }

    #[test]
    fn an_unknown_field_is_named_with_the_nearest_known() {
        let failure = wrong(r#"{"target":{"host":"h","username":"u"},"config":{"bach_size":1}}"#);
        assert_eq!(failure.detail("field"), "config.bach_size");
        assert!(failure.detail("next").contains("`batch_size`"), "{failure:?}");
    }

    #[test]
    fn an_unknown_mode_is_answered_with_the_known() {
        let failure = wrong(r#"{"target":{"host":"h","username":"u"},"config":{"mode":"binlog-of"}}"#);
        assert_eq!(failure.detail("field"), "config.mode");
        assert!(failure.detail("next").contains("binlog-off"), "{failure:?}");
    }

    #[test]
    fn broken_json_says_where() {
        let failure = wrong("{\"target\":\n {\"host\" \"h\"}}");
        assert_eq!(failure.details["line"], 2);
        assert!(failure.details["column"].as_u64().unwrap() > 1);
        assert!(wrong("").detail("error").contains("EOF"));
        assert!(wrong(r#"{"target":{"host":"h","username":"u"}} x"#).detail("error").contains("trailing"));
    }

    #[test]
    fn a_value_of_another_kind_names_its_field() {
        for (json, field) in [
            (r#"{"target":{"host":"h","username":"u","port":70000}}"#, "target.port"),
            (r#"{"target":{"host":"h","username":"u"},"config":{"batch_size":"many"}}"#, "config.batch_size"),
            (r#"{"target":{"host":"h","username":"u"},"config":{"timeout":"-1h"}}"#, "config.timeout"),
        ] {
            assert_eq!(wrong(json).detail("field"), field, "{json}");
        }
        assert!(wrong(r#"{"config":{}}"#).detail("error").contains("target"));
    }
}
