//! One segment file: made, filled record by record, sealed, read.

use crate::{
    Ahead, Disk, DiskFile, StorageError,
    catalog::Catalog,
    frame::{self, Found, Frame, Kind},
    header::{self, Header},
    scan::{Hole, scan},
};
use std::{
    io,
    path::{Path, PathBuf},
};

/// The first byte of a base: the log goes on behind it, or begins anew and nothing written before counts.
pub(crate) const ON: u8 = 0;
pub(crate) const ANEW: u8 = 1;
/// The last bytes of a sealed file: where its footer begins, a check of that, and a word.
const TRAILER: usize = 16;
const WORD: [u8; 8] = *b"ddsealed";
/// How the name of a file ends that has no header yet.
const DRAFT: &str = ".draft";

/// A segment under way or sealed.
pub(crate) struct Segment {
    pub header: Header,
    pub path: PathBuf,
    pub catalog: Catalog,
    pub sealed: bool,
    file: Box<dyn DiskFile>,
    /// Bytes it may have.
    length: u64,
    /// Where the next record goes.
    end: u64,
    /// Up to where all is on disk.
    synced: u64,
}

/// A record that is no entry, met while opening.
pub(crate) type Met = (Kind, u64, u64, Vec<u8>);

fn failed(path: &Path, what: &'static str) -> impl FnOnce(io::Error) -> StorageError {
    let path = path.to_owned();
    move |source| StorageError::Disk { path, what, source }
}

/// The file of a segment.
pub(crate) fn name(number: u64) -> String {
    format!("{number:010}.segment")
}

/// The file of a segment that is being made.
pub(crate) fn draft(number: u64) -> String {
    format!("{number:010}{DRAFT}")
}

/// Whether a file is a segment that was never begun.
pub(crate) fn is_draft(name: &str) -> bool {
    name.strip_suffix(DRAFT).is_some_and(|digits| digits.len() == 10)
}

/// The number in a segment's name.
pub(crate) fn number(name: &str) -> Option<u64> {
    name.strip_suffix(".segment").filter(|digits| digits.len() == 10)?.parse().ok()
}

impl Segment {
    /// Begins a segment in a file that is made under another name first: one that bears its own has its header and what its readers must
    /// know, `first`.
    pub fn create(
        disk: &dyn Disk,
        folder: &Path,
        header: Header,
        (made, length): (Option<Ahead>, u64),
        first: &[Frame<'_>],
    ) -> Result<Segment, StorageError> {
        let draft = folder.join(draft(header.number));
        let file = made.map_or_else(|| disk.create(&draft, length), Ahead::wait);
        let file = file.map_err(failed(&draft, "making it"))?;
        let (catalog, path, sealed) = (Catalog::default(), draft.clone(), false);
        let mut segment = Segment { header, path, catalog, sealed, file, length, end: 0, synced: 0 };
        segment.write(&header.bytes())?;
        let mut out = Vec::new();
        for frame in first {
            segment.put(&mut out, frame);
        }
        segment.write(&out)?;
        segment.sync()?;
        segment.path = folder.join(name(header.number));
        disk.rename(&draft, &segment.path).map_err(failed(&draft, "renaming"))?;
        disk.sync_folder(folder).map_err(failed(folder, "syncing"))?;
        Ok(segment)
    }

    /// Opens a file and finds what it holds. A sealed one is read by its footer alone, unless `whole` is asked for.
    pub fn open(disk: &dyn Disk, path: &Path, length: u64, whole: bool) -> Result<(Segment, Vec<Met>), StorageError> {
        let file = disk.open(path).map_err(failed(path, "opening"))?;
        let size = file.length().map_err(failed(path, "measuring"))?;
        let mut first = [0; header::SIZE];
        read(&*file, path, 0, &mut first)?;
        let header = Header::read(&first).ok_or_else(|| damaged(path, 0, "it does not begin as a segment does"))?;
        let catalog = Catalog::default();
        let mut segment =
            Segment { header, path: path.to_owned(), catalog, sealed: false, file, length, end: size, synced: size };
        if let Some(catalog) = segment.footer(size)? {
            (segment.catalog, segment.sealed) = (catalog, true);
            return if whole { segment.scanned(size) } else { Ok((segment, Vec::new())) };
        }
        segment.scanned(size)
    }

    /// The catalog in the footer of a file that was sealed to its end.
    fn footer(&self, size: u64) -> Result<Option<Catalog>, StorageError> {
        let Some(at) = size.checked_sub(TRAILER as u64).filter(|at| *at > header::SIZE as u64) else { return Ok(None) };
        let mut trailer = [0; TRAILER];
        read(&*self.file, &self.path, at, &mut trailer)?;
        let place = u64::from(u32::from_le_bytes([trailer[0], trailer[1], trailer[2], trailer[3]]));
        let crc = u32::from_le_bytes([trailer[4], trailer[5], trailer[6], trailer[7]]);
        if trailer[8..] != WORD || crc32c::crc32c(&trailer[..4]) != crc || place >= at {
            return Ok(None);
        }
        let mut bytes = vec![0; usize::try_from(at - place).unwrap_or(0)];
        read(&*self.file, &self.path, place, &mut bytes)?;
        match frame::at(&bytes, 0, self.header.salt) {
            Found::Whole(Frame { kind: Kind::Footer, payload, .. }, ..) => Ok(Catalog::read(payload)),
            // A crash while it was sealed may leave this; otherwise it is missed where the next segment is found.
            _ => Ok(None),
        }
    }

    fn scanned(mut self, size: u64) -> Result<(Segment, Vec<Met>), StorageError> {
        let mut bytes = vec![0; usize::try_from(size).unwrap_or(0)];
        read(&*self.file, &self.path, 0, &mut bytes)?;
        let content = if self.sealed { bytes.len() - TRAILER } else { bytes.len() };
        let found = scan(&bytes[..content], self.header.salt, if self.sealed { content } else { 0 });
        let found = found.map_err(|Hole { place, witness }| {
            let what = format!("a record is missing that was on disk, as the one at byte {witness} knows");
            damaged(&self.path, place as u64, &what)
        })?;
        let (mut met, mut catalog) = (Vec::new(), Catalog::default());
        for (place, frame) in &found.records {
            match frame.kind {
                Kind::Entry | Kind::Change => {
                    catalog.push(frame.index, frame.term, u32::try_from(*place).unwrap_or(u32::MAX));
                }
                Kind::Footer => self.sealed = true,
                kind => {
                    // A new begin: nothing written before it counts.
                    if kind == Kind::Base && frame.payload.first() == Some(&ANEW) {
                        catalog.cut(0);
                    }
                    met.push((kind, frame.term, frame.index, frame.payload.to_vec()));
                }
            }
        }
        self.catalog = catalog;
        self.end = found.end as u64;
        if found.torn && !self.sealed {
            self.blank(size)?;
        }
        self.sync()?;
        Ok((self, met))
    }

    /// Writes zeros over a torn tail, so that its remains are never taken for records.
    fn blank(&mut self, size: u64) -> Result<(), StorageError> {
        let zeros = vec![0; usize::try_from(size - self.end).unwrap_or(0)];
        self.file.write_at(self.end, &zeros).map_err(failed(&self.path, "writing"))
    }

    /// Whether so many more bytes fit, with room for a footer.
    pub fn has_room(&self, bytes: usize) -> bool {
        let footer = frame::room(self.catalog.length() + 64) + TRAILER;
        self.end + (bytes + footer) as u64 <= self.length || self.catalog.range().is_none()
    }

    /// Whether it is time to make the next one: a quarter of it is used.
    pub fn runs_short(&self) -> bool {
        self.end >= self.length / 4
    }

    /// Writes records that were put one after the other with [`Segment::put`].
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), StorageError> {
        self.file.write_at(self.end, bytes).map_err(failed(&self.path, "writing"))?;
        self.end += bytes.len() as u64;
        Ok(())
    }

