//! The doors by HTTP: REST, WebSocket, metrics, the page. No rules live here, only the way in and out.

mod accept;
mod answer;
mod bind;
mod body;
mod door;
mod guard;
mod limiter;
mod page;
mod prometheus;
mod rest;
mod router;
mod server;
mod settings;
mod ws;

pub use bind::check_bind;
pub use rest::openapi_json;
pub use server::{ServerHandle, serve};
pub use settings::{HttpSettings, TlsFiles};
