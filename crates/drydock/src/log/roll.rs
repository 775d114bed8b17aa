//! The log file as several processes write it at once: each line whole, a full file put away by whoever fills it.
//!
//! Who writes holds the file's lock and has made sure that the name still leads to that file. So a file that was renamed is
//! written by nobody any more, and may be compressed and removed.

use super::shelf::Shelf;
use crate::config::Logging;
use std::{
    fs::{File, OpenOptions},
    io::{self, ErrorKind, Write},
    os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt},
    path::Path,
    sync::mpsc::{Sender, channel},
    thread::JoinHandle,
};

/// Bytes of what the settings call a MB.
const MB: u64 = 1 << 20;

/// Appends to the log and puts it away when it is full.
pub(super) struct Roller {
    shelf: Shelf,
    file: File,
    limit: u64,
    clerk: Option<Clerk>,
}

/// The thread that compresses, so that no line waits for it. It is told of each file put away, and ends with the roller.
struct Clerk {
    told: Sender<()>,
    thread: JoinHandle<()>,
}

impl Roller {
    /// Opens the log, and takes care of what an earlier process put away and did not compress.
    pub(super) fn open(logging: &Logging) -> io::Result<Roller> {
        let shelf = Shelf::of(logging)?;
        std::fs::create_dir_all(shelf.folder())?;
        let file = open(shelf.log())?;
        let clerk = clerk(&shelf)?;
        let _ = clerk.told.send(());
        Ok(Roller { shelf, file, limit: logging.max_size.saturating_mul(MB), clerk: Some(clerk) })
    }

    fn append(&mut self, line: &[u8]) -> io::Result<()> {
        hold(&mut self.file, self.shelf.log())?;
        let held = self.file.metadata()?.len();
        if held > 0 && held.saturating_add(line.len() as u64) > self.limit {
            self.turn();
        }
        if is_torn(&self.file) {
            self.file.write_all(b"\n")?;
        }
        self.file.write_all(line)
    }

    /// Puts the file away and takes a new one. Where that cannot be done the old one goes on: a long log is better than none.
    fn turn(&mut self) {
        if self.shelf.put_away().is_err() {
            return;
        }
        let next = open(self.shelf.log()).and_then(|mut next| hold(&mut next, self.shelf.log()).map(|()| next));
        if let Ok(next) = next {
            self.file = next;
        }
        if let Some(clerk) = &self.clerk {
            let _ = clerk.told.send(());
        }
    }
}

impl Write for Roller {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let written = self.append(line);
        let _ = self.file.unlock();
        written.map(|()| line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for Roller {
    fn drop(&mut self) {
        if let Some(Clerk { told, thread }) = self.clerk.take() {
            drop(told);
            let _ = thread.join();
        }
    }
}

fn clerk(shelf: &Shelf) -> io::Result<Clerk> {
    let (told, tellings) = channel();
    let shelf = shelf.clone();
    let work = move || {
        while tellings.recv().is_ok() {
            if let Err(error) = shelf.file_away() {
                tracing::warn!(%error, "a rotated log could not be filed; it stays as it is until the next rotation");
            }
        }
    };
    Ok(Clerk { told, thread: std::thread::Builder::new().name("log files".to_owned()).spawn(work)? })
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).read(true).mode(0o640).open(path)
}

/// Locks the file that the name leads to now; another process may have put away the one that is open.
fn hold(file: &mut File, path: &Path) -> io::Result<()> {
    loop {
        lock(file)?;
        if is_at(file, path)? {
            return Ok(());
        }
        *file = open(path)?;
    }
}

/// Opens and locks a file under its name.
pub(super) fn held(path: &Path) -> io::Result<File> {
    let mut file = open(path)?;
    hold(&mut file, path)?;
    Ok(file)
}

/// Whether a process that was killed in the middle of its line left it without an end: the kernel breaks a write off between
/// two pages. The next line must not be taken for its rest.
fn is_torn(file: &File) -> bool {
    let mut last = [b'\n'];
    let end = file.metadata().map_or(0, |data| data.len());
    // What cannot be read must not cost the line that is to be written.
    end > 0 && file.read_exact_at(&mut last, end - 1).is_ok() && last != [b'\n']
}

/// A file system without locks must not cost the log: there one process at a time is all that can be had.
fn lock(file: &File) -> io::Result<()> {
    loop {
        match file.lock() {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::Unsupported => return Ok(()),
            other => return other,
        }
    }
}

/// Whether the name leads to this file.
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let here = file.metadata()?;
    match std::fs::metadata(path) {
        Ok(there) => Ok((here.dev(), here.ino()) == (there.dev(), there.ino())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests;
