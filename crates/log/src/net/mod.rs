//! How stores and clients talk: frames over TCP, with or without TLS, after both sides said who they are.

mod frame;
mod hello;
mod protocol;
mod tls;

pub use crate::remote::dial;
pub use frame::{Inlet, Outlet, split};
pub use hello::{Hello, Purpose, Refusal, greet, receive};
pub use protocol::{Reply, Request, read, write};
pub use tls::{Tls, TlsError, TlsFiles};

use tokio::io::{AsyncRead, AsyncWrite};

/// A connection, of TCP or of TLS over it.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// A connection of either kind.
pub type AnyStream = Box<dyn Stream>;
