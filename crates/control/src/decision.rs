//! The point from which a request cannot be given up any more: before it nothing was written, after it the outcome is
//! told, however long that takes. So nobody is ever left in doubt whether a job was made.

use std::sync::{
    Arc,
    atomic::{AtomicU8, Ordering},
};
use tokio_util::sync::CancellationToken;
use types::{Code, Failure};

const OPEN: u8 = 0;
const MADE: u8 = 1;
const DROPPED: u8 = 2;

/// One request's decision, shared by who waits for it and who carries it out.
///
/// ```text
/// open ──begin()──▶ made       whoever waits goes on waiting
///   └───give_up()─▶ dropped    the work ends, nothing was changed
/// ```
#[derive(Debug, Clone, Default)]
pub struct Decision(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    state: AtomicU8,
    dropped: CancellationToken,
}

impl Decision {
    /// The last thing before the first write; refused if whoever asked has given up. Again is no error.
    pub(crate) fn begin(&self) -> Result<(), Failure> {
        match self.leave_open(MADE) {
            DROPPED => Err(given_up()),
            _ => Ok(()),
        }
    }

    /// For whoever waits: true if nothing was and nothing will be written, false if the answer must be waited for.
    pub fn give_up(&self) -> bool {
        let given_up = self.leave_open(DROPPED) != MADE;
        if given_up {
            self.0.dropped.cancel();
        }
        given_up
    }

    /// Waits until it is given up.
    pub(crate) async fn given_up(&self) -> Failure {
        self.0.dropped.cancelled().await;
        given_up()
    }

    /// The state it is in, after going to `next` if it was open.
    fn leave_open(&self, next: u8) -> u8 {
        let left = self.0.state.compare_exchange(OPEN, next, Ordering::AcqRel, Ordering::Acquire);
        left.map_or_else(|state| state, |_| next)
    }
}

fn given_up() -> Failure {
    let error = "whoever asked went away or the time was up before anything was written; nothing was changed";
    Failure::new(Code::TimedOut, error, "ask again")
}

/// Gives up when it is dropped before [`Waiting::answered`]: the connection that waited is gone.
pub(crate) struct Waiting(Option<Decision>);

impl Waiting {
    pub(crate) fn new(decision: &Decision) -> Self {
        Self(Some(decision.clone()))
    }

    /// The answer is there; there is nothing left to give up.
    pub(crate) fn answered(mut self) {
        self.0 = None;
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if let Some(decision) = &self.0 {
            decision.give_up();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn once_begun_it_cannot_be_given_up() {
        let decision = Decision::default();
        assert_eq!((decision.begin(), decision.give_up(), decision.begin()), (Ok(()), false, Ok(())));
    }

    #[test]
    fn once_given_up_it_cannot_begin() {
        let decision = Decision::default();
        assert!(decision.give_up() && decision.give_up());
        assert_eq!(decision.begin().map_err(|failure| failure.code), Err(Code::TimedOut));
    }

    #[test]
    fn who_goes_away_gives_up_and_who_was_answered_does_not() {
        let (gone, answered) = (Decision::default(), Decision::default());
        drop(Waiting::new(&gone));
        Waiting::new(&answered).answered();
        assert_eq!((gone.begin().is_err(), answered.begin().is_ok()), (true, true));
    }
}
