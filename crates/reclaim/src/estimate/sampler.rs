//! Looks at a few pages of each segment and tells what the whole segment holds.

use super::{
    content::IndexContent,
    page::{self, Page},
    record::packed,
    tablespace::{Extent, Tablespace},
};
use runtime::Random;
use std::{collections::BTreeMap, io};

/// Pages of one segment (segment 0: the single pages of all), in file order.
struct Stratum {
    extents: Vec<Extent>,
    /// Used pages before each extent.
    before: Vec<u32>,
    pages: u32,
}

/// What was seen of one page.
struct Draw {
    number: u32,
    page: Page,
}

/// What was found.
pub(crate) struct Sampled {
    pub indexes: Vec<IndexContent>,
    /// Records of the clustered index, those marked deleted and not yet purged included.
    pub records: f64,
    /// Share of looked-at pages that could not be read.
    pub unreadable: f64,
}

/// Whole pages read per index at most to learn the sizes of its records, and how many sizes are enough.
const WHOLE_PAGES: usize = 16;
const ENOUGH_SIZES: usize = 150;
/// Standard error asked for, as a share of the file, before sampling stops early.
const GOAL: f64 = 0.003;

/// Page sampling over one believed file.
pub(crate) struct Sampler<'a> {
    pub tablespace: &'a mut Tablespace,
    /// Index id and whether it is clustered.
    pub clustered: &'a std::collections::HashMap<u64, bool>,
    pub logical_page: u32,
    pub compressed: bool,
    /// Bytes that may be read, whole blocks counted.
    pub allowance: u64,
    pub random: Random,
}

