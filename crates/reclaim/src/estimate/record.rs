//! Records: how many bytes a row takes in each index, and how many such records a sorted load puts on a page.

use super::{
    catalog::Index,
    columns::{Column, Width},
};

/// Shape of a table's records.
#[derive(Debug, Clone)]
pub(crate) struct Shape {
    pub columns: Vec<Column>,
    /// Clustered key, empty where the server makes a row id.
    pub key: Vec<(usize, Option<u64>)>,
    /// Secondary B-trees.
    pub secondary: Vec<Vec<(usize, Option<u64>)>>,
    /// Their names, in the same order.
    pub secondary_names: Vec<String>,
    /// Secondary parts that are no plain columns.
    pub expressions: usize,
    pub redundant: bool,
    /// 768 bytes of a long column stay in the row (`REDUNDANT`, `COMPACT`).
    pub prefix: bool,
    pub logical_page: u32,
    pub mariadb: bool,
}

/// One row's cost.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Cost {
    pub clustered: u64,
    pub blob_pages: u64,
    pub secondary: Vec<u64>,
}

const HEADER: u64 = 5;
const SYSTEM_COLUMNS: u64 = 13;
const ROW_ID: u64 = 6;
const POINTER: u64 = 20;
const PREFIX: u64 = 768;

impl Shape {
    /// From the dictionary.
    pub fn new(columns: Vec<Column>, indexes: &[Index], row_format: &str, logical_page: u32, mariadb: bool) -> Self {
        let at = |name: &str| columns.iter().position(|column| column.name.eq_ignore_ascii_case(name));
        let parts = |index: &Index| -> Vec<(usize, Option<u64>)> {
            index.parts.iter().filter_map(|(name, prefix)| Some((at(name.as_deref()?)?, *prefix))).collect()
        };
        let whole = |index: &&Index| {
            let no_null = parts(index).iter().all(|(column, prefix)| !columns[*column].nullable && prefix.is_none());
            index.unique && no_null && index.kind == "BTREE"
        };
        let clustered = indexes.iter().find(|index| index.name == "PRIMARY").or_else(|| indexes.iter().find(whole));
        let others = indexes.iter().filter(|index| Some(*index) != clustered && index.kind == "BTREE");
        let expressions = others.clone().flat_map(|index| &index.parts).filter(|(name, _)| name.is_none()).count();
        Self {
            key: clustered.map(&parts).unwrap_or_default(),
            secondary: others.clone().map(&parts).collect(),
            secondary_names: others.map(|index| index.name.clone()).collect(),
            expressions,
            redundant: row_format.eq_ignore_ascii_case("redundant"),
            prefix: ["redundant", "compact"].iter().any(|old| row_format.eq_ignore_ascii_case(old)),
            columns,
            logical_page,
            mariadb,
        }
    }

    /// What a row of these column lengths costs (`None` is NULL; fixed columns count by their width).
    pub fn cost(&self, lengths: &[Option<u64>]) -> Cost {
        let stored: Vec<usize> = (0..self.columns.len()).filter(|at| !self.columns[*at].is_virtual).collect();
        let fields: Vec<(usize, Option<u64>)> = stored.iter().map(|at| (*at, self.bytes(*at, lengths))).collect();
        let (clustered, blob_pages) = self.off_page(&fields);
        let row_id = if self.key.is_empty() { ROW_ID } else { 0 };
        let secondary = self.secondary.iter().map(|parts| self.secondary_bytes(parts, lengths)).collect();
        Cost { clustered: clustered + SYSTEM_COLUMNS + row_id, blob_pages, secondary }
    }

    fn bytes(&self, at: usize, lengths: &[Option<u64>]) -> Option<u64> {
        let column = &self.columns[at];
        let length = lengths.get(at).copied().flatten();
        match column.width {
            Width::Fixed(width) if column.nullable && length.is_none() => self.redundant.then_some(width),
            Width::Fixed(width) => Some(width),
            Width::Variable { least, .. } => length.map(|length| length.max(least)),
            Width::Json => length,
            Width::Strange => length.map(|_| 25),
        }
    }

    /// Header, null bits, length bytes and values.
    fn record(&self, fields: &[(usize, Option<u64>)]) -> u64 {
        let values: u64 = fields.iter().filter_map(|(_, bytes)| *bytes).sum();
        if self.redundant {
            let offset = if values > 127 { 2 } else { 1 };
            // Every field has an offset, the two the server adds included.
            return HEADER + 1 + offset * (fields.len() as u64 + 2) + values;
        }
        let nullable = fields.iter().filter(|(at, _)| self.columns[*at].nullable).count() as u64;
        let lengths: u64 = fields.iter().map(|(at, bytes)| self.length_bytes(*at, *bytes)).sum();
        HEADER + nullable.div_ceil(8) + lengths + values
    }

