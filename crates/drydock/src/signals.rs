//! Ctrl-C and SIGTERM, from the moment a command that may be in the middle of something begins.

use std::process::ExitCode;
use tokio::signal::unix::{Signal, SignalKind, signal};
use types::{Code, Failure};

/// Exit code of a command ended by a signal or a question nobody answered.
pub const INTERRUPTED: u8 = 130;

/// Interrupts as they come.
pub struct Interrupts {
    interrupt: Signal,
    terminate: Signal,
    hangup: Option<Signal>,
}

impl Interrupts {
    /// From here on neither signal ends the program by itself.
    pub fn listen() -> Result<Self, Failure> {
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            hangup: None,
        })
    }

    /// The same, and a terminal that goes away (a lost ssh connection) counts as an interrupt too.
    pub fn listen_at_terminal() -> Result<Self, Failure> {
        Ok(Self { hangup: Some(hangup()?), ..Self::listen()? })
    }

    /// Waits for the next one.
    pub async fn next(&mut self) {
        let gone = async {
            match &mut self.hangup {
                Some(hangup) => hangup.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = gone => {}
        }
    }
}

/// A command that only reads: an interrupt ends it where it is, but not before the terminal is as it was.
pub async fn unless_interrupted(command: impl Future<Output = Result<ExitCode, Failure>>) -> Result<ExitCode, Failure> {
    let mut interrupts = Interrupts::listen_at_terminal()?;
    tokio::select! {
        outcome = command => outcome,
        () = interrupts.next() => Ok(ExitCode::from(INTERRUPTED)),
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
