//! The seam to the disk: what storage asks of it, so that a simulated one can lose what a real one may lose.

use std::{
    fs::{File, OpenOptions},
    io,
    os::unix::fs::FileExt,
    path::Path,
};

/// An open file.
pub trait DiskFile: Send {
    /// Reads at a place; fewer bytes than asked for only at the end.
    fn read_at(&self, place: u64, into: &mut [u8]) -> io::Result<usize>;

    /// Writes at a place. On disk only after [`DiskFile::sync`].
    fn write_at(&mut self, place: u64, bytes: &[u8]) -> io::Result<()>;

    /// Puts all that was written on disk. If it fails nobody knows what is there, and asking again would lie: the system may have dropped
    /// what it could not write.
    fn sync(&mut self) -> io::Result<()>;

    /// Its length in bytes.
    fn length(&self) -> io::Result<u64>;

    /// Cuts it to this length.
    fn cut(&mut self, length: u64) -> io::Result<()>;
}

/// A place for files. Paths are below one folder of the caller's.
pub trait Disk: Send + Sync {
    /// Names of the files in a folder; none if it is not there.
    fn list(&self, folder: &Path) -> io::Result<Vec<String>>;

    /// Makes a folder and those above it.
    fn make_folder(&self, folder: &Path) -> io::Result<()>;

    /// Makes a file of zeros. Its blocks are written now, so that later writes change no more than what they write. Fails if there is one.
    fn create(&self, path: &Path, length: u64) -> io::Result<Box<dyn DiskFile>>;

    /// Opens a file for reading and writing.
    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;

    /// Gives a file another name; one that bore it is gone.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Puts the names in a folder on disk.
    fn sync_folder(&self, folder: &Path) -> io::Result<()>;
}

/// The machine's own.
#[derive(Debug, Clone, Copy, Default)]
pub struct RealDisk;

/// Zeros written at once while a file is made.
const BLOCK: usize = 1 << 20;

impl DiskFile for File {
    fn read_at(&self, place: u64, into: &mut [u8]) -> io::Result<usize> {
        let mut have = 0;
        while have < into.len() {
            match FileExt::read_at(self, &mut into[have..], place + have as u64) {
                Ok(0) => break,
                Ok(more) => have += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(have)
    }

    fn write_at(&mut self, place: u64, bytes: &[u8]) -> io::Result<()> {
        self.write_all_at(bytes, place)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        self.set_len(length)
    }
}

impl Disk for RealDisk {
    fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        match std::fs::read_dir(folder) {
            Ok(entries) => entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    fn make_folder(&self, folder: &Path) -> io::Result<()> {
        std::fs::create_dir_all(folder)
    }

    fn create(&self, path: &Path, length: u64) -> io::Result<Box<dyn DiskFile>> {
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(path)?;
        let (zeros, mut place) = (vec![0; BLOCK], 0);
        while place < length {
            let some = usize::try_from(length - place).unwrap_or(BLOCK).min(BLOCK);
            file.write_all_at(&zeros[..some], place)?;
            place += some as u64;
        }
        file.sync_all()?;
        Ok(Box::new(file))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(OpenOptions::new().read(true).write(true).open(path)?))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        std::fs::remove_file(path)
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        File::open(folder)?.sync_all()
    }
}
