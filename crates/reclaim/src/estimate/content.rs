//! What a tablespace holds, freed of how it lies there now: the input of the rebuild model.

use api::Method;

/// Live content of one tablespace.
#[derive(Debug, Clone, PartialEq)]
pub struct Content {
    /// `FILE_SIZE`.
    pub file_bytes: u64,
    /// `DATA_FREE`, uncached: what the seed's rule sees.
    pub data_free_bytes: u64,
    /// How it was found.
    pub method: Method,
    /// Bytes of a page as it lies in the file (the compressed size for `ROW_FORMAT=COMPRESSED`).
    pub page_bytes: u32,
    /// Bytes of a page in memory; extents are counted in these.
    pub logical_bytes: u32,
    /// Every index with its live content.
    pub indexes: Vec<IndexContent>,
    /// Bytes its blocks take on disk, where pages are compressed and holes punched into the file; `None` elsewhere.
    pub punched_bytes: Option<u64>,
    /// Share of `file_bytes` that could be wrong for reasons no sample shows (dirty pages, unreadable pages): 0 to 1.
    pub doubt: f64,
}

/// Live content of one B-tree, in pages of what a rebuild writes.
#[derive(Debug, Clone, PartialEq)]
pub struct IndexContent {
    /// Whether it holds the rows.
    pub clustered: bool,
    /// Leaf pages after a sorted bulk load, tails not rounded.
    pub leaf_pages: f64,
    /// Standard error of `leaf_pages`.
    pub leaf_error: f64,
    /// Pages of long columns stored off the row; a rebuild writes as many.
    pub blob_pages: f64,
    /// Bytes of one node pointer record.
    pub pointer_bytes: f64,
    /// How full a random insertion leaves pages, against a bulk load: what `ALGORITHM=COPY` does to secondary indexes.
    pub copy_growth: f64,
}

impl IndexContent {
    /// More pages of long columns than of rows.
    pub(crate) fn is_mostly_blobs(&self) -> bool {
        self.blob_pages > self.leaf_pages
    }
}

impl Content {
    /// Nothing is known but the file's size.
    pub fn unknown(file_bytes: u64, data_free_bytes: u64) -> Self {
        Self {
            file_bytes,
            data_free_bytes,
            method: Method::None,
            page_bytes: 16384,
            logical_bytes: 16384,
            indexes: Vec::new(),
            punched_bytes: None,
            doubt: 1.0,
        }
    }
}
