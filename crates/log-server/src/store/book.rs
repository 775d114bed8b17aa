//! What a store writes down of itself: whose it is, which replicas it runs, which it ended for good.

use crate::{Disk, StorageError};
use runtime::Random;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeSet,
    io,
    path::{Path, PathBuf},
};

const NAME: &str = "store.json";
const DRAFT: &str = "store.json.draft";
/// Bytes in front: the length and the check of what follows.
const HEAD: usize = 8;

/// A store's book, the same in memory and on disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Book {
    /// The cluster it belongs to.
    pub cluster: u128,
    /// Its name, a UUID.
    pub store: String,
    /// Drawn when the folder was begun: a store that lost its data is another one.
    pub born: u128,
    /// By shard and replica.
    runs: BTreeSet<(u64, u64)>,
    gone: BTreeSet<(u64, u64)>,
}

impl Book {
    /// The book of a folder; a new one is begun if there is none.
    pub(super) fn open(
        disk: &dyn Disk,
        folder: &Path,
        owner: (u128, &str),
        random: &Random,
    ) -> Result<Book, StorageError> {
        let path = folder.join(NAME);
        disk.make_folder(folder).map_err(failed(folder, "making"))?;
        let names = disk.list(folder).map_err(failed(folder, "listing"))?;
        if names.iter().any(|name| name == DRAFT) {
            let draft = folder.join(DRAFT);
            disk.remove(&draft).map_err(failed(&draft, "removing"))?;
        }
        if !names.iter().any(|name| name == NAME) {
            let (runs, gone) = (BTreeSet::new(), BTreeSet::new());
            let mut born = [0; 16];
            random.fill(&mut born);
            let born = u128::from_le_bytes(born);
            let book = Book { cluster: owner.0, store: owner.1.to_owned(), born, runs, gone };
            book.write(disk, folder)?;
            return Ok(book);
        }
        let book = Book::read(disk, &path)?;
        if (book.cluster, book.store.as_str()) == owner {
            return Ok(book);
        }
        let what = format!("it is store {} of cluster {:x}", book.store, book.cluster);
        Err(StorageError::Foreign { path, what })
    }

    fn read(disk: &dyn Disk, path: &Path) -> Result<Book, StorageError> {
        let file = disk.open(path).map_err(failed(path, "opening"))?;
        let length = usize::try_from(file.length().map_err(failed(path, "measuring"))?).unwrap_or(0);
        let mut bytes = vec![0; length];
        file.read_at(0, &mut bytes).map_err(failed(path, "reading"))?;
        let odd =
            || StorageError::Damaged { path: path.to_owned(), place: 0, what: "it is not a store's book".to_owned() };
        whole(&bytes).and_then(|text| serde_json::from_slice(text).ok()).ok_or_else(odd)
    }

    /// Whole or not at all: under another name first.
    fn write(&self, disk: &dyn Disk, folder: &Path) -> Result<(), StorageError> {
        let (draft, path) = (folder.join(DRAFT), folder.join(NAME));
        let text = serde_json::to_vec(self).unwrap_or_default();
        let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
        let bytes = [&length.to_le_bytes()[..], &crc32c::crc32c(&text).to_le_bytes(), &text].concat();
        let mut file = disk.create(&draft, bytes.len() as u64).map_err(failed(&draft, "making"))?;
        file.write_at(0, &bytes).map_err(failed(&draft, "writing"))?;
        file.sync().map_err(failed(&draft, "syncing"))?;
        disk.rename(&draft, &path).map_err(failed(&draft, "renaming"))?;
        disk.sync_folder(folder).map_err(failed(folder, "syncing"))
    }

    /// The replicas it runs, by shard.
    pub fn running(&self) -> Vec<(u64, u64)> {
        self.runs.iter().copied().collect()
    }

    /// Whether a replica was ended here.
    pub fn is_gone(&self, shard: u64, replica: u64) -> bool {
        self.gone.contains(&(shard, replica))
    }

    pub(super) fn begin(
        &mut self,
        disk: &dyn Disk,
        folder: &Path,
        shard: u64,
        replica: u64,
    ) -> Result<(), StorageError> {
        if self.runs.insert((shard, replica)) { self.write(disk, folder) } else { Ok(()) }
    }

    pub(super) fn end(&mut self, disk: &dyn Disk, folder: &Path, shard: u64, replica: u64) -> Result<(), StorageError> {
        self.runs.remove(&(shard, replica));
        self.gone.insert((shard, replica));
        self.write(disk, folder)
    }
}

fn whole(bytes: &[u8]) -> Option<&[u8]> {
    let number = |at: usize| Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    let length = usize::try_from(number(0)?).ok()?;
    let text = bytes.get(HEAD..HEAD + length)?;
    (number(4)? == crc32c::crc32c(text)).then_some(text)
}

fn failed(path: &Path, what: &'static str) -> impl FnOnce(io::Error) -> StorageError {
    let path: PathBuf = path.to_owned();
    move |source| StorageError::Disk { path, what, source }
}
