//! What goes on by the clock where jobs run: `jobs.json` beside the store, old jobs, and old log files.

use crate::{app::App, config::Logging, log::sweep};
use jiff::SignedDuration;
use jobs::Store;
use runtime::Clock;
use std::{sync::Arc, time::Duration};
use store::Mirror;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// How often old jobs and log files are looked for.
const SWEEP: Duration = Duration::from_hours(1);
/// The jobs `jobs.json` shows (seed 002 §5.1).
const KIND: &str = "recycle";

/// The tasks; [`Housekeeping::end`] writes the jobs a last time.
pub struct Housekeeping {
    stop: CancellationToken,
    mirror: Option<JoinHandle<()>>,
    sweep: JoinHandle<()>,
}

impl Housekeeping {
    /// Starts as the configuration says.
    pub fn start(app: &App, store: &Arc<dyn Store>) -> Self {
        let stop = CancellationToken::new();
        let interval = app.config.values.persistence.job_state.interval.0;
        let mirror = app.config.jobs_file().map(|file| {
            let mirror = Mirror::new(Arc::clone(store), KIND, &file);
            tokio::spawn(mirror.run(interval, app.clock, stop.clone()))
        });
        let attic = Attic {
            logging: app.config.values.logging.clone(),
            retention: app.config.values.persistence.store.retention.0,
            store: Arc::clone(store),
            clock: app.clock,
        };
        let sweep = tokio::spawn(attic.sweeping());
        Self { stop, mirror, sweep }
    }

    /// Ends them.
    pub async fn end(self) {
        self.stop.cancel();
        self.sweep.abort();
        if let Some(mirror) = self.mirror {
            let _ = mirror.await;
        }
    }
}

/// What grows old, and when it goes.
struct Attic {
    logging: Logging,
    retention: Duration,
    store: Arc<dyn Store>,
    clock: Clock,
}

impl Attic {
    async fn sweeping(self) {
        loop {
            for path in sweep(&self.logging, self.clock.now()) {
                tracing::info!(path = %path.display(), "removed an old log file");
            }
            self.forget_jobs().await;
            self.clock.sleep(SWEEP).await;
        }
    }

    async fn forget_jobs(&self) {
        let span = SignedDuration::try_from(self.retention).unwrap_or(SignedDuration::MAX);
        let Ok(oldest) = self.clock.now().checked_sub(span) else { return };
        if self.retention.is_zero() {
            return;
        }
        match self.store.forget_jobs_before(oldest).await {
            Ok(0) => {}
            Ok(count) => tracing::info!(count, "removed old jobs; persistence.store.retention says how long they stay"),
            Err(error) => tracing::warn!(%error, "old jobs could not be removed; tried again in an hour"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::JobStatus;
    use jobs::{JobRecord, JobStore, MemoryStore, NewJob};

    #[tokio::test]
    async fn jobs_are_kept_as_long_as_the_settings_say() {
        let clock = Clock::real();
        let store = Arc::new(MemoryStore::new());
        for hours in [1, 3] {
            let created_at = clock.now().checked_sub(SignedDuration::from_hours(hours)).unwrap();
            let new = NewJob { kind: KIND.to_owned(), body: serde_json::json!({}), created_at };
            let job = JobStore::create(store.as_ref(), new).await.unwrap();
            store.save(&JobRecord { status: JobStatus::Completed, ..job }, None).await.unwrap();
        }
        for (hours, left) in [(0, 2), (4, 2), (2, 1)] {
            let retention = Duration::from_hours(hours);
            let attic = Attic { logging: Logging::default(), retention, store: store.clone(), clock };
            attic.forget_jobs().await;
            assert_eq!(store.list(&jobs::JobFilter::default()).await.unwrap().total, left, "{hours}");
        }
    }
}
