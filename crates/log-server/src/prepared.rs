//! A disk that makes files before they are asked for: writing sixty megabytes of zeros must not hold up who commits.

use crate::{Disk, DiskFile, RealDisk};
use std::{
    io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{SyncSender, sync_channel},
    },
};

/// The machine's own disk, with one file ready of the length that was asked for last.
pub struct PreparedDisk {
    folder: PathBuf,
    ready: Arc<Mutex<Option<(u64, PathBuf)>>>,
    orders: SyncSender<u64>,
}

/// Files below this length are made when they are needed.
const WORTH: u64 = 4 << 20;

impl PreparedDisk {
    /// Keeps what it prepares in a folder of its own below this one, which must be on the same file system as what will be made.
    pub fn new(folder: &Path) -> io::Result<PreparedDisk> {
        let folder = folder.join("prepared");
        std::fs::create_dir_all(&folder)?;
        for left in std::fs::read_dir(&folder)? {
            std::fs::remove_file(left?.path())?;
        }
        let ready: Arc<Mutex<Option<(u64, PathBuf)>>> = Arc::default();
        let (orders, asked) = sync_channel::<u64>(1);
        let (kept, place) = (Arc::clone(&ready), folder.clone());
        std::thread::Builder::new().name("preparing".to_owned()).spawn(move || {
            for (number, length) in asked.iter().enumerate() {
                let path = place.join(format!("{number:010}"));
                if RealDisk.create(&path, length).is_ok() {
                    let before = kept.lock().unwrap_or_else(PoisonError::into_inner).replace((length, path));
                    if let Some((_, path)) = before {
                        let _ = std::fs::remove_file(path);
                    }
                } else {
                    // A full disk is met again by whoever needs the file.
                    let _ = std::fs::remove_file(&path);
                }
            }
        })?;
        Ok(PreparedDisk { folder, ready, orders })
    }

    /// A file of this length under this name, if one is ready.
    fn take(&self, path: &Path, length: u64) -> Option<Box<dyn DiskFile>> {
        let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, made) = ready.take_if(|(made, _)| *made == length)?;
        drop(ready);
        std::fs::rename(&made, path).ok()?;
        RealDisk.sync_folder(&self.folder).ok()?;
        RealDisk.open(path).ok()
    }
}

impl Disk for PreparedDisk {
    fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        RealDisk.list(folder)
    }

    fn make_folder(&self, folder: &Path) -> io::Result<()> {
        RealDisk.make_folder(folder)
    }

    fn create(&self, path: &Path, length: u64) -> io::Result<Box<dyn DiskFile>> {
        if length < WORTH {
            return RealDisk.create(path, length);
        }
        if path.exists() {
            return Err(io::Error::from(io::ErrorKind::AlreadyExists));
        }
        let taken = self.take(path, length);
        // The next will be as long, or longer; if one is being made already that is enough.
        let _ = self.orders.try_send(length);
        taken.map_or_else(|| RealDisk.create(path, length), Ok)
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        RealDisk.open(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        RealDisk.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        RealDisk.remove(path)
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        RealDisk.sync_folder(folder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_prepared_is_taken_and_is_blank() {
        let folder = tempfile::tempdir().unwrap();
        let disk = PreparedDisk::new(folder.path()).unwrap();
        let length = 8 << 20;
        disk.create(&folder.path().join("one"), length).unwrap();
        while disk.ready.lock().unwrap().is_none() {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        let file = disk.create(&folder.path().join("two"), length).unwrap();
        let mut bytes = vec![1; 100];
        assert_eq!((file.length().unwrap(), file.read_at(length - 100, &mut bytes).unwrap()), (length, 100));
        assert_eq!(bytes, vec![0; 100]);
        assert!(disk.create(&folder.path().join("two"), length).is_err(), "it is there already");
        assert!(disk.create(&folder.path().join("small"), 100).is_ok());
    }

    #[test]
    fn what_is_left_of_an_earlier_run_goes() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("prepared")).unwrap();
        std::fs::write(folder.path().join("prepared/0000000007"), "x").unwrap();
        drop(PreparedDisk::new(folder.path()).unwrap());
        assert_eq!(std::fs::read_dir(folder.path().join("prepared")).unwrap().count(), 0);
    }
}
