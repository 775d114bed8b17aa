//! One page's own account of itself, believed only where it is consistent.

use super::tablespace::{be16, be32, be64};

/// What a page is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Page {
    /// A B-tree node.
    Node {
        /// Of which index.
        index: u64,
        /// 0 for leaves.
        level: u16,
        /// Bytes of records that are not deleted.
        live: f64,
        /// Bytes of records, deleted ones that still lie there included.
        heap: f64,
        /// Their number.
        records: f64,
    },
    /// Part of a long column kept off the row.
    Blob,
    /// The server's own: maps, segment lists, dictionary.
    Service,
    /// Encrypted, page-compressed, torn, or never written.
    Unreadable,
}

const INDEX: [u16; 3] = [17855, 17854, 17853];
const SDI: u16 = 17853;
const COMPACT_DATA: f64 = 120.0;
const REDUNDANT_DATA: f64 = 125.0;

/// Reads a header of at least 128 bytes; `number` is the page that was asked for.
pub(crate) fn read(bytes: &[u8], number: u32, logical: u32) -> Page {
    match be16(bytes, 24) {
        kind if INDEX.contains(&kind) => node(bytes, number, logical, kind),
        10..=12 | 18..=29 => Page::Blob,
        2..=9 | 42 => Page::Service,
        _ => Page::Unreadable,
    }
}

fn node(bytes: &[u8], number: u32, logical: u32, kind: u16) -> Page {
    let heap = be16(bytes, 42);
    let (top, garbage, records) = (f64::from(be16(bytes, 40)), f64::from(be16(bytes, 46)), f64::from(be16(bytes, 54)));
    // On 64 KiB pages a heap that fills the page shows as 0.
    let top = if top == 0.0 && logical == 65536 { 65536.0 } else { top };
    let start = if heap & 0x8000 == 0 { REDUNDANT_DATA } else { COMPACT_DATA };
    let in_heap = f64::from(heap & 0x7FFF) - 2.0;
    let sane = be32(bytes, 4) == number
        && top >= start
        && top <= f64::from(logical)
        && garbage <= top - start
        && records <= in_heap
        && be16(bytes, 64) < 64;
    if !sane {
        return Page::Unreadable;
    }
    if kind == SDI {
        return Page::Service;
    }
    Page::Node {
        index: be64(bytes, 66),
        level: be16(bytes, 64),
        live: top - start - garbage,
        heap: top - start,
        records,
    }
}

/// Sizes of the records of a whole page, garbage included, taken as the distances between record origins: the sizes
/// that come again when such rows are packed anew. Empty if the chain is not sound.
pub(crate) fn record_sizes(bytes: &[u8]) -> Vec<u16> {
    if be16(bytes, 42) & 0x8000 == 0 {
        return Vec::new();
    }
    let top = be16(bytes, 40);
    let mut origins = chain(bytes, 99);
    origins.extend(chain_from(bytes, be16(bytes, 44)));
    origins.retain(|origin| *origin > 112 && *origin < top);
    origins.sort_unstable();
    origins.windows(2).map(|pair| pair[1] - pair[0]).collect()
}

/// Follows the list of records that starts after `origin`; offsets are relative in the compact formats.
fn chain(bytes: &[u8], origin: u16) -> Vec<u16> {
    chain_from(bytes, origin.wrapping_add(be16(bytes, usize::from(origin) - 2)))
}

fn chain_from(bytes: &[u8], first: u16) -> Vec<u16> {
    let mut origins = Vec::new();
    let mut at = first;
    while usize::from(at) < bytes.len() && at > 112 && origins.len() < 8192 {
        origins.push(at);
        let next = be16(bytes, usize::from(at) - 2);
        if next == 0 {
            break;
        }
        at = at.wrapping_add(next);
    }
    origins
}
