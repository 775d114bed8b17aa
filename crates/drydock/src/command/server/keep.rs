//! What the server does by the clock beside its jobs: `jobs.json` beside the store, and old log files.

use crate::{app::App, log::sweep};
use jobs::Store;
use runtime::Instant;
use std::{sync::Arc, time::Duration};

/// How often old log files are looked for.
const SWEEP: Duration = Duration::from_hours(1);

/// The store, and when the last sweep was.
pub struct Keep {
    store: Arc<dyn Store>,
    swept: Option<Instant>,
}

impl Keep {
    /// Nothing was done yet.
    pub fn new(_app: &App, store: Arc<dyn Store>) -> Self {
        Self { store, swept: None }
    }

    /// Waits until there is something to do.
    pub async fn due(&self, app: &App) {
        app.clock.sleep(app.config.values.persistence.job_state.interval.0).await;
    }

    /// Does it.
    #[allow(clippy::unused_async, reason = "the copy of the jobs follows with the store")]
    pub async fn now(&mut self, app: &App) {
        let _ = &self.store;
        if self.swept.is_none_or(|last| app.clock.since(last) >= SWEEP) {
            self.swept = Some(app.clock.instant());
            for path in sweep(&app.config.values.logging, app.clock.now()) {
                tracing::info!(path = %path.display(), "removed an old log file");
            }
        }
    }
}
