//! Questions on the terminal. However one ends, also by a signal, the terminal is left as it was.

use inquire::InquireError;
use nix::sys::termios::{SetArg, Termios, tcgetattr, tcsetattr};
use std::io::stdin;

/// The terminal's settings as they were; put back when dropped, since a question that is cut off cannot do so itself.
struct Kept(Option<Termios>);

impl Kept {
    fn now() -> Self {
        Self(tcgetattr(stdin()).ok())
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        if let Some(settings) = &self.0 {
            // A terminal that is gone has nothing to put back.
            let _ = tcsetattr(stdin(), SetArg::TCSANOW, settings);
        }
    }
}

/// Asks on a thread of its own; `None` if the person left the question (Esc, Ctrl-C, Ctrl-D, a terminal that is gone).
pub async fn ask<T: Send + 'static>(question: impl FnOnce() -> Result<T, InquireError> + Send + 'static) -> Option<T> {
    let _kept = Kept::now();
    tokio::task::spawn_blocking(question).await.ok()?.ok()
}
