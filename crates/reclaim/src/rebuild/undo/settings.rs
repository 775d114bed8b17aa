//! `MariaDB`'s way: step `arm` has told the purge to truncate what is larger than a new tablespace; here that is waited for.

use super::{
    large,
    shrink::{Ended, wait},
};
use crate::rebuild::{Work, gate::failed};
use jobs::{StepContext, StepError};
use mysql::{Capabilities, Session};

/// Waits until each has been small once: on a busy server one may have grown again before the last is done.
pub(super) async fn shrink(
    work: &Work,
    ctx: &StepContext<'_>,
    session: &mut Session,
    server: &Capabilities,
    names: Vec<String>,
) -> Result<Ended, StepError> {
    let (all, mut pending) = (names.len().max(1) as f64, names);
    loop {
        let large = large(session, server, &pending).await.map_err(failed)?;
        pending = large.into_iter().map(|space| space.name).collect();
        let Some(first) = pending.first() else { return Ok(Ended::Done) };
        work.sink.fraction(1.0 - pending.len() as f64 / all).await;
        wait(work, ctx.cancel(), session, &format!("transactions still need undo tablespace {first}")).await?;
    }
}
