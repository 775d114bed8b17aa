//! The seam to the disk: what storage asks of it, so that a simulated one can lose what a real one may lose.

use std::{
    fs::{File, OpenOptions},
    io,
    os::unix::fs::FileExt,
    path::Path,
    thread::JoinHandle,
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

    /// As [`Disk::create`], beside whoever asks if the disk can; otherwise at once.
    fn create_ahead(&self, path: &Path, length: u64) -> Ahead {
        Ahead(Some(Making::Done(self.create(path, length))))
    }

    /// Opens a file for reading and writing.
    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;

    /// Gives a file another name; one that bore it is gone.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Puts the names in a folder on disk.
    fn sync_folder(&self, folder: &Path) -> io::Result<()>;
}

/// A file that is being made.
pub struct Ahead(Option<Making>);

enum Making {
    Done(io::Result<Box<dyn DiskFile>>),
    Beside(JoinHandle<io::Result<File>>),
}

impl Ahead {
    /// The file, once it is made.
    pub fn wait(mut self) -> io::Result<Box<dyn DiskFile>> {
        match self.0.take() {
            Some(Making::Done(made)) => made,
            Some(Making::Beside(thread)) => {
                let made = thread.join().unwrap_or_else(|_| Err(io::Error::other("whoever made it panicked")));
                made.map(|file| Box::new(file) as Box<dyn DiskFile>)
            }
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }
}

impl Drop for Ahead {
    /// Whoever opens the folder next must not meet a file that is still being made.
    fn drop(&mut self) {
        if let Some(Making::Beside(thread)) = self.0.take() {
            let _ = thread.join();
        }
    }
}

/// The machine's own.
#[derive(Debug, Clone, Copy, Default)]
pub struct RealDisk;

/// Zeros written at once while a file is made.
const BLOCK: usize = 1 << 20;
/// A file of zeros. All of them go to the disk at once: to sync in between takes ten times as long.
fn zeros(path: &Path, length: u64) -> io::Result<File> {
    let file = OpenOptions::new().read(true).write(true).create_new(true).open(path)?;
    let (zeros, mut place) = (vec![0; BLOCK], 0);
    while place < length {
        let some = usize::try_from(length - place).unwrap_or(BLOCK).min(BLOCK);
        file.write_all_at(&zeros[..some], place)?;
        place += some as u64;
    }
    file.sync_all()?;
    Ok(file)
}

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
        Ok(Box::new(zeros(path, length)?))
    }

    fn create_ahead(&self, path: &Path, length: u64) -> Ahead {
        let path = path.to_owned();
        let thread = std::thread::Builder::new().name("segment".to_owned());
        Ahead(Some(match thread.spawn(move || zeros(&path, length)) {
            Ok(thread) => Making::Beside(thread),
            Err(error) => Making::Done(Err(error)),
        }))
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
