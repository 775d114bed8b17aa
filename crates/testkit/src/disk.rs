//! A file system small enough to be filled in earnest.

use std::{path::Path, process::Command};
use tempfile::TempDir;

/// The file that takes the room away.
const BALLAST: &str = "ballast";

/// A small file system of its own, gone when dropped.
pub struct SmallDisk(TempDir);

impl SmallDisk {
    /// Of so many MiB; `None` where there is no right to mount one: only root can.
    pub fn new(megabytes: u32) -> Option<Self> {
        let directory = tempfile::tempdir().expect("a directory");
        let size = format!("size={megabytes}m");
        let mount = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(directory.path()).output();
        mount.is_ok_and(|output| output.status.success()).then_some(Self(directory))
    }

    /// Its root.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Takes the room away but for so many bytes, rounded to the file system's pages.
    pub fn leave_free(&self, bytes: u64) {
        let stat = Command::new("df").args(["--output=avail", "-B1"]).arg(self.path()).output().expect("df");
        let text = String::from_utf8_lossy(&stat.stdout).into_owned();
        let free: u64 = text.lines().nth(1).and_then(|line| line.trim().parse().ok()).expect("free bytes");
        let ballast = free.saturating_sub(bytes).max(1).to_string();
        let status = Command::new("fallocate").args(["-l", &ballast]).arg(self.path().join(BALLAST)).status();
        assert!(status.expect("fallocate starts").success());
    }

    /// Gives back what [`SmallDisk::leave_free`] took.
    pub fn make_room(&self) {
        std::fs::remove_file(self.path().join(BALLAST)).expect("the ballast is thrown out");
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.path()).status();
    }
}
