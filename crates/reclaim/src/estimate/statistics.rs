//! The estimate by SQL alone: how many rows, how wide in each index, hence how many pages a rebuild writes.

use super::{
    content::IndexContent,
    record::{Cost, packed},
    rows::Rows,
};

/// Relative standard error of the server's own row count where its pages are much alike.
const STATISTICS_ERROR: f64 = 0.05;
/// Leaf pages of an index the server looks at to count the rows (`innodb_stats_persistent_sample_pages`).
const STATISTICS_PAGES: f64 = 20.0;

/// The most its error can be taken for: beyond that the mean of what it leaves open is no longer its middle.
const MOST_DOUBT: f64 = 0.75;
/// The same where stretches disprove it.
const DISPROVED: f64 = 0.5;

/// Rows in all by every source, each weighed by its error, with the relative standard error. Where stretches of the table
/// differ, so do the few pages the server's own count rests on; a count below what was seen is none.
pub(crate) fn row_count(statistics: f64, rows: &Rows) -> (f64, f64) {
    let doubt = (rows.variation / STATISTICS_PAGES.sqrt()).clamp(STATISTICS_ERROR, MOST_DOUBT);
    let told = if rows.least > statistics { (rows.least, doubt.max(DISPROVED)) } else { (statistics, doubt) };
    // Few stretches that happen to agree prove less than their spread says.
    let counted = rows.totals.iter().map(|(rows, error)| (*rows, error.max(0.004)));
    let known = counted.chain([told]).filter(|(rows, _)| *rows > 0.0);
    let weighed = known.map(|(rows, error)| (rows, 1.0 / (rows * error).powi(2)));
    let (sum, weight) = weighed.fold((0.0, 0.0), |all, (rows, weight)| (all.0 + rows * weight, all.1 + weight));
    if weight == 0.0 {
        return (0.0, doubt);
    }
    let rows = sum / weight;
    (rows, (1.0 / weight).sqrt() / rows)
}

/// Indexes from rows; `None` if no row was seen.
pub(crate) fn indexes(rows: &Rows, count: (f64, f64), logical_page: u32, pointer: f64) -> Option<Vec<IndexContent>> {
    let first = rows.costs.first()?;
    let blob = mean(rows.costs.iter().map(|cost| cost.blob_pages as f64));
    let clustered: Vec<u64> = rows.costs.iter().map(|cost| cost.clustered).collect();
    let mut all = vec![index(&clustered, count, logical_page, pointer, true)?];
    all[0].blob_pages = count.0 * blob.0;
    all[0].leaf_error = all[0].leaf_error.hypot(count.0 * blob.0 * count.1.hypot(blob.1));
    for nth in 0..first.secondary.len() {
        let sizes: Vec<u64> = rows.costs.iter().map(|cost: &Cost| cost.secondary[nth]).collect();
        all.push(index(&sizes, count, logical_page, pointer, false)?);
    }
    Some(all)
}

fn index(sizes: &[u64], count: (f64, f64), logical_page: u32, pointer: f64, clustered: bool) -> Option<IndexContent> {
    let (size, error) = mean(sizes.iter().map(|size| *size as f64));
    let small: Vec<u16> = sizes.iter().map(|size| u16::try_from(*size).unwrap_or(u16::MAX)).collect();
    let capacity = packed(&small, logical_page, clustered)?;
    let leaf_pages = count.0 * (size + 0.5) / capacity;
    Some(IndexContent {
        clustered,
        leaf_pages,
        leaf_error: leaf_pages * count.1.hypot(error),
        blob_pages: 0.0,
        pointer_bytes: pointer,
        copy_growth: 1.45,
    })
}

/// Rows of one stretch resemble each other: their means are compared, not the rows.
const ALIKE: usize = 24;

/// Mean and its relative standard error.
fn mean(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let values: Vec<f64> = values.collect();
    let average = |some: &[f64]| some.iter().sum::<f64>() / some.len().max(1) as f64;
    let mean = average(&values);
    let groups: Vec<f64> = values.chunks(if values.len() >= 8 * ALIKE { ALIKE } else { 1 }).map(average).collect();
    let count = groups.len() as f64;
    let variance = groups.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0).max(1.0);
    (mean, if mean > 0.0 { (variance / count.max(1.0)).sqrt() / mean } else { 0.0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(totals: &[(f64, f64)], variation: f64, least: f64) -> Rows {
        Rows { totals: totals.to_vec(), variation, least, ..Rows::default() }
    }

    #[test]
    fn the_better_count_weighs_more() {
        let (rows, error) = row_count(1000.0, &seen(&[(500.0, 0.01)], 0.0, 0.0));
        assert!((500.0..520.0).contains(&rows), "{rows}");
        assert!(error < 0.011);
    }

    #[test]
    fn the_servers_count_of_a_table_full_of_holes_is_hardly_known() {
        let (rows, error) = row_count(1000.0, &seen(&[], 3.0, 0.0));
        assert!((rows - 1000.0).abs() < 1e-9 && (0.6..0.7).contains(&error), "{rows} {error}");
        assert!(row_count(1000.0, &seen(&[], 45.0, 0.0)).1 <= 0.75, "an outlier among the keys doubts only so much");
    }

    #[test]
    fn a_count_below_what_was_seen_gives_way() {
        let (rows, error) = row_count(100_000.0, &seen(&[], 0.0, 800_000.0));
        assert!((rows - 800_000.0).abs() < 1.0 && error >= 0.5, "{rows} {error}");
    }
}
