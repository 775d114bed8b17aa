//! Where a part of a store is reached, and where it listens: three ways to say it, one of which wins.

/// What the file says about one of the three doors of a log store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reach {
    /// `…-address`: what others are told.
    pub address: String,
    /// `…-listen-address`: what is bound; empty means the address.
    pub listen: String,
    /// `…-port`: with `service-host` it supersedes both; 0 means unset.
    pub port: u16,
    /// What counts if nothing is said.
    pub(crate) usual: &'static str,
    /// Whether the file says any of it.
    pub(crate) said: bool,
}

impl Reach {
    /// What other stores and clients are told.
    pub fn advertised(&self, host: &str) -> String {
        match (self.port, self.address.is_empty()) {
            (0, true) => self.usual.to_owned(),
            (0, false) => self.address.clone(),
            (port, _) => types::Address::new(host, port).to_string(),
        }
    }

    /// What is bound. Loopback where nobody asked for more: the original would bind every interface.
    pub fn listening(&self, host: &str) -> String {
        match (self.port, self.said) {
            (0, false) => self.usual.replace("0.0.0.0", "127.0.0.1"),
            (0, true) if !self.listen.is_empty() => self.listen.clone(),
            (0, true) => self.advertised(host),
            (port, _) => bound(host, port),
        }
    }
}

/// A port that others are told under a host of this name: every interface, unless only this host could call.
pub(crate) fn bound(host: &str, port: u16) -> String {
    let all = if is_local(host) && !is_wildcard(host) { "127.0.0.1" } else { "0.0.0.0" };
    format!("{all}:{port}")
}

/// Host and port of `host:port`, `[v6]:port`; nothing else is an address.
pub(crate) fn split(address: &str) -> Option<(&str, u16)> {
    let (host, port) = address.trim().rsplit_once(':')?;
    let host = match host.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']')?,
        None if host.contains(':') => return None,
        None => host,
    };
    let plain = !host.is_empty() && !host.contains(|c: char| c.is_whitespace() || c == '/');
    plain.then_some(())?;
    Some((host, port.parse().ok()?))
}

/// `0.0.0.0` and `::`: good to bind, no place to be reached at.
pub(crate) fn is_wildcard(host: &str) -> bool {
    matches!(host, "0.0.0.0" | "::")
}

/// Only this host reaches it, under whichever name.
pub(crate) fn is_local(host: &str) -> bool {
    is_wildcard(host)
        || host.eq_ignore_ascii_case("localhost")
        || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Whether a call to `to` arrives at what is told as `at`: all local names of one port are one place.
pub(crate) fn meets(to: &str, at: &str) -> bool {
    match (split(to), split(at)) {
        (Some((a, p)), Some((b, q))) => p == q && (a.eq_ignore_ascii_case(b) || (is_local(a) && is_local(b))),
        _ => false,
    }
}

/// Whether two binds take the same port from each other.
pub(crate) fn clashes(one: &str, other: &str) -> bool {
    match (split(one), split(other)) {
        (Some((a, p)), Some((b, q))) => p == q && p != 0 && (is_wildcard(a) || is_wildcard(b) || meets(one, other)),
        _ => false,
    }
}
