//! Reading the configuration again while the server runs: on SIGHUP, and when the file has changed.

use crate::{
    app::App,
    config::{Config, load, process},
};
use control::Control;
use std::{
    path::PathBuf,
    time::{Duration, SystemTime},
};
use types::Failure;

/// How often the file is looked at.
const LOOK: Duration = Duration::from_secs(2);

type Stamp = Option<(SystemTime, u64)>;

/// What the server began with, and the file it came from.
pub struct Reload {
    began: Config,
    path: PathBuf,
    stamp: Stamp,
}

fn stamp(path: &PathBuf) -> Stamp {
    let data = std::fs::metadata(path).ok()?;
    Some((data.modified().ok()?, data.len()))
}

impl Reload {
    /// From the configuration the server began with.
    pub fn new(app: &App) -> Self {
        let path = app.config.path.clone().unwrap_or_else(|| PathBuf::from(crate::config::DEFAULT_FILE));
        Self { began: app.config.clone(), stamp: stamp(&path), path }
    }

    /// Waits until the file has changed; a file that is gone counts as unchanged, since editors replace files.
    pub async fn changed(&mut self, app: &App) {
        loop {
            app.clock.sleep(LOOK).await;
            let now = stamp(&self.path);
            if now.is_some() && now != self.stamp {
                self.stamp = now;
                return;
            }
        }
    }

    /// Takes what can be taken; a configuration with a fault changes nothing.
    pub async fn now(&mut self, app: &App, control: &Control) {
        self.stamp = stamp(&self.path);
        match self.take(app, control).await {
            Ok(restart) if restart.is_empty() => tracing::info!("the configuration was read again"),
            Ok(restart) => {
                tracing::warn!(
                    keys = restart.join(", "),
                    "the configuration was read again; these keys need a restart"
                );
            }
            Err(failure) => tracing::error!(error = failure.detail("error"), "the old configuration stays"),
        }
    }

    async fn take(&mut self, app: &App, control: &Control) -> Result<Vec<String>, Failure> {
        let config = load(&app.flags, &process)?;
        let settings = config.settings(&process)?;
        let mut restart = control.reload(&App::caller(), settings).await?;
        app.log.set_level(&config.values.logging.level);
        // Against the beginning and not against the last reading: what waits for a restart goes on waiting.
        restart.extend(needs_restart(&self.began, &config));
        Ok(restart)
    }
}

/// Keys of the roof itself that are read once, at the start.
fn needs_restart(old: &Config, new: &Config) -> Vec<String> {
    let (old, new) = (&old.values, &new.values);
    let mut log = new.logging.clone();
    log.level.clone_from(&old.logging.level);
    let changed = [
        ("server", old.server != new.server),
        ("logging", old.logging != log),
        ("persistence", old.persistence != new.persistence),
    ];
    changed.into_iter().filter(|(_, changed)| *changed).map(|(key, _)| key.to_owned()).collect()
}
