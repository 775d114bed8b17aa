//! The doors by HTTP: REST, WebSocket, metrics, the page. No rules live here, only the way in and out.

mod bind;
mod server;
mod settings;

pub use bind::check_bind;
pub use server::{ServerHandle, serve};
pub use settings::{HttpSettings, TlsFiles};
