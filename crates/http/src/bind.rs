//! Whether the server may listen where it is told to: loopback is open, anything else needs tokens.

use std::net::SocketAddr;
use types::{Code, Failure};

/// Refuses an address that others can reach while nobody is asked for a token; 1001 with the way out.
pub fn check_bind(address: SocketAddr, tokens: usize, tls: bool) -> Result<(), Failure> {
    let ip = address.ip().to_canonical();
    if ip.is_loopback() || tokens > 0 {
        if !ip.is_loopback() && !tls {
            tracing::warn!(%address, "tokens and passwords cross the network in clear: give the server a certificate");
        }
        return Ok(());
    }
    let error =
        format!("listening on {address} would let anyone who reaches it rebuild tables: no token is configured");
    let next = "add a token under auth.tokens, or set server.host to 127.0.0.1";
    Err(Failure::new(Code::InvalidArgument, error, next).with("field", "server.host"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn only_loopback_is_open_without_tokens() {
        for open in ["127.0.0.1:8080", "127.9.9.9:1", "[::1]:8080", "[::ffff:127.0.0.1]:8080"] {
            assert_eq!(check_bind(at(open), 0, false), Ok(()), "{open}");
        }
        for shut in ["0.0.0.0:8080", "[::]:8080", "192.168.1.2:80", "[::ffff:10.0.0.1]:80"] {
            let refused = check_bind(at(shut), 0, true).unwrap_err();
            assert_eq!(refused.code, Code::InvalidArgument);
            assert!(refused.detail("next").contains("auth.tokens"), "{shut}");
            assert_eq!(check_bind(at(shut), 1, true), Ok(()), "{shut}");
        }
    }
}
