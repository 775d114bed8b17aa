//! What InnoDB makes of given content in a rebuild: pages, extents, file size. Pure arithmetic.
//!
//! Source: InnoDB's bulk loader and space allocator, held against rebuilt files of MySQL 9.7 and MariaDB 10.11 whose
//! segment inodes and extent maps were read (`docs/estimate.md`).

use super::content::{Content, IndexContent};
use api::{Algorithm, Estimate, Method};
use mysql::{Capabilities, Version};

/// How the rebuild would be done: the part of the prediction that is a choice.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rebuild {
    /// In place (sorted bulk load) or row by row.
    pub algorithm: Algorithm,
    /// `innodb_segment_reserve_factor` while it runs, in percent: share of each segment kept empty.
    pub reserve_percent: f64,
    /// MariaDB's allocator: runs at most four extents ahead, and adds no reserve at the end of the file.
    pub mariadb: bool,
}

/// Pages a segment takes one by one before it owns extents.
const FRAGMENT_PAGES: f64 = 32.0;
/// From this size in extents a file grows by [`GROWTH`] extents at a time, below it by one.
const SMALL_FILE: u64 = 32;
const GROWTH: u64 = 4;
/// Extents MariaDB's allocator holds ahead of a sequential load at most.
const AHEAD: f64 = 4.0;

impl Rebuild {
    /// As Drydock does it: in place, with the reserve factor lowered where the server has one (MySQL 8.0.26+).
    pub fn ours(caps: &Capabilities) -> Self {
        let lowered = !caps.is_mariadb() && caps.version >= Version(8, 0, 26);
        let reserve_percent = if lowered { 0.03 } else { 12.5 };
        Self { algorithm: Algorithm::Inplace, reserve_percent, mariadb: caps.is_mariadb() }
    }

    /// The same by another algorithm.
    #[must_use]
    pub fn by(self, algorithm: Algorithm) -> Self {
        Self { algorithm, ..self }
    }

    /// Predicts; unknown content spans everything from "all freed" to "as much again". Where holes are punched into the
    /// file, bytes are those of the blocks it takes.
    pub fn estimate(&self, content: &Content) -> Estimate {
        let whole = self.estimate_file(content);
        content.punched_bytes.map_or(whole.clone(), |blocks| punched(&whole, blocks, content.page_bytes))
    }

    fn estimate_file(&self, content: &Content) -> Estimate {
        let file = signed(content.file_bytes);
        let around = |freed: i64, low: i64, high: i64| Estimate {
            file_bytes: content.file_bytes,
            predicted_freed_bytes: freed,
            predicted_low_bytes: low,
            predicted_high_bytes: high,
            data_free_bytes: content.data_free_bytes,
            method: content.method,
        };
        if content.method == Method::None {
            return around(0, -file, file);
        }
        let after = self.expected_bytes(content);
        let doubt = content.doubt * as_f(content.file_bytes);
        // A small file grows at a bound from pages to extents: the ends are worked out as the middle is.
        let end = |by: f64| {
            let content = scaled(content, |error| (by * error).exp());
            signed_f((self.file_bytes(&content) - after).abs().hypot(1.96 * self.model_error_bytes(&content)) + doubt)
        };
        let freed = file - signed_f(after);
        around(freed, freed.saturating_sub(end(1.96)), freed.saturating_add(end(-1.96)).min(file))
    }

    /// File size after, averaged over what sampling leaves open: files grow in steps, and close to a step a small
    /// error decides which side the file ends on.
    fn expected_bytes(&self, content: &Content) -> f64 {
        let shifted = |by: f64| self.file_bytes(&scaled(content, |error| 1.0 + by * error));
        [-1.28, -0.52, 0.0, 0.52, 1.28].map(shifted).iter().sum::<f64>() / 5.0
    }

