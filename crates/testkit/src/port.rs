//! Free loopback ports.

use std::net::TcpListener;

/// A port nobody listens on now. Another may take it first, so starters retry.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    listener.local_addr().expect("a bound socket has an address").port()
}
