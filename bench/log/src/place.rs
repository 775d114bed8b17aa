//! Where data lies while it is measured: on a disk, and out of the page cache when asked to.

use nix::{
    fcntl::{PosixFadviseAdvice, posix_fadvise},
    sys::statfs::{TMPFS_MAGIC, statfs},
};
use std::{
    fs::File,
    path::{Path, PathBuf},
};
use tempfile::TempDir;

/// A folder that goes when it is dropped, in `$TMPDIR`. Memory is no disk: a figure taken there would be a lie.
pub fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let kind = statfs(folder.path()).unwrap().filesystem_type();
    assert!(kind != TMPFS_MAGIC, "{} is in memory: set TMPDIR to a folder on a disk", folder.path().display());
    folder
}

/// All files of a folder by name.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// Bytes of them.
pub fn bytes(files: &[PathBuf]) -> u64 {
    files.iter().map(|file| file.metadata().unwrap().len()).sum()
}

/// Takes files out of the page cache: the next read goes to the disk.
pub fn forget(files: &[PathBuf]) {
    for path in files {
        let file = File::open(path).unwrap();
        file.sync_all().unwrap();
        posix_fadvise(&file, 0, 0, PosixFadviseAdvice::POSIX_FADV_DONTNEED).unwrap();
    }
}

/// Puts files into the page cache, as far as it has room.
pub fn recall(files: &[PathBuf]) {
    for path in files {
        std::io::copy(&mut File::open(path).unwrap(), &mut std::io::sink()).unwrap();
    }
}

/// Bytes nothing can make smaller.
pub fn noise(length: usize) -> bytes::Bytes {
    let mut bytes = vec![0; length];
    runtime::Random::seeded(length as u64).fill(&mut bytes);
    bytes.into()
}