    /// File size after, in bytes, if the content is exactly so.
    pub fn file_bytes(&self, content: &Content) -> f64 {
        let pages = extent_pages(content.logical_bytes);
        let extent = pages * f64::from(content.page_bytes);
        let mut fragments = 4.0;
        let mut extents = 0.0;
        for index in &content.indexes {
            let leaf = (self.leaf_pages(index) + index.blob_pages + 0.5).ceil();
            let inner = (leaf * inner_share(index.pointer_bytes, content.page_bytes) + 1.0).ceil();
            for used in [leaf, inner] {
                fragments += used.min(FRAGMENT_PAGES);
                extents += self.segment_extents(used, pages, index);
            }
        }
        // Two pages of every extent map's reach are the map and the change buffer bitmap.
        fragments += 2.0 * (extents * pages / f64::from(content.page_bytes)).floor();
        if extents == 0.0 && fragments < pages {
            return (fragments + 1.0) * f64::from(content.page_bytes);
        }
        let blobs = content.indexes.iter().any(IndexContent::is_mostly_blobs);
        as_f(self.grown(extents + (fragments / pages).ceil(), blobs)) * extent
    }

    fn leaf_pages(&self, index: &IndexContent) -> f64 {
        let random = self.algorithm == Algorithm::Copy && !index.clustered;
        if random { index.leaf_pages * index.copy_growth } else { index.leaf_pages }
    }

    /// Extents a segment with `used` pages owns after a sequential load.
    fn segment_extents(&self, used: f64, pages: f64, index: &IndexContent) -> f64 {
        let whole = ((used - FRAGMENT_PAGES) / pages).ceil().max(0.0);
        if used <= FRAGMENT_PAGES {
            return 0.0;
        }
        let reserved = (used / (1.0 - self.reserve_percent / 100.0) - FRAGMENT_PAGES) / pages;
        let ahead = match (self.mariadb && index.clustered, index.is_mostly_blobs()) {
            (true, false) => whole + AHEAD,
            // Pages of long columns are taken one by one, with no direction to run ahead in.
            (true, true) => whole,
            (false, _) => f64::MAX,
        };
        reserved.ceil().clamp(whole, ahead)
    }

    /// The file's size in extents once `used` are taken.
    fn grown(&self, used: f64, blobs: bool) -> u64 {
        let used = unsigned_f(used);
        let mut size = used;
        loop {
            let aligned = size < SMALL_FILE || size.is_multiple_of(GROWTH);
            // MySQL asks for two extents and one percent beyond what it takes before every page of a bulk load, but not
            // before a page of a long column.
            let needed = match (self.mariadb, blobs) {
                (true, _) => used,
                (false, true) => used + 3,
                (false, false) => used + 5 + size / 100,
            };
            if aligned && size >= needed {
                return size;
            }
            size += 1;
        }
    }

    /// Standard error of [`Rebuild::file_bytes`] were the content exact: the growth step, and half a percent for the model.
    fn model_error_bytes(&self, content: &Content) -> f64 {
        let page = f64::from(content.page_bytes);
        let step = 2.2 * extent_pages(content.logical_bytes) * page;
        let after = self.file_bytes(content);
        let copied: f64 = match self.algorithm {
            Algorithm::Inplace => 0.0,
            Algorithm::Copy => content.indexes.iter().filter(|index| !index.clustered).map(|i| i.leaf_pages).sum(),
        };
        (step.powi(2) + (0.005 * after).powi(2) + (0.2 * copied * page).powi(2)).sqrt()
    }
}

/// The same content, more or less of all, by its relative error. By SQL that is one error: the rows', which all indexes share.
fn scaled(content: &Content, by: impl Fn(f64) -> f64) -> Content {
    let errors = content.indexes.iter().map(|index| index.leaf_error);
    let error = match content.method {
        Method::Sql => errors.sum(),
        _ => errors.map(|error| error.powi(2)).sum::<f64>().sqrt(),
    };
    let all: f64 = content.indexes.iter().map(|index| index.leaf_pages + index.blob_pages).sum();
    // Beyond that nothing is known but the file's length.
    let by = by((error / all.max(1.0)).min(1.0)).max(0.0);
    let mut content = content.clone();
    for index in &mut content.indexes {
        index.leaf_pages *= by;
        index.blob_pages *= by;
    }
    content
}

/// The smallest part of a page a hole leaves: one block of the file system.
const BLOCK_BYTES: f64 = 4096.0;

/// The same prediction in blocks. How far the new pages compress is seen in the old ones, roughly; what is certain is that
/// none takes less than one block and none more than all of its own.
fn punched(whole: &Estimate, blocks: u64, page_bytes: u32) -> Estimate {
    let (file, blocks_now) = (as_f(whole.file_bytes), as_f(blocks));
    let after = |freed: i64| (file - freed as f64).max(0.0);
    let least = (BLOCK_BYTES / f64::from(page_bytes)).min(1.0);
    let seen = (blocks_now / file.max(1.0)).clamp(least, 1.0);
    Estimate {
        file_bytes: blocks,
        predicted_freed_bytes: signed_f(blocks_now - after(whole.predicted_freed_bytes) * seen),
        predicted_low_bytes: signed_f(blocks_now - after(whole.predicted_low_bytes)),
        predicted_high_bytes: signed_f(blocks_now - after(whole.predicted_high_bytes) * least),
        ..whole.clone()
    }
}

