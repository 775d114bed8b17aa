//! One tablespace file: checked to be the server's, its map of used pages, and its pages, counted as they are read.

use super::{budget::BLOCK, layout::extent_pages, spaces::Space};
use nix::fcntl::{PosixFadviseAdvice, posix_fadvise};
use std::{fs::File, io, os::unix::fs::FileExt, path::Path};

const SPACE_ID: usize = 34;
const FLAGS: usize = 54;
const SIZE: usize = 46;
const EXTENT_MAP: usize = 150;
const EXTENT_HEAD: usize = 24;
const STATE_SEGMENT: u32 = 4;
const STATE_FREE_FRAGMENT: u32 = 2;
const STATE_FULL_FRAGMENT: u32 = 3;

/// A file that may be believed.
#[derive(Debug)]
pub(crate) struct Tablespace {
    file: File,
    page: u32,
    logical: u32,
    /// Pages by the file's own header.
    pub pages: u32,
    /// Bytes read so far, in whole blocks.
    pub read: u64,
    /// The first block: header and, of most files, the whole extent map.
    first: Vec<u8>,
}

/// An extent in use: its first page, the segment it belongs to (0: single pages of many), and which pages are used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Extent {
    pub first: u32,
    pub segment: u64,
    pub used: [u64; 4],
}

impl Extent {
    /// Used pages.
    pub fn count(&self) -> u32 {
        self.used.iter().map(|word| word.count_ones()).sum()
    }

    /// The page number of the `nth` used page.
    pub fn page(&self, mut nth: u32) -> u32 {
        for (word, bits) in (0_u32..).zip(self.used) {
            for bit in (0..64).filter(|bit| bits >> bit & 1 == 1) {
                if nth == 0 {
                    return self.first + word * 64 + bit;
                }
                nth -= 1;
            }
        }
        self.first
    }
}

/// Why a file is not believed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Doubt {
    #[error("cannot read {0}")]
    Io(#[from] io::Error),
    #[error("the file is of another tablespace or size than the server's")]
    Stranger,
    #[error("its page size is not the server's")]
    PageSize,
}

pub(crate) fn be16(bytes: &[u8], at: usize) -> u16 {
    bytes.get(at..at + 2).and_then(|b| b.try_into().ok()).map_or(0, u16::from_be_bytes)
}

pub(crate) fn be32(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|b| b.try_into().ok()).map_or(0, u32::from_be_bytes)
}

pub(crate) fn be64(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..at + 8).and_then(|b| b.try_into().ok()).map_or(0, u64::from_be_bytes)
}

/// The page size the header's flags tell: `MariaDB`'s newer form is marked by bit 4, the older one shared with MySQL.
fn page_bytes(flags: u32) -> u32 {
    if flags & 0x10 != 0 {
        return 512 << (flags & 0xF);
    }
    let (zip, logical) = (flags >> 1 & 0xF, flags >> 6 & 0xF);
    match (zip, logical) {
        (1..=7, _) => 512 << zip,
        (_, 1..=7) => 512 << logical,
        _ => 16384,
    }
}

impl Tablespace {
    /// Opens the file and holds it against what the server says of it.
    pub fn open(path: &Path, space: &Space) -> Result<Self, Doubt> {
        let file = File::open(path)?;
        // Random reads of single blocks: without this the kernel reads ahead far more than is asked for.
        let _ = posix_fadvise(&file, 0, 0, PosixFadviseAdvice::POSIX_FADV_RANDOM);
        if file.metadata()?.len() != space.file_bytes {
            return Err(Doubt::Stranger);
        }
        let mut tablespace =
            Self { file, page: space.page_bytes, logical: space.logical_bytes, pages: 0, read: 0, first: Vec::new() };
        let head = tablespace.at(0, 0, BLOCK as usize)?;
        if u64::from(be32(&head, SPACE_ID)) != space.id {
            return Err(Doubt::Stranger);
        }
        if page_bytes(be32(&head, FLAGS)) != space.page_bytes {
            return Err(Doubt::PageSize);
        }
        tablespace.pages = be32(&head, SIZE);
        tablespace.first = head;
        Ok(tablespace)
    }

    /// The id a file gives itself, and its length.
    pub fn identity(path: &Path) -> io::Result<(u64, u64)> {
        let file = File::open(path)?;
        let mut head = [0; SPACE_ID + 4];
        file.read_exact_at(&mut head, 0)?;
        Ok((u64::from(be32(&head, SPACE_ID)), file.metadata()?.len()))
    }

    /// Bytes of one page.
    fn at(&mut self, page: u32, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let start = u64::from(page) * u64::from(self.page) + offset;
        if let Some(known) = self.first.get(start as usize..start as usize + length) {
            return Ok(known.to_vec());
        }
        let mut buffer = vec![0; length];
        let mut done = 0;
        while done < length {
            match self.file.read_at(&mut buffer[done..], start + done as u64)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                more => done += more,
            }
        }
        let blocks = (start + length as u64).div_ceil(BLOCK) - start / BLOCK;
        self.read += blocks * BLOCK;
        Ok(buffer)
    }

    /// The first bytes of a page: one block.
    pub fn header(&mut self, page: u32) -> io::Result<Vec<u8>> {
        self.at(page, 0, 128)
    }

    /// A whole page.
    pub fn page(&mut self, page: u32) -> io::Result<Vec<u8>> {
        self.at(page, 0, self.page as usize)
    }

    /// Every extent with used pages, from the extent maps that stand at each multiple of the page size.
    pub fn extents(&mut self) -> io::Result<Vec<Extent>> {
        let pages = extent_pages(self.logical) as u32;
        let entry = EXTENT_HEAD + pages as usize / 4;
        let mut all = Vec::new();
        for map in (0..self.pages).step_by(self.page as usize) {
            let here = (self.pages - map).div_ceil(pages).min(self.page / pages);
            let bytes = self.at(map, EXTENT_MAP as u64, here as usize * entry)?;
            all.extend((0..here).filter_map(|nth| extent(&bytes[nth as usize * entry..], map + nth * pages, pages)));
        }
        Ok(all)
    }
}

fn extent(entry: &[u8], first: u32, pages: u32) -> Option<Extent> {
    let state = be32(entry, 20);
    let segment = if state == STATE_SEGMENT { be64(entry, 0) } else { 0 };
    if !matches!(state, STATE_SEGMENT | STATE_FREE_FRAGMENT | STATE_FULL_FRAGMENT | 5) {
        return None;
    }
    let mut used = [0_u64; 4];
    for page in 0..pages as usize {
        let free = entry.get(EXTENT_HEAD + page / 4)? >> (2 * (page % 4)) & 1;
        used[page / 64] |= u64::from(free ^ 1) << (page % 64);
    }
    Some(Extent { first, segment, used })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_sizes_are_read_from_both_kinds_of_flags() {
        assert_eq!(page_bytes(21), 16384, "MariaDB 10.11, 16 KiB");
        assert_eq!(page_bytes(16417), 16384, "MySQL 9.7, 16 KiB");
        assert_eq!(page_bytes(0x13), 4096, "MariaDB, 4 KiB");
        assert_eq!(page_bytes((4 << 1) | 1), 8192, "compressed to 8 KiB");
    }

    #[test]
    fn the_nth_used_page_is_found() {
        let extent = Extent { first: 64, segment: 1, used: [0b1010, 1, 0, 0] };
        assert_eq!(extent.count(), 3);
        assert_eq!((extent.page(0), extent.page(1), extent.page(2)), (65, 67, 128));
    }
}
