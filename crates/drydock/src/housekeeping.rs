//! What goes on by the clock where jobs run: `jobs.json` beside the store, and old log files.

use crate::{app::App, config::Logging, log::sweep};
use jobs::Store;
use runtime::Clock;
use std::{sync::Arc, time::Duration};
use store::Mirror;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// How often old log files are looked for.
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
        let sweep = tokio::spawn(sweeping(app.config.values.logging.clone(), app.clock));
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

async fn sweeping(logging: Logging, clock: Clock) {
    loop {
        for path in sweep(&logging, clock.now()) {
            tracing::info!(path = %path.display(), "removed an old log file");
        }
        clock.sleep(SWEEP).await;
    }
}
