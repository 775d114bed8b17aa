//! Where full log files go: `name.pending.N` at once, and from there to `name.1.gz`, the older ones moving up.

use super::roll::held;
use crate::config::Logging;
use flate2::{Compression, write::GzEncoder};
use runtime::Clock;
use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

/// The rotated files of one log.
#[derive(Clone)]
pub(super) struct Shelf {
    log: PathBuf,
    keep: u64,
    compress: bool,
}

impl Shelf {
    pub(super) fn of(logging: &Logging) -> io::Result<Shelf> {
        if logging.file.file_name().is_none() {
            return Err(io::Error::new(ErrorKind::InvalidInput, "it names no file"));
        }
        Ok(Shelf { log: logging.file.clone(), keep: logging.max_backups, compress: logging.compress })
    }

    pub(super) fn log(&self) -> &Path {
        &self.log
    }

    pub(super) fn folder(&self) -> &Path {
        self.log.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
    }

    /// The log's path with something behind it.
    fn named(&self, suffix: &str) -> PathBuf {
        let mut path = self.log.clone().into_os_string();
        path.push(suffix);
        path.into()
    }

    /// Takes the log, whose lock the caller holds, out of the way. The name is new: one used before might be about to be
    /// removed by a process that has just filed what bore it.
    pub(super) fn put_away(&self) -> io::Result<()> {
        let now = Clock::real().now().as_microsecond();
        let mut names = (now..).map(|number| self.named(&format!(".pending.{number}")));
        let free = names.find(|name| !name.exists()).ok_or(ErrorKind::AlreadyExists)?;
        fs::rename(&self.log, free)
    }

    /// Files everything that was put away, oldest first. Another process may do the same at the same time.
    pub(super) fn file_away(&self) -> io::Result<()> {
        let pending = self.pending()?;
        // What would be pushed out by those behind it is not compressed first.
        let surplus = pending.len().saturating_sub(usize::try_from(self.keep).unwrap_or(usize::MAX));
        for (place, path) in pending.iter().enumerate() {
            if place < surplus {
                gone(path)?;
            }
            self.file_one(path)?;
        }
        Ok(())
    }

    /// Also those of which only the compressed half is there. Numbers of one length: their order as texts is that of time.
    fn pending(&self) -> io::Result<BTreeSet<PathBuf>> {
        let prefix = format!("{}.pending.", self.log.file_name().unwrap_or_default().to_string_lossy());
        let mut found = BTreeSet::new();
        for entry in fs::read_dir(self.folder())? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            let name = name.strip_suffix(".gz").unwrap_or(&name);
            let number = name.strip_prefix(&prefix).unwrap_or_default();
            if !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) {
                found.insert(self.folder().join(name));
            }
        }
        Ok(found)
    }

    fn file_one(&self, path: &Path) -> io::Result<()> {
        let packed = if self.compress { Some(pack(path)?) } else { None };
        // The log's lock keeps the numbers to one process at a time; it is held for renames only.
        let _held = held(&self.log)?;
        if !path.exists() {
            return packed.map_or(Ok(()), |packed| gone(&packed.path));
        }
        self.move_up()?;
        match packed {
            Some(packed) => {
                fs::rename(packed.path, self.named(".1.gz"))?;
                gone(path)
            }
            None => fs::rename(path, self.named(".1")),
        }
    }

    /// `.1` to `.2` and so on up to the first gap; what stands beyond the last place kept goes.
    fn move_up(&self) -> io::Result<()> {
        let places = |number: u64| ["", ".gz"].map(|end| self.named(&format!(".{number}{end}")));
        let taken = (1..u64::MAX).take_while(|number| places(*number).iter().any(|path| path.exists())).count() as u64;
        for number in (1..=taken).rev() {
            for (from, to) in places(number).iter().zip(places(number + 1)) {
                let moved = if number >= self.keep { fs::remove_file(from) } else { fs::rename(from, to) };
                moved.or_else(absent)?;
            }
        }
        Ok(())
    }
}

/// A compressed file that has not got its name yet; nobody else touches it while it is held.
struct Packed {
    path: PathBuf,
    _held: File,
}

/// Compresses beside the file, whole and on disk before it gets its name: a crash leaves the file itself.
fn pack(path: &Path) -> io::Result<Packed> {
    let mut name = path.as_os_str().to_owned();
    name.push(".gz");
    let packed = PathBuf::from(name);
    let target = held(&packed)?;
    // Gone if another process has filed it meanwhile.
    if let Some(mut source) = opened(path)? {
        target.set_len(0)?;
        let mut encoder = GzEncoder::new(&target, Compression::default());
        io::copy(&mut source, &mut encoder)?;
        encoder.finish()?.sync_all()?;
    }
    Ok(Packed { path: packed, _held: target })
}

fn opened(path: &Path) -> io::Result<Option<File>> {
    match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        opened => opened.map(Some),
    }
}

fn gone(path: &Path) -> io::Result<()> {
    fs::remove_file(path).or_else(absent)
}

fn absent(error: io::Error) -> io::Result<()> {
    if error.kind() == ErrorKind::NotFound { Ok(()) } else { Err(error) }
}
