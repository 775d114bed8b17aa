//! What every command has at hand: configuration, clock, log, and a way to open the hall.

use crate::{
    args::Cli,
    config::{Config, Flags, load, process},
    log::{self, Log, Screen},
};
use control::{Caller, Control, Role, Settings};
use jobs::{MemoryStore, Store};
use runtime::{Clock, Random};
use std::{path::PathBuf, sync::Arc};
use types::Failure;

/// The program, set up.
pub struct App {
    /// Name it was called by.
    pub program: &'static str,
    /// Flags, for reading the configuration again.
    pub flags: Flags,
    /// `--dry-run`.
    pub dry_run: bool,
    /// `--parallel`, if it was given.
    pub parallel: Option<u32>,
    /// As it counted at the start.
    pub config: Config,
    /// Real time.
    pub clock: Clock,
    /// Real randomness.
    pub random: Random,
    /// Ends, and is written out, with the program.
    pub log: Log,
}

/// What a command needs of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// Jobs and samples: jobs run here.
    Everything,
    /// Jobs, which others run. A store that nobody has made yet is empty and is not made now.
    Jobs,
    /// Nothing is done that must be kept; where the store cannot be used the command goes on without.
    Nothing,
}

impl App {
    /// Reads the configuration and starts the log.
    pub fn new(program: &'static str, cli: &Cli, screen: Screen) -> Result<Self, Failure> {
        let flags = cli.flags();
        let config = load(&flags, &process)?;
        let log = log::start(&config.values.logging, screen);
        let (dry_run, parallel) = (cli.globals.dry_run, cli.globals.parallel);
        Ok(Self { program, flags, dry_run, parallel, config, clock: Clock::real(), random: Random::real(), log })
    }

    /// What the hall is told.
    pub fn settings(&self) -> Result<Settings, Failure> {
        Ok(self.config.settings(&process)?)
    }

    /// The person at the terminal; whoever may read the configuration and the store may do everything.
    pub fn caller() -> Caller {
        let uid = nix::unistd::Uid::current();
        let user = nix::unistd::User::from_uid(uid).ok().flatten().map_or_else(|| uid.to_string(), |user| user.name);
        Caller::new(format!("cli:{user}"), Role::Admin)
    }

    /// The hall over the configured store.
    pub async fn control(&self, keep: Keep) -> Result<Control, Failure> {
        self.control_over(self.store(keep).await?).await
    }

    /// The hall over a store.
    pub async fn control_over(&self, store: Arc<dyn Store>) -> Result<Control, Failure> {
        Control::open(self.settings()?, store, self.clock, self.random.clone()).await
    }

    /// The configured store, as far as the command needs it.
    pub async fn store(&self, keep: Keep) -> Result<Arc<dyn Store>, Failure> {
        let url = self.config.store_url(&process)?;
        if keep != Keep::Everything && file_of(url.expose()).is_some_and(|file| !file.exists()) {
            return Ok(Arc::new(MemoryStore::default()));
        }
        let samples = self.config.samples_file().filter(|_| keep == Keep::Everything);
        match store::open(url.expose(), samples.as_deref()).await {
            Ok(store) => Ok(store),
            Err(error) if keep == Keep::Nothing => {
                tracing::warn!(%error, "going on without the job store");
                Ok(Arc::new(MemoryStore::default()))
            }
            Err(error) => Err(Failure::from(error).with("field", "persistence.store.url")),
        }
    }
}

/// The file of a SQLite store.
fn file_of(place: &str) -> Option<PathBuf> {
    let path = place.strip_prefix("sqlite:").map(|path| path.strip_prefix("//").unwrap_or(path));
    match path {
        Some(path) => Some(PathBuf::from(path.split('?').next().unwrap_or(path))),
        None if place.contains("://") => None,
        None => Some(PathBuf::from(place)),
    }
}
