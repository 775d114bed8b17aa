//! A disk in memory that loses what a real one may lose: what was not synced, sector by sector; names; its last byte of room.
#![allow(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a test bed stops loudly where it stands")]

use crate::{Disk, DiskFile};
use runtime::Random;
use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard},
};

/// What a disk writes as a whole.
const SECTOR: usize = 512;

/// The disk. Clones are the same disk.
#[derive(Clone, Default)]
pub struct BrittleDisk(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    /// Names as they are now, and as they would be after a crash.
    names: BTreeMap<PathBuf, usize>,
    kept_names: BTreeMap<PathBuf, usize>,
    contents: Vec<Content>,
    /// Bytes all files together may have; 0 is no limit.
    room: u64,
    /// Operations until one fails; `None` is never.
    fails_in: Option<u64>,
    /// Each crash makes the handles of before useless.
    life: u64,
}

/// A file's bytes now, and on disk.
#[derive(Default, Clone)]
struct Content {
    now: Vec<u8>,
    kept: Vec<u8>,
    /// Sectors written since the last sync.
    loose: std::collections::BTreeSet<usize>,
}

struct Handle {
    disk: BrittleDisk,
    content: usize,
    life: u64,
}

impl BrittleDisk {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap()
    }

    /// The power goes: of what was not synced each sector is kept or lost by chance, and so is each name.
    pub fn crash(&self, random: &Random) {
        let inner = &mut *self.inner();
        inner.life += 1;
        for content in &mut inner.contents {
            content.lose(random);
        }
        let changed: Vec<PathBuf> = inner.names.keys().chain(inner.kept_names.keys()).cloned().collect();
        for name in changed.into_iter().filter(|_| random.below(2) == 0) {
            match inner.names.get(&name) {
                Some(content) => inner.kept_names.insert(name, *content),
                None => inner.kept_names.remove(&name),
            };
        }
        inner.names = inner.kept_names.clone();
    }

    /// The operation after so many others fails, and all after it.
    pub fn fail_in(&self, operations: u64) {
        self.inner().fails_in = Some(operations);
    }

    /// Nothing fails any more.
    pub fn heal(&self) {
        let mut inner = self.inner();
        (inner.fails_in, inner.room) = (None, 0);
    }

    /// All files together may have so many bytes.
    pub fn limit(&self, bytes: u64) {
        self.inner().room = bytes;
    }

    /// All files together may have so many bytes more than they have.
    pub fn fill(&self, more: u64) {
        let mut inner = self.inner();
        inner.room = inner.used() + more;
    }

    /// Flips a bit of a file, on disk and off.
    pub fn flip(&self, path: &Path, bit: usize) {
        let inner = &mut *self.inner();
        let content = &mut inner.contents[inner.names[path]];
        for bytes in [&mut content.now, &mut content.kept] {
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
    }
}

impl Content {
    fn lose(&mut self, random: &Random) {
        // A length that was not synced is one of the two as well.
        if random.below(2) == 0 {
            self.kept.resize(self.now.len(), 0);
        }
        for sector in std::mem::take(&mut self.loose) {
            let begin = sector * SECTOR;
            let end = (begin + SECTOR).min(self.now.len()).min(self.kept.len());
            if begin < end && random.below(2) == 0 {
                self.kept[begin..end].copy_from_slice(&self.now[begin..end]);
            }
        }
        self.now = self.kept.clone();
    }
}

