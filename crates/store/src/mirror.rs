//! `jobs.json`: all jobs as one file, beside the store (seed 002 chapter 4, `persistence.job_state`). Written, never
//! read: the store is what counts.

use jiff::Timestamp;
use jobs::{JobFilter, JobRow, Store, StoreError};
use runtime::Clock;
use serde_json::Value;
use std::{
    collections::hash_map::DefaultHasher,
    hash::{Hash, Hasher},
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::{
    fs::File,
    io::{AsyncWriteExt, BufWriter},
};
use tokio_util::sync::CancellationToken;
use types::JobId;

/// Jobs held in memory at once while writing.
const CHUNK: usize = 100;

/// Why the mirror was not written; the one written before stays as it was.
#[derive(Debug, thiserror::Error)]
pub enum MirrorError {
    /// The jobs could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The file could not be written.
    #[error("{path}: {error}")]
    File {
        /// Which.
        path: String,
        /// Why.
        error: io::Error,
    },
}

/// Writes one kind of jobs to a file, as a JSON array of their documents, oldest first.
pub struct Mirror {
    store: Arc<dyn Store>,
    kind: String,
    file: PathBuf,
    /// Of the jobs last written; unchanged jobs are not written again.
    written: Option<u64>,
}

impl Mirror {
    /// Nothing is written yet.
    pub fn new(store: Arc<dyn Store>, kind: &str, file: &Path) -> Mirror {
        Mirror { store, kind: kind.to_owned(), file: file.to_owned(), written: None }
    }

    /// Writes at once, every `interval` if anything changed, and a last time when `stop` is cancelled. Failures are
    /// logged and tried again.
    pub async fn run(mut self, interval: Duration, clock: Clock, stop: CancellationToken) {
        self.sweep().await;
        loop {
            let stopping = stop.is_cancelled();
            if let Err(error) = self.write().await {
                tracing::warn!(%error, "the job mirror was not written");
            }
            if stopping {
                return;
            }
            tokio::select! {
                () = clock.sleep(interval) => {}
                () = stop.cancelled() => {}
            }
        }
    }

    /// Writes if anything changed since this value last wrote; true if it did. Readers see the old file or the new one.
    pub async fn write(&mut self) -> Result<bool, MirrorError> {
        let all = JobFilter { limit: u32::MAX, ..JobFilter::default() };
        let mut rows = self.store.list(&all).await?.jobs;
        rows.retain(|row| row.kind == self.kind);
        rows.reverse();
        let seen = fingerprint(&rows);
        if self.written == Some(seen) {
            return Ok(false);
        }
        let temporary = self.temporary(std::process::id());
        let written = self.write_to(&temporary, &rows).await;
        if written.is_err() {
            // Best effort; what counts is the error below.
            let _ = tokio::fs::remove_file(&temporary).await;
        }
        written?;
        self.written = Some(seen);
        Ok(true)
    }

    async fn write_to(&self, temporary: &Path, rows: &[JobRow]) -> Result<(), MirrorError> {
        let directory = self.file.parent().filter(|path| !path.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let failed = |error| MirrorError::File { path: self.file.display().to_string(), error };
        tokio::fs::create_dir_all(directory).await.map_err(failed)?;
        let mut file = BufWriter::new(File::create(temporary).await.map_err(failed)?);
        let mut before = "[\n";
        for chunk in rows.chunks(CHUNK) {
            let ids: Vec<JobId> = chunk.iter().map(|row| row.id.clone()).collect();
            for mut job in self.store.get_many(&ids).await? {
                hide_passwords(&mut job.body);
                file.write_all(format!("{before}{}", job.body).as_bytes()).await.map_err(failed)?;
                before = ",\n";
            }
        }
        let end = if before == "[\n" { "[]\n" } else { "\n]\n" };
        file.write_all(end.as_bytes()).await.map_err(failed)?;
        file.flush().await.map_err(failed)?;
        file.get_ref().sync_all().await.map_err(failed)?;
        tokio::fs::rename(temporary, &self.file).await.map_err(failed)?;
        // The new name must last as well.
        File::open(directory).await.map_err(failed)?.sync_all().await.map_err(failed)
    }

    /// Beside the file, named after the process, so that two processes never write into each other's.
    fn temporary(&self, process: u32) -> PathBuf {
        self.file.with_file_name(format!("{}{process}.tmp", self.prefix()))
    }

    fn prefix(&self) -> String {
        format!(".{}.", self.file.file_name().unwrap_or_default().to_string_lossy())
    }

    /// Removes what processes that were killed while writing left behind.
    async fn sweep(&self) {
        let Some(Ok(entries)) = self.file.parent().map(std::fs::read_dir) else { return };
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let process = name.strip_prefix(&self.prefix()).and_then(|rest| rest.strip_suffix(".tmp"));
            let process = process.and_then(|process| process.parse::<u32>().ok());
            if process.is_some_and(|process| !Path::new(&format!("/proc/{process}")).exists()) {
                let _ = tokio::fs::remove_file(entry.path()).await;
            }
        }
    }
}

/// Changes whenever a job is made or saved.
fn fingerprint(rows: &[JobRow]) -> u64 {
    let mut hasher = DefaultHasher::new();
    for row in rows {
        let moment: Timestamp = row.updated_at;
        (&row.id.0, row.version, moment).hash(&mut hasher);
    }
    hasher.finish()
}

/// Bodies hold no secrets; should one ever slip in, it goes no further.
fn hide_passwords(value: &mut Value) {
    match value {
        Value::Object(object) => {
            object.remove("password");
            object.values_mut().for_each(hide_passwords);
        }
        Value::Array(values) => values.iter_mut().for_each(hide_passwords),
        _ => {}
    }
}
