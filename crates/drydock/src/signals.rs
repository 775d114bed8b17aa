//! Ctrl-C and SIGTERM, from the moment a command that may be in the middle of something begins.

use tokio::signal::unix::{Signal, SignalKind, signal};
use types::{Code, Failure};

/// Interrupts as they come.
pub struct Interrupts {
    interrupt: Signal,
    terminate: Signal,
}

impl Interrupts {
    /// From here on neither signal ends the program by itself.
    pub fn listen() -> Result<Self, Failure> {
        Ok(Self { interrupt: listen(SignalKind::interrupt())?, terminate: listen(SignalKind::terminate())? })
    }

    /// Waits for the next one.
    pub async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// SIGHUP: read the configuration again.
pub fn hangup() -> Result<Signal, Failure> {
    listen(SignalKind::hangup())
}

fn listen(kind: SignalKind) -> Result<Signal, Failure> {
    let next = "run this where signals can be handled";
    signal(kind).map_err(|error| Failure::new(Code::Busy, format!("signals cannot be caught: {error}"), next))
}
