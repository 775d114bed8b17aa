//! What a rebuild takes: disk, temporary space, time. Pure.

use crate::estimate::TableFacts;
use api::{Algorithm, Estimate, Strategy};

/// Bytes per second an in-place rebuild writes; measured 55 to 103 MB/s on two shared cores.
const INPLACE_RATE: f64 = 60.0e6;
/// The same for a copy; measured 22 to 28 MB/s.
const COPY_RATE: f64 = 24.0e6;
/// Bytes per second read from the old file.
const READ_RATE: f64 = 400.0e6;
/// What a statement takes whatever it rebuilds.
const FIXED_SECONDS: f64 = 0.2;
/// Room beyond the predicted size after.
const MARGIN: f64 = 1.1;

/// Predicted seconds: live data is read once and written once, so time goes with live data and not with waste.
pub fn seconds(algorithm: Algorithm, estimate: &Estimate) -> f64 {
    let after = after(estimate);
    let rate = match algorithm {
        Algorithm::Inplace => INPLACE_RATE,
        Algorithm::Copy => COPY_RATE,
    };
    FIXED_SECONDS + after / rate + after / READ_RATE
}

fn after(estimate: &Estimate) -> f64 {
    (estimate.file_bytes as f64 - estimate.predicted_freed_bytes as f64).max(0.0)
}

/// Which loader a strategy uses; partitions are copied row by row.
pub fn algorithm(strategy: &Strategy) -> Algorithm {
    match strategy {
        Strategy::InPlace => Algorithm::Inplace,
        _ => Algorithm::Copy,
    }
}

/// Bytes on the data disk: the new file with a margin, or the largest it may become by the estimate.
pub fn data_bytes(estimate: &Estimate) -> u64 {
    let worst =
        (estimate.file_bytes as f64 - estimate.predicted_low_bytes as f64).min(2.0 * estimate.file_bytes as f64);
    bytes((after(estimate) * MARGIN).max(worst))
}

/// Bytes in the temporary directory: sort files of the secondary indexes, and the row log. A copy sorts nothing.
pub fn tmp_bytes(strategy: &Strategy, table: &TableFacts, row_log: u64) -> u64 {
    match strategy {
        // The statistics count pages of the old, wasteful index; the sort files hold live entries only, twice while merging.
        Strategy::InPlace => {
            let live = after(&table.estimate) / (table.estimate.file_bytes.max(1) as f64);
            bytes(2.0 * table.index_bytes as f64 * live.min(1.0)) + row_log
        }
        _ => 0,
    }
}

fn bytes(value: f64) -> u64 {
    value.max(0.0).ceil() as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::Method;

    #[test]
    fn a_nearly_empty_table_costs_little() {
        let of = |file: u64, freed: i64| Estimate {
            file_bytes: file,
            predicted_freed_bytes: freed,
            predicted_low_bytes: freed,
            predicted_high_bytes: freed,
            data_free_bytes: 0,
            method: Method::Sql,
        };
        let full = seconds(Algorithm::Inplace, &of(1_000_000_000, 0));
        let empty = seconds(Algorithm::Inplace, &of(1_000_000_000, 950_000_000));
        assert!(empty < full / 10.0, "{empty} {full}");
        assert!((110..=111).contains(&data_bytes(&of(1000, 900))));
    }
}
