//! Who may come in: the right host name, the right origin, a known token.

use crate::{answer::Failed, door::Door};
use axum::{
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, Method, Uri, header},
    middleware::Next,
    response::Response,
};
use control::{Caller, Decision};
use std::net::{IpAddr, SocketAddr};
use types::{Code, Failure, Secret};

/// Routes that anyone may read: what the page needs to ask for a token, and whether the program is alive.
const OPEN: [&str; 3] = ["/api/v1/health", "/api/v1/openapi.json", "/api/v1/session"];

/// A route that needs no token.
pub(crate) fn is_open(path: &str) -> bool {
    let guarded = path.starts_with("/api/") || path == "/api" || path == "/metrics";
    !guarded || OPEN.contains(&path)
}

fn text<'a>(headers: &'a HeaderMap, name: &header::HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// The host part of `host`, `host:port`, `[v6]:port`.
fn bare_host(authority: &str) -> &str {
    if let Some(rest) = authority.strip_prefix('[') {
        return rest.split(']').next().unwrap_or(rest);
    }
    authority.rsplit_once(':').map_or(authority, |(host, _)| host)
}

fn is_loopback(host: &str) -> bool {
    let local = host.eq_ignore_ascii_case("localhost") || host.to_ascii_lowercase().ends_with(".localhost");
    local || host.parse::<IpAddr>().is_ok_and(|ip| ip.to_canonical().is_loopback())
}

/// Against DNS rebinding: a server that asks for no token answers only to names that mean this machine.
fn host_is_ours(host: Option<&str>, allowed: &[String]) -> bool {
    let Some(host) = host.map(bare_host) else { return true };
    is_loopback(host) || allowed.iter().any(|name| name.eq_ignore_ascii_case(host))
}

/// Against cross-site requests: a browser says where a page came from, and it must be this server.
fn origin_is_ours(headers: &HeaderMap, host: Option<&str>) -> bool {
    if text(headers, &header::HeaderName::from_static("sec-fetch-site")).is_some_and(|site| site == "cross-site") {
        return false;
    }
    let Some(origin) = text(headers, &header::ORIGIN) else { return true };
    let authority = origin.split_once("://").map(|(_, authority)| authority);
    authority.is_some() && authority == host
}

fn changes(method: &Method, headers: &HeaderMap) -> bool {
    let upgrade = headers.contains_key(header::UPGRADE);
    upgrade || !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// HTTP/1.1 names the host in a header, HTTP/2 in the address.
fn host<'a>(headers: &'a HeaderMap, uri: &'a Uri) -> Option<&'a str> {
    text(headers, &header::HOST).or_else(|| uri.authority().map(axum::http::uri::Authority::as_str))
}

fn forbidden(error: &str, next: &str) -> Failed {
    Failure::new(Code::Forbidden, error, next).into()
}

/// Host and origin, before anything is read.
pub(crate) async fn same_house(State(door): State<Door>, request: Request, next: Next) -> Result<Response, Failed> {
    let (headers, uri) = (request.headers(), request.uri());
    let host = host(headers, uri);
    if door.control().settings().tokens.is_empty() && !host_is_ours(host, &door.settings.allowed_hosts) {
        let next =
            "address it as 127.0.0.1 or localhost, add the name under server.allowed_hosts, or configure a token";
        return Err(forbidden("a server without tokens does not answer under this host name", next));
    }
    if changes(request.method(), headers) && !origin_is_ours(headers, host) {
        return Err(forbidden("the request comes from a page of another site", "open the page this server serves"));
    }
    Ok(next.run(request).await)
}

/// A token as it may be shown: `Authorization`, or where a browser's WebSocket cannot send that, `?token=` or
/// `Sec-WebSocket-Protocol: bearer, dd_…`.
fn token(headers: &HeaderMap, uri: &Uri) -> Option<String> {
    let bearer = text(headers, &header::AUTHORIZATION).and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
    });
    if bearer.is_some() || !headers.contains_key(header::UPGRADE) {
        return bearer;
    }
    let protocols = text(headers, &header::SEC_WEBSOCKET_PROTOCOL).unwrap_or("");
    let mut protocols = protocols.split(',').map(str::trim);
    let offered = (protocols.next() == Some("bearer")).then(|| protocols.next().map(str::to_owned)).flatten();
    let query = uri.query().unwrap_or("").split('&').find_map(|pair| pair.strip_prefix("token="));
    offered.or_else(|| query.map(str::to_owned))
}