impl Sampler<'_> {
    /// Reads maps, then headers in two rounds, then some whole pages.
    pub fn run(mut self) -> io::Result<Sampled> {
        let strata = strata(self.tablespace.extents()?);
        let used: u32 = strata.values().map(|stratum| stratum.pages).sum();
        let affordable = self.headers_left(self.allowance * 4 / 5);
        if affordable < strata.len() as u64 {
            return Ok(unseen(&strata));
        }
        let first = affordable.min(96);
        let mut draws = self.round(&strata, used, first)?;
        let wanted = self.wanted(&strata, &draws, first).min(affordable.saturating_sub(first));
        if wanted > first / 8 {
            draws = self.round(&strata, used, wanted.max(first))?;
        }
        let unreadable = share(&draws, |draw| draw.page == Page::Unreadable);
        let indexes = self.indexes(&strata, &draws)?;
        let records = self.records(&strata, &draws);
        Ok(Sampled { indexes, records, unreadable })
    }

    fn headers_left(&self, bytes: u64) -> u64 {
        bytes.saturating_sub(self.tablespace.read) / super::budget::BLOCK
    }

    /// Draws spread over each stratum: one at random out of each of equal stretches, at least four.
    fn round(
        &mut self,
        strata: &BTreeMap<u64, Stratum>,
        used: u32,
        draws: u64,
    ) -> io::Result<BTreeMap<u64, Vec<Draw>>> {
        let mut all = BTreeMap::new();
        for (segment, stratum) in strata {
            let share = draws * u64::from(stratum.pages) / u64::from(used.max(1));
            let least = (draws / strata.len() as u64).clamp(1, 4);
            let count = share.max(least).min(u64::from(stratum.pages));
            let mut seen = Vec::new();
            for nth in 0..count {
                let (from, to) = (nth * u64::from(stratum.pages) / count, (nth + 1) * u64::from(stratum.pages) / count);
                let number = stratum.page((from + self.random.below(to - from)) as u32);
                let bytes = self.tablespace.header(number)?;
                seen.push(Draw { number, page: page::read(&bytes, number, self.logical_page) });
            }
            all.insert(*segment, seen);
        }
        Ok(all)
    }

    /// How many draws would reach the goal, by what the first round shows.
    fn wanted(&self, strata: &BTreeMap<u64, Stratum>, draws: &BTreeMap<u64, Vec<Draw>>, first: u64) -> u64 {
        let page = f64::from(self.logical_page);
        let variance: f64 = strata
            .iter()
            .map(|(segment, stratum)| spread(&values(&draws[segment], None), f64::from(stratum.pages)).powi(2))
            .sum();
        let goal = GOAL * f64::from(self.tablespace.pages) * page;
        (first as f64 * variance / goal.powi(2)).ceil() as u64
    }

    fn indexes(
        &mut self,
        strata: &BTreeMap<u64, Stratum>,
        draws: &BTreeMap<u64, Vec<Draw>>,
    ) -> io::Result<Vec<IndexContent>> {
        let mut ids: Vec<u64> = draws.values().flatten().filter_map(|draw| leaf(draw).map(|(id, _)| id)).collect();
        ids.sort_unstable();
        ids.dedup();
        let mut all = Vec::new();
        for id in ids {
            let clustered = self.clustered.get(&id).copied().unwrap_or(false);
            let capacity = self.capacity(id, clustered, draws)?;
            let (mut bytes, mut variance) = (0.0, 0.0);
            for (segment, stratum) in strata {
                let seen = values(&draws[segment], Some(id));
                let pages = f64::from(stratum.pages);
                bytes += pages * mean(&seen);
                variance += spread(&seen, pages).powi(2);
            }
            all.push(IndexContent {
                clustered,
                leaf_pages: bytes / capacity,
                leaf_error: variance.sqrt() / capacity,
                blob_pages: 0.0,
                pointer_bytes: pointer(draws, id),
                copy_growth: 1.45,
            });
        }
        let blobs = blob_pages(strata, draws);
        if blobs.0 > 0.0 && !all.iter().any(|index| index.clustered) {
            // Long columns can outnumber the rows' own pages so far that no draw met one: a row needs at least a pointer.
            let (leaf_pages, leaf_error) = (blobs.0 / 100.0, blobs.0 / 100.0);
            let index = IndexContent {
                clustered: true,
                leaf_pages,
                leaf_error,
                blob_pages: 0.0,
                pointer_bytes: 24.0,
                copy_growth: 1.0,
            };
            all.push(index);
        }
        if let Some(index) = all.iter_mut().find(|index| index.clustered) {
            (index.blob_pages, index.leaf_error) = (blobs.0, index.leaf_error.hypot(blobs.1));
        }
        Ok(all)
    }

    fn records(&self, strata: &BTreeMap<u64, Stratum>, draws: &BTreeMap<u64, Vec<Draw>>) -> f64 {
        let of = |draw: &Draw| match draw.page {
            Page::Node { index, level: 0, records, .. } if self.clustered.get(&index) == Some(&true) => records,
            _ => 0.0,
        };
        let part = |(segment, stratum): (&u64, &Stratum)| {
            let readable = draws[segment].iter().filter(|draw| draw.page != Page::Unreadable);
            f64::from(stratum.pages) * mean(&readable.map(of).collect::<Vec<f64>>())
        };
        strata.iter().map(part).sum()
    }

    /// Bytes a rebuilt leaf page of this index will hold.
    fn capacity(&mut self, id: u64, clustered: bool, draws: &BTreeMap<u64, Vec<Draw>>) -> io::Result<f64> {
        let leaves: Vec<&Draw> =
            draws.values().flatten().filter(|draw| leaf(draw).is_some_and(|l| l.0 == id)).collect();
        if self.compressed {
            return Ok(densest(&leaves));
        }
        let step = leaves.len().div_ceil(WHOLE_PAGES).max(1);
        let mut sizes = Vec::new();
        for draw in leaves.iter().step_by(step) {
            let affordable = self.tablespace.read + u64::from(self.logical_page) <= self.allowance;
            if sizes.is_empty() || (affordable && sizes.len() < ENOUGH_SIZES) {
                sizes.extend(page::record_sizes(&self.tablespace.page(draw.number)?));
                if sizes.is_empty() {
                    break; // The old record format does not tell: further pages would not either.
                }
            }
        }
        let (bytes, records) = leaves.iter().fold((0.0, 0.0), |sum, draw| match draw.page {
            Page::Node { live, records, .. } => (sum.0 + live, sum.1 + records),
            _ => sum,
        });
        // Without sizes (the old record format): on average half a record does not fit any more.
        let average = f64::from(self.logical_page) * if clustered { 15.0 / 16.0 } else { 1.0 } - 132.0;
        let waste: f64 = if records > 0.0 { bytes / records / 2.0 } else { 0.0 };
        Ok(packed(&sizes, self.logical_page, clustered).unwrap_or((average - waste).max(average / 2.0)))
    }
}

impl Stratum {
    fn page(&self, nth: u32) -> u32 {
        let at = self.before.partition_point(|before| *before <= nth).saturating_sub(1);
        self.extents[at].page(nth - self.before[at])
    }
}

