//! What a survey says of one table: its nature, and what a rebuild would free.

use super::{Content, Rebuild};
use api::{Estimate, Method};
use types::TableName;

/// One base table on one server.
#[derive(Debug, Clone, PartialEq)]
pub struct TableFacts {
    /// Its name.
    pub name: TableName,
    /// As the server words it, such as `InnoDB`.
    pub engine: String,
    /// As the server words it, such as `Dynamic`.
    pub row_format: String,
    /// As the server words it.
    pub create_options: String,
    /// `KEY_BLOCK_SIZE` in KiB of a `ROW_FORMAT=COMPRESSED` table.
    pub compressed_kib: Option<u32>,
    /// Pages are compressed and holes punched (MySQL `COMPRESSION=`, MariaDB `PAGE_COMPRESSED=1`).
    pub page_compressed: bool,
    /// Encrypted at rest.
    pub encrypted: bool,
    /// Has a `FULLTEXT` index: no in-place rebuild.
    pub has_fulltext: bool,
    /// Has a `SPATIAL` index: in place at best under `LOCK=SHARED`.
    pub has_spatial: bool,
    /// Has an index over a virtual generated column: `MariaDB` refuses to rebuild it online.
    pub has_indexed_virtual: bool,
    /// Has a primary key of its own.
    pub has_primary_key: bool,
    /// Has or is pointed at by a foreign key.
    pub has_foreign_key: bool,
    /// Lies in `ibdata1` or a general tablespace: a rebuild moves it out or within and frees nothing on disk.
    pub shared_tablespace: bool,
    /// Row versions made by instant DDL (MySQL 8.0.29+); 0 where there are none or none can be known.
    pub instant_row_versions: u64,
    /// Rows, as the statistics have it.
    pub rows: u64,
    /// Bytes in secondary indexes, as the statistics have it.
    pub index_bytes: u64,
    /// The whole table, rebuilt as Drydock does it.
    pub estimate: Estimate,
    /// Predicted size after.
    pub rebuilt_bytes: u64,
    /// Each partition (each subpartition where there are some); empty for an unpartitioned table.
    pub partitions: Vec<PartitionFacts>,
    pub(crate) contents: Vec<Content>,
}

/// One partition.
#[derive(Debug, Clone, PartialEq)]
pub struct PartitionFacts {
    /// Its name as `REBUILD PARTITION` takes it: the partition's, not the subpartition's.
    pub name: String,
    /// The subpartition, where there are some.
    pub subpartition: Option<String>,
    /// Rows, as the statistics have it.
    pub rows: u64,
    /// Rebuilt as Drydock does it.
    pub estimate: Estimate,
    /// Predicted size after.
    pub rebuilt_bytes: u64,
}

impl TableFacts {
    /// The prediction for another algorithm or reserve factor.
    pub fn estimate_for(&self, rebuild: &Rebuild) -> Estimate {
        sum(self.contents.iter().map(|content| rebuild.estimate(content)), self.shared_tablespace)
    }

    /// True if partitioned.
    pub fn is_partitioned(&self) -> bool {
        !self.partitions.is_empty()
    }
}

/// Predicted size after, never below zero.
pub(crate) fn rebuilt(estimate: &Estimate) -> u64 {
    let after = i128::from(estimate.file_bytes) - i128::from(estimate.predicted_freed_bytes);
    u64::try_from(after.max(0)).unwrap_or(u64::MAX)
}

/// Adds parts up. Errors of parts are independent, so half-widths add as squares; unknown parts add in full.
pub(crate) fn sum(parts: impl Iterator<Item = Estimate>, shared: bool) -> Estimate {
    let mut total = Estimate {
        file_bytes: 0,
        predicted_freed_bytes: 0,
        predicted_low_bytes: 0,
        predicted_high_bytes: 0,
        data_free_bytes: 0,
        method: Method::Pages,
    };
    let (mut below, mut above, mut any) = (0.0_f64, 0.0_f64, false);
    for part in parts {
        any = true;
        total.file_bytes += part.file_bytes;
        total.predicted_freed_bytes += part.predicted_freed_bytes;
        total.data_free_bytes += part.data_free_bytes;
        below = below.hypot((part.predicted_freed_bytes - part.predicted_low_bytes) as f64);
        above = above.hypot((part.predicted_high_bytes - part.predicted_freed_bytes) as f64);
        total.method = weaker(total.method, part.method);
    }
    if !any {
        total.method = Method::None;
    }
    total.predicted_low_bytes = total.predicted_freed_bytes - below.round() as i64;
    total.predicted_high_bytes = total.predicted_freed_bytes + above.round() as i64;
    if shared {
        total.predicted_freed_bytes = 0;
        total.predicted_low_bytes = 0;
        total.predicted_high_bytes = 0;
    }
    total
}

fn weaker(one: Method, other: Method) -> Method {
    let rank = |method: Method| match method {
        Method::Pages => 0,
        Method::Sql => 1,
        Method::None => 2,
    };
    if rank(one) >= rank(other) { one } else { other }
}