impl Inner {
    fn step(&mut self) -> io::Result<()> {
        match &mut self.fails_in {
            Some(0) => Err(io::Error::other("the disk failed")),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn used(&self) -> u64 {
        self.names.values().map(|content| self.contents[*content].now.len() as u64).sum()
    }

    fn fits(&self, more: usize) -> io::Result<()> {
        let full = self.room > 0 && self.used() + more as u64 > self.room;
        if full { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }
}

impl Handle {
    /// The disk, if this handle was opened since the last crash.
    fn alive(&self) -> io::Result<MutexGuard<'_, Inner>> {
        let (inner, failed) = self.alive_or_failing()?;
        failed?;
        Ok(inner)
    }

    /// The same, and whether this is the operation that fails.
    fn alive_or_failing(&self) -> io::Result<(MutexGuard<'_, Inner>, io::Result<()>)> {
        let mut inner = self.disk.inner();
        if inner.life != self.life {
            return Err(died());
        }
        let failed = inner.step();
        Ok((inner, failed))
    }
}

fn died() -> io::Error {
    io::Error::other("the process that opened this file died")
}

impl DiskFile for Handle {
    fn read_at(&self, place: u64, into: &mut [u8]) -> io::Result<usize> {
        // A read that fails ends the process (raft-rs has no way on from there); it is not played here.
        let inner = self.disk.inner();
        if inner.life != self.life {
            return Err(died());
        }
        let bytes = &inner.contents[self.content].now;
        let rest = usize::try_from(place).ok().and_then(|place| bytes.get(place..)).unwrap_or_default();
        let some = rest.len().min(into.len());
        into[..some].copy_from_slice(&rest[..some]);
        Ok(some)
    }

    fn write_at(&mut self, place: u64, bytes: &[u8]) -> io::Result<()> {
        let (mut inner, failed) = self.alive_or_failing()?;
        let begin = usize::try_from(place).map_err(io::Error::other)?;
        // A write that fails may have been begun.
        let bytes = if failed.is_err() { &bytes[..bytes.len() / 2] } else { bytes };
        let end = begin + bytes.len();
        inner.fits(end.saturating_sub(inner.contents[self.content].now.len()))?;
        let content = &mut inner.contents[self.content];
        content.now.resize(content.now.len().max(end), 0);
        content.now[begin..end].copy_from_slice(bytes);
        content.loose.extend(begin / SECTOR..end.div_ceil(SECTOR));
        failed
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut inner = self.alive()?;
        let content = &mut inner.contents[self.content];
        content.loose.clear();
        content.kept = content.now.clone();
        Ok(())
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self.alive()?.contents[self.content].now.len() as u64)
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        let mut inner = self.alive()?;
        inner.contents[self.content].now.resize(usize::try_from(length).map_err(io::Error::other)?, 0);
        Ok(())
    }
}

impl Disk for BrittleDisk {
    fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        let mut inner = self.inner();
        inner.step()?;
        let here = inner.names.keys().filter(|path| path.parent() == Some(folder));
        Ok(here.filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned())).collect())
    }

    fn make_folder(&self, _folder: &Path) -> io::Result<()> {
        self.inner().step()
    }

    fn create(&self, path: &Path, length: u64) -> io::Result<Box<dyn DiskFile>> {
        let mut inner = self.inner();
        inner.step()?;
        if inner.names.contains_key(path) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let length = usize::try_from(length).map_err(io::Error::other)?;
        inner.fits(length)?;
        let content = inner.contents.len();
        inner.contents.push(Content { now: vec![0; length], kept: vec![0; length], ..Content::default() });
        inner.names.insert(path.to_owned(), content);
        Ok(Box::new(Handle { disk: self.clone(), content, life: inner.life }))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let mut inner = self.inner();
        inner.step()?;
        let content = *inner.names.get(path).ok_or(io::ErrorKind::NotFound)?;
        Ok(Box::new(Handle { disk: self.clone(), content, life: inner.life }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut inner = self.inner();
        inner.step()?;
        let content = inner.names.remove(from).ok_or(io::ErrorKind::NotFound)?;
        inner.names.insert(to.to_owned(), content);
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut inner = self.inner();
        inner.step()?;
        inner.names.remove(path).map(|_| ()).ok_or(io::ErrorKind::NotFound.into())
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        let inner = &mut *self.inner();
        inner.step()?;
        let here = |path: &PathBuf| path.parent() == Some(folder);
        inner.kept_names.retain(|path, _| !here(path));
        inner
            .kept_names
            .extend(inner.names.iter().filter(|(path, _)| here(path)).map(|(path, content)| (path.clone(), *content)));
        Ok(())
    }
}