    /// Adds a record to what [`Segment::write`] will write next.
    pub fn put(&mut self, out: &mut Vec<u8>, frame: &Frame<'_>) {
        let place = u32::try_from(self.end + out.len() as u64).unwrap_or(u32::MAX);
        if matches!(frame.kind, Kind::Entry | Kind::Change) {
            self.catalog.push(frame.index, frame.term, place);
        }
        frame::put(out, frame, self.header.salt, u32::try_from(self.synced).unwrap_or(u32::MAX));
    }

    /// All that was written is on disk.
    pub fn sync(&mut self) -> Result<(), StorageError> {
        self.file.sync().map_err(failed(&self.path, "syncing"))?;
        self.synced = self.end;
        Ok(())
    }

    /// Ends the file for good: it never changes again.
    pub fn seal(&mut self) -> Result<(), StorageError> {
        // A footer says that all before it is there: it must be, whatever of the footer a crash leaves.
        self.sync()?;
        let (mut out, place) = (Vec::new(), u32::try_from(self.end).unwrap_or(u32::MAX));
        let catalog = self.catalog.bytes();
        self.put(&mut out, &Frame { kind: Kind::Footer, term: 0, index: 0, payload: &catalog });
        let crc = crc32c::crc32c(&place.to_le_bytes());
        out.extend_from_slice(&place.to_le_bytes());
        out.extend_from_slice(&crc.to_le_bytes());
        out.extend_from_slice(&WORD);
        self.write(&out)?;
        self.file.cut(self.end).map_err(failed(&self.path, "cutting"))?;
        self.sealed = true;
        self.sync()
    }

    /// Bytes of records from a place on, at most so many.
    pub fn bytes_at(&self, place: u64, most: usize) -> Result<Vec<u8>, StorageError> {
        let some = usize::try_from(self.end.saturating_sub(place)).unwrap_or(usize::MAX).min(most);
        let mut bytes = vec![0; some];
        read(&*self.file, &self.path, place, &mut bytes)?;
        Ok(bytes)
    }
}

/// What to say where a record should be and is not.
pub(crate) fn hole(path: &Path, place: u64) -> StorageError {
    damaged(path, place, "the record that was written here is not whole")
}

fn read(file: &dyn DiskFile, path: &Path, place: u64, into: &mut [u8]) -> Result<(), StorageError> {
    let have = file.read_at(place, into).map_err(failed(path, "reading"))?;
    if have == into.len() { Ok(()) } else { Err(damaged(path, place + have as u64, "the file ends too soon")) }
}

fn damaged(path: &Path, place: u64, what: &str) -> StorageError {
    StorageError::Damaged { path: path.to_owned(), place, what: what.to_owned() }
}