    fn length_bytes(&self, at: usize, bytes: Option<u64>) -> u64 {
        match (self.columns[at].width, bytes) {
            (_, None) | (Width::Fixed(_), _) => 0,
            (Width::Variable { most, .. }, Some(bytes)) if most <= 255 || bytes <= 127 => 1,
            _ => 2,
        }
    }

    /// Moves the longest columns off the row until it fits half a page.
    fn off_page(&self, fields: &[(usize, Option<u64>)]) -> (u64, u64) {
        let mut fields = fields.to_vec();
        let limit = u64::from(self.logical_page - 132) / 2;
        let mut pages = 0;
        while self.record(&fields) + SYSTEM_COLUMNS > limit {
            let kept = if self.prefix { PREFIX + POINTER } else { POINTER };
            let movable = |(at, _): &&mut (usize, Option<u64>)| {
                !matches!(self.columns[*at].width, Width::Fixed(_)) && !self.key.iter().any(|(key, _)| key == at)
            };
            let Some(longest) = fields.iter_mut().filter(movable).max_by_key(|(_, bytes)| *bytes) else { break };
            let length = longest.1.unwrap_or(0);
            if length <= kept.max(40) {
                break;
            }
            pages += self.blob(length - (kept - POINTER));
            longest.1 = Some(kept);
        }
        (self.record(&fields), pages)
    }

    /// Pages one long value takes. MySQL 8 keeps an index of the pieces in the first page and in pages of its own.
    fn blob(&self, length: u64) -> u64 {
        let page = u64::from(self.logical_page);
        if self.mariadb {
            return length.div_ceil(page - 54);
        }
        let more = length.saturating_sub(page - 704).div_ceil(page - 57);
        1 + more + more.saturating_sub(9).div_ceil(page / 61)
    }

    fn secondary_bytes(&self, parts: &[(usize, Option<u64>)], lengths: &[Option<u64>]) -> u64 {
        let mut fields: Vec<(usize, Option<u64>)> = Vec::new();
        for (at, prefix) in parts.iter().chain(&self.key) {
            if fields.iter().any(|(have, _)| have == at) {
                continue;
            }
            let cut = |bytes: u64| prefix.map_or(bytes, |prefix| bytes.min(prefix * 4));
            fields.push((*at, self.bytes(*at, lengths).map(cut)));
        }
        let row_id = if self.key.is_empty() { ROW_ID } else { 0 };
        self.record(&fields) + row_id + 8 * self.expressions.min(1) as u64
    }
}

/// Bytes, directory slots included, that a sorted load puts on one leaf page, from records as they come.
///
/// The loader stops when the next record would eat into the sixteenth it keeps free of a clustered page, but never
/// below two records a page.
pub(crate) fn packed(sizes: &[u16], logical_page: u32, clustered: bool) -> Option<f64> {
    let empty = u64::from(logical_page) - 132;
    let reserve = if clustered { u64::from(logical_page) / 16 } else { 0 };
    let slots = |records: u64| 2 * records.div_ceil(4);
    let (mut used, mut records, mut pages, mut total) = (0, 0, 0_u64, 0_u64);
    // Some hundred pages' worth, so that the open page at the end weighs little.
    let all: u64 = sizes.iter().map(|size| u64::from(*size)).sum();
    if all == 0 {
        return None;
    }
    let rounds = (100 * empty).div_ceil(all).max(1);
    for size in (0..rounds).flat_map(|_| sizes.iter().map(|size| u64::from(*size))) {
        let needed = size + slots(records + 1) - slots(records);
        let left = empty.saturating_sub(used);
        if needed > left || (records >= 2 && left - needed < reserve) {
            (pages, total) = (pages + 1, total + used);
            (used, records) = (0, 0);
        }
        used += size + slots(records + 1) - slots(records);
        records += 1;
    }
    (pages > 0).then(|| total as f64 / pages as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clustered_page_keeps_a_sixteenth_free() {
        let small = packed(&[239, 240, 241], 16384, true).unwrap();
        assert!((14_980.0..15_228.0).contains(&small), "{small}");
        assert!(packed(&[14], 16384, false).unwrap() > 16_200.0);
    }

    #[test]
    fn two_large_records_share_a_page_whatever_is_left() {
        assert!((packed(&[8000], 16384, true).unwrap() - 16_002.0).abs() < 1.0);
        assert!((packed(&[5200], 16384, true).unwrap() - 10_402.0).abs() < 1.0);
        assert!((packed(&[5000], 16384, true).unwrap() - 15_002.0).abs() < 1.0);
    }
}
