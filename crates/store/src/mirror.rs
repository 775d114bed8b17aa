//! `jobs.json`: all jobs as one file, beside the store (seed 002 chapter 4, `persistence.job_state`). Written, never
//! read: the store is what counts.

use jobs::{JobFilter, JobRow, JobText, Store, StoreError};
use runtime::Clock;
use serde_json::Value;
use std::{
    collections::HashMap,
    io::{self, SeekFrom},
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::{
    fs::{File, OpenOptions},
    io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt, BufReader, BufWriter},
};
use tokio_util::sync::CancellationToken;
use types::JobId;

/// Jobs held in memory at once while writing.
const CHUNK: usize = 100;
/// Bytes gathered before each write.
const BUFFER: usize = 1 << 20;

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
    /// What was written last; a job that was not saved since is copied from there, not read from the store.
    last: Option<Written>,
}

/// A file this process wrote, kept open: another process may have put its own in its place.
struct Written {
    file: File,
    places: HashMap<JobId, Place>,
}

/// Where a job's document lies in it.
#[derive(Clone, Copy)]
struct Place {
    version: u64,
    start: u64,
    length: u64,
}

impl Mirror {
    /// Nothing is written yet.
    pub fn new(store: Arc<dyn Store>, kind: &str, file: &Path) -> Mirror {
        Mirror { store, kind: kind.to_owned(), file: file.to_owned(), last: None }
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
        if self.last.as_ref().is_some_and(|last| last.is_current(&rows)) {
            return Ok(false);
        }
        let temporary = self.temporary(std::process::id());
        let written = self.write_to(&temporary, &rows).await;
        if written.is_err() {
            // Best effort; what counts is the error below.
            let _ = tokio::fs::remove_file(&temporary).await;
        }
        self.last = Some(written?);
        Ok(true)
    }

    async fn write_to(&mut self, temporary: &Path, rows: &[JobRow]) -> Result<Written, MirrorError> {
        let directory = self.file.parent().filter(|path| !path.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let shown = self.file.display().to_string();
        let failed = |error| MirrorError::File { path: shown.clone(), error };
        tokio::fs::create_dir_all(directory).await.map_err(failed)?;
        // Lost if this fails, and then everything is read from the store again.
        let mut pen = Pen::begin(temporary, self.last.take()).await.map_err(failed)?;
        for chunk in rows.chunks(CHUNK) {
            let changed = chunk.iter().filter(|row| pen.kept(row).is_none()).map(|row| row.id.clone());
            let read = self.store.texts(&changed.collect::<Vec<_>>()).await?;
            let mut read: HashMap<JobId, JobText> = read.into_iter().map(|job| (job.id.clone(), job)).collect();
            for row in chunk {
                match (pen.kept(row), read.remove(&row.id)) {
                    (Some(place), _) => pen.copy(row, place).await.map_err(failed)?,
                    (None, Some(job)) => pen.write(job).await.map_err(failed)?,
                    // Removed since the list was read.
                    (None, None) => {}
                }
            }
        }
        let written = pen.end().await.map_err(failed)?;
        tokio::fs::rename(temporary, &self.file).await.map_err(failed)?;
        // The new name must last as well.
        File::open(directory).await.map_err(failed)?.sync_all().await.map_err(failed)?;
        Ok(written)
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

impl Written {
    /// Whether it holds exactly these jobs in these versions.
    fn is_current(&self, rows: &[JobRow]) -> bool {
        let same = |row: &JobRow| self.places.get(&row.id).is_some_and(|place| place.version == row.version);
        rows.len() == self.places.len() && rows.iter().all(same)
    }
}

/// Writes the array and remembers where each document lies. Documents that lie side by side in the last file are copied
/// in one go, with what separates them.
struct Pen {
    file: BufWriter<File>,
    last: Option<Written>,
    /// Bytes of the last file that come next, not copied yet.
    run: Range<u64>,
    /// Length of the new file, the run included.
    at: u64,
    places: HashMap<JobId, Place>,
}

const SEPARATOR: &[u8] = b",\n";

impl Pen {
    async fn begin(path: &Path, last: Option<Written>) -> io::Result<Pen> {
        let file = OpenOptions::new().create(true).truncate(true).read(true).write(true).open(path).await?;
        let file = BufWriter::with_capacity(BUFFER, file);
        let mut pen = Pen { file, last, run: 0..0, at: 0, places: HashMap::new() };
        pen.put(b"[\n").await?;
        Ok(pen)
    }

    /// Where an unchanged job lies in the last file.
    fn kept(&self, row: &JobRow) -> Option<Place> {
        let place = self.last.as_ref()?.places.get(&row.id)?;
        (place.version == row.version).then_some(*place)
    }

    /// Everything but copies goes through here, after the run that comes before it.
    async fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        let run = std::mem::take(&mut self.run);
        if let (Some(last), false) = (&mut self.last, run.is_empty()) {
            let length = run.end - run.start;
            last.file.seek(SeekFrom::Start(run.start)).await?;
            let mut source = BufReader::with_capacity(BUFFER, &mut last.file).take(length);
            if tokio::io::copy_buf(&mut source, &mut self.file).await? != length {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        self.at += bytes.len() as u64;
        self.file.write_all(bytes).await
    }

    async fn separate(&mut self) -> io::Result<()> {
        if self.places.is_empty() { Ok(()) } else { self.put(SEPARATOR).await }
    }

    async fn write(&mut self, job: JobText) -> io::Result<()> {
        self.separate().await?;
        let text = without_passwords(job.body);
        self.places.insert(job.id, Place { version: job.version, start: self.at, length: text.len() as u64 });
        self.put(text.as_bytes()).await
    }

    async fn copy(&mut self, row: &JobRow, place: Place) -> io::Result<()> {
        if !self.run.is_empty() && self.run.end + SEPARATOR.len() as u64 == place.start {
            self.at += SEPARATOR.len() as u64;
        } else {
            self.separate().await?;
            self.run.start = place.start;
        }
        self.run.end = place.start + place.length;
        self.places.insert(row.id.clone(), Place { start: self.at, ..place });
        self.at += place.length;
        Ok(())
    }

    async fn end(mut self) -> io::Result<Written> {
        self.put(if self.places.is_empty() { b"]\n" } else { b"\n]\n" }).await?;
        self.file.flush().await?;
        let file = self.file.into_inner();
        file.sync_all().await?;
        Ok(Written { file, places: self.places })
    }
}

/// Bodies hold no secrets; should one ever slip in, it goes no further. A text without the word is not read at all: reading
/// and writing it again is most of the work. With a backslash in it the word may be spelt otherwise.
fn without_passwords(text: String) -> String {
    if !text.contains("\"password\"") && !text.contains("\\u") {
        return text;
    }
    let Ok(mut body) = serde_json::from_str::<Value>(&text) else { return "null".to_owned() };
    hide_passwords(&mut body);
    body.to_string()
}

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