/// Node pointers per leaf page, with a little for the levels above.
fn inner_share(pointer_bytes: f64, page_bytes: u32) -> f64 {
    1.01 * (pointer_bytes + 0.5) / (f64::from(page_bytes) * 15.0 / 16.0 - 132.0)
}

/// Pages of one extent: 1 MiB worth of pages in memory, but never fewer than 64.
pub(crate) fn extent_pages(page_bytes: u32) -> f64 {
    (1_048_576.0 / f64::from(page_bytes)).max(64.0)
}

fn as_f(bytes: u64) -> f64 {
    bytes as f64
}

fn signed(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

fn signed_f(bytes: f64) -> i64 {
    bytes.round() as i64
}

fn unsigned_f(count: f64) -> u64 {
    count.max(0.0) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pages in use of the clustered leaves and of one secondary index, extents of the rebuilt file; read from real
    /// files of rows of 150 to 250 bytes (MySQL at 0.03 %, MariaDB).
    const SEEN: [(f64, f64, u64, u64); 7] = [
        (304.0, 18.0, 11, 6),
        (910.0, 54.0, 22, 19),
        (1820.0, 108.0, 40, 36),
        (3031.0, 179.0, 60, 56),
        (4546.0, 268.0, 84, 84),
        (6820.0, 402.0, 124, 120),
        (15154.0, 893.0, 260, 260),
    ];

    fn content(clustered: f64, secondary: f64) -> Content {
        let index = |leaf_pages: f64, clustered| IndexContent {
            clustered,
            leaf_pages: leaf_pages - 0.5,
            leaf_error: 0.0,
            blob_pages: 0.0,
            pointer_bytes: 13.0,
            copy_growth: 1.45,
        };
        let indexes = vec![index(clustered, true), index(secondary, false)];
        Content { indexes, method: Method::Pages, ..Content::unknown(1 << 30, 0) }
    }

    #[test]
    fn known_files_come_out_to_the_byte() {
        for (clustered, secondary, mysql, mariadb) in SEEN {
            for (is_mariadb, reserve_percent, extents) in [(false, 0.03, mysql), (true, 12.5, mariadb)] {
                let rebuild = Rebuild { algorithm: Algorithm::Inplace, reserve_percent, mariadb: is_mariadb };
                let bytes = rebuild.file_bytes(&content(clustered, secondary));
                assert!((bytes - as_f(extents << 20)).abs() < 1.0, "{clustered} {is_mariadb}: {}", bytes / 1_048_576.0);
            }
        }
    }

    #[test]
    fn holes_count_as_freed_already() {
        let rebuild = Rebuild { algorithm: Algorithm::Inplace, reserve_percent: 0.03, mariadb: false };
        let whole = content(6820.0, 402.0);
        let holey = Content { punched_bytes: Some(whole.file_bytes / 2), ..whole.clone() };
        let (all, blocks) = (rebuild.estimate(&whole), rebuild.estimate(&holey));
        assert_eq!(blocks.file_bytes, all.file_bytes / 2);
        assert!(blocks.predicted_high_bytes <= signed(blocks.file_bytes), "{blocks:?}");
        assert_eq!(blocks.predicted_low_bytes, all.predicted_low_bytes - signed(all.file_bytes / 2));
        let order = [blocks.predicted_low_bytes, blocks.predicted_freed_bytes, blocks.predicted_high_bytes];
        assert!(order.is_sorted(), "{order:?}");
    }

    #[test]
    fn an_estimate_of_nothing_known_spans_everything() {
        let rebuild = Rebuild { algorithm: Algorithm::Copy, reserve_percent: 12.5, mariadb: true };
        let estimate = rebuild.estimate(&Content::unknown(1000, 10));
        assert_eq!((estimate.predicted_low_bytes, estimate.predicted_high_bytes), (-1000, 1000));
        assert_eq!(estimate.method, Method::None);
    }
}