fn strata(extents: Vec<Extent>) -> BTreeMap<u64, Stratum> {
    let mut all: BTreeMap<u64, Stratum> = BTreeMap::new();
    for extent in extents.into_iter().filter(|extent| extent.count() > 0) {
        let empty = || Stratum { extents: Vec::new(), before: Vec::new(), pages: 0 };
        let stratum = all.entry(extent.segment).or_insert_with(empty);
        stratum.before.push(stratum.pages);
        stratum.pages += extent.count();
        stratum.extents.push(extent);
    }
    all
}

/// A file too small to be worth more than its map: used pages are known, how full they are is not. Trees that grew
/// page by page lie between half and all full.
fn unseen(strata: &BTreeMap<u64, Stratum>) -> Sampled {
    let index = |stratum: &Stratum| IndexContent {
        clustered: true,
        leaf_pages: 0.85 * f64::from(stratum.pages),
        leaf_error: 0.13 * f64::from(stratum.pages),
        blob_pages: 0.0,
        pointer_bytes: 24.0,
        copy_growth: 1.0,
    };
    let indexes = strata.iter().filter(|(segment, _)| **segment != 0).map(|(_, stratum)| index(stratum)).collect();
    Sampled { indexes, records: 0.0, unreadable: 0.0 }
}

/// Index and bytes of a leaf, directory slots included.
fn leaf(draw: &Draw) -> Option<(u64, f64)> {
    match draw.page {
        Page::Node { index, level: 0, live, records, .. } => Some((index, live + records / 2.0)),
        _ => None,
    }
}

/// What each readable draw adds to one index (`None`: to any).
fn values(draws: &[Draw], id: Option<u64>) -> Vec<f64> {
    let readable = draws.iter().filter(|draw| draw.page != Page::Unreadable);
    readable.map(|draw| leaf(draw).filter(|leaf| id.is_none_or(|id| id == leaf.0)).map_or(0.0, |leaf| leaf.1)).collect()
}

fn mean(values: &[f64]) -> f64 {
    if values.is_empty() { 0.0 } else { values.iter().sum::<f64>() / values.len() as f64 }
}

/// Standard error of `pages` times the mean. Neighbouring draws are compared, so a slow change along the file, which
/// spread draws follow, does not count as noise.
fn spread(values: &[f64], pages: f64) -> f64 {
    let count = values.len() as f64;
    if count < 2.0 {
        return if pages > 1.0 { pages * mean(values) / 2.0 } else { 0.0 };
    }
    let steps: f64 = values.windows(2).map(|pair| (pair[0] - pair[1]).powi(2)).sum();
    let variance = steps / (2.0 * (count - 1.0));
    pages * (variance / count * (1.0 - (count / pages).min(1.0))).sqrt()
}

fn blob_pages(strata: &BTreeMap<u64, Stratum>, draws: &BTreeMap<u64, Vec<Draw>>) -> (f64, f64) {
    let (mut pages, mut variance) = (0.0, 0.0);
    for (segment, stratum) in strata {
        let readable = draws[segment].iter().filter(|draw| draw.page != Page::Unreadable);
        let seen: Vec<f64> = readable.map(|draw| if draw.page == Page::Blob { 1.0 } else { 0.0 }).collect();
        pages += f64::from(stratum.pages) * mean(&seen);
        variance += spread(&seen, f64::from(stratum.pages)).powi(2);
    }
    (pages, variance.sqrt())
}

fn pointer(draws: &BTreeMap<u64, Vec<Draw>>, id: u64) -> f64 {
    let inner = draws.values().flatten().filter_map(|draw| match draw.page {
        Page::Node { index, level, live, records, .. } if index == id && level > 0 => Some((live, records)),
        _ => None,
    });
    let (bytes, records) = inner.fold((0.0, 0.0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    if records > 0.0 { bytes / records } else { 24.0 }
}

/// Compressed pages hold what compresses into them: the fullest seen, deleted rows that still lie there included, show how
/// much that is.
fn densest(leaves: &[&Draw]) -> f64 {
    let heap = |draw: &&Draw| match draw.page {
        Page::Node { heap, records, .. } => Some(heap + records / 2.0),
        _ => None,
    };
    let mut bytes: Vec<f64> = leaves.iter().filter_map(heap).collect();
    bytes.sort_by(f64::total_cmp);
    bytes.get(bytes.len() * 9 / 10).copied().unwrap_or(8192.0).max(1.0)
}

fn share(draws: &BTreeMap<u64, Vec<Draw>>, is: impl Fn(&Draw) -> bool) -> f64 {
    let all = draws.values().map(Vec::len).sum::<usize>().max(1);
    draws.values().flatten().filter(|draw| is(draw)).count() as f64 / all as f64
}