/// What a caller came in by. A connection that stays open asks again whether it still opens the door.
#[derive(Clone)]
pub(crate) struct Ticket {
    token: Option<Secret>,
    peer: String,
}

impl Ticket {
    /// True while the configuration still gives its holder what it gave when the door was opened.
    pub(crate) fn admits(&self, door: &Door, caller: &Caller) -> bool {
        let token = self.token.as_ref().map(Secret::expose);
        door.control().authenticate(token, &self.peer).is_ok_and(|now| now == *caller)
    }
}

/// Finds the caller and hands it on; a route that is open goes without.
pub(crate) async fn known_caller(
    State(door): State<Door>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    mut request: Request,
    next: Next,
) -> Result<Response, Failed> {
    let ip = peer.ip().to_canonical();
    let shown = token(request.headers(), request.uri());
    let caller = door.control().authenticate(shown.as_deref(), &ip.to_string());
    match caller {
        Ok(caller) => {
            let decision = request.extensions().get::<Decision>().cloned().unwrap_or_default();
            request.extensions_mut().insert::<Caller>(caller.deciding(decision));
            request.extensions_mut().insert(Ticket { token: shown.map(Secret::new), peer: ip.to_string() });
        }
        Err(failure) if shown.is_some() => return Err(wrong_token(&door, ip, failure).await),
        Err(_) if is_open(request.uri().path()) => {}
        Err(failure) => return Err(failure.into()),
    }
    Ok(next.run(request).await)
}

/// A token that is not ours: counted, recorded while it is news, slowed down when it is not.
async fn wrong_token(door: &Door, peer: IpAddr, failure: Failure) -> Failed {
    if door.limiter.allows(peer) {
        door.control().note_refusal(&peer.to_string(), &failure).await;
        return failure.into();
    }
    let error = "too many wrong tokens from this address";
    Failure::new(Code::Busy, error, "wait a minute, then use a token from auth.tokens").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (header::HeaderName::from_static(name), value.parse().unwrap())).collect()
    }

    #[test]
    fn only_names_of_this_machine_are_ours() {
        for ours in ["localhost:8080", "127.0.0.1", "[::1]:8080", "drydock.localhost", "LOCALHOST"] {
            assert!(host_is_ours(Some(ours), &[]), "{ours}");
        }
        for foreign in ["evil.example", "127.0.0.1.evil.example:8080", "192.168.0.1", "localhost.evil.example"] {
            assert!(!host_is_ours(Some(foreign), &[]), "{foreign}");
        }
        assert!(host_is_ours(Some("db-tool:8080"), &["DB-tool".to_owned()]));
    }

    #[test]
    fn a_page_of_another_site_is_found_out() {
        let ours = |pairs: &[(&'static str, &str)]| origin_is_ours(&headers(pairs), Some("localhost:8080"));
        assert!(ours(&[]) && ours(&[("origin", "http://localhost:8080")]));
        assert!(!ours(&[("origin", "http://evil.example")]) && !ours(&[("origin", "null")]));
        assert!(!ours(&[("origin", "http://localhost:9999")]), "another port is another site");
        assert!(!ours(&[("sec-fetch-site", "cross-site")]));
    }

    #[test]
    fn a_token_is_read_from_where_it_may_stand() {
        let uri: Uri = "/x?a=1&token=dd_q".parse().unwrap();
        assert_eq!(token(&headers(&[("authorization", "bearer dd_h")]), &uri).as_deref(), Some("dd_h"));
        assert_eq!(token(&headers(&[("authorization", "Basic abc")]), &uri), None);
        assert_eq!(token(&headers(&[]), &uri), None, "only a WebSocket may show it in the address");
        let socket = headers(&[("upgrade", "websocket")]);
        assert_eq!(token(&socket, &uri).as_deref(), Some("dd_q"));
        let offered = headers(&[("upgrade", "websocket"), ("sec-websocket-protocol", "bearer, dd_p")]);
        assert_eq!(token(&offered, &uri).as_deref(), Some("dd_p"));
    }

    #[test]
    fn open_routes_are_few() {
        assert!(is_open("/") && is_open("/api/v1/health") && is_open("/docs/index.html"));
        for guarded in ["/metrics", "/api/v1/recycle/jobs", "/api/v1/health/", "/api/v2/x", "/api"] {
            assert!(!is_open(guarded), "{guarded}");
        }
    }
}
