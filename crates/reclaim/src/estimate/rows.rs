//! Rows looked at by SQL: short stretches spread over the key, so that holes show and no table is read in full.

use super::{
    SURVEY_LIMIT,
    columns::{Column, Width},
    record::{Cost, Shape},
};
use mysql::{Row, Session, SqlError, ident, literal, table_ident};
use runtime::Random;
use types::TableName;

/// What a sample of rows says.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Rows {
    /// Cost of each row seen.
    pub costs: Vec<Cost>,
    /// Rows in all and the relative standard error, one for each numeric key whose stretches could be counted.
    pub totals: Vec<(f64, f64)>,
    /// How much the stretches of the clustered key differ in what they hold: standard deviation over mean; 0 if none was counted,
    /// or if many rows may share a value, whose skew says nothing about holes.
    pub variation: f64,
    /// Rows there are at least, by stretches that were cut off; 0 if none was.
    pub least: f64,
}

/// Where to look.
pub(crate) struct Look<'a> {
    pub name: &'a TableName,
    pub partition: Option<&'a str>,
    pub shape: &'a Shape,
    /// Old versions of rows are rows too.
    pub versioned: bool,
    /// Rows as the statistics have it: sets the width of stretches.
    pub expected: f64,
    /// How many stretches may be read.
    pub stretches: u64,
    /// Rows a stretch should hold.
    pub rows: u64,
    pub random: Random,
}

/// Stretches asked for in one statement.
const TOGETHER: usize = 32;

impl Look<'_> {
    /// Reads rows by the clustered key with half of the stretches, and counts by secondary keys with the other half.
    pub async fn run(&self, session: &mut Session) -> Result<Rows, SqlError> {
        let counting = self.countable();
        let spare = if counting.is_empty() { 0 } else { self.stretches / 2 };
        let rows = Look { stretches: self.stretches - spare, random: self.random.clone(), ..*self };
        let mut found = rows.sizes(session).await?;
        for at in &counting {
            let stretches = spare / counting.len() as u64;
            let width =
                found.costs.iter().map(|cost| cost.secondary[*at]).sum::<u64>() / found.costs.len().max(1) as u64;
            // As many entries as a page holds when well filled: each stretch then costs two pages at most.
            let entries = u64::from(self.shape.logical_page) * 2 / 3 / width.max(8);
            let look = Look { stretches, rows: entries, random: self.random.clone(), ..*self };
            let counted = look.count(session, *at).await?;
            found.totals.extend(counted.total);
            found.least = found.least.max(counted.least);
        }
        Ok(found)
    }

    /// Up to two secondary keys that start with a whole number that is never NULL.
    fn countable(&self) -> Vec<usize> {
        let whole = |at: &usize| {
            let first = self.shape.secondary[*at].first().map(|part| &self.shape.columns[part.0]);
            first.is_some_and(|column| column.is_integer && !column.nullable && !column.is_virtual)
        };
        (0..self.shape.secondary.len()).filter(whole).take(2).collect()
    }

    /// Counts the table by stretches of one secondary key.
    async fn count(&self, session: &mut Session, at: usize) -> Result<Counted, SqlError> {
        let column = &self.shape.columns[self.shape.secondary[at][0].0];
        let index = format!(" FORCE INDEX ({})", ident(&self.shape.secondary_names[at]));
        let ends = session.row(&self.ends(column)).await?;
        let end = |name: &str| ends.as_ref().and_then(|row| row.parse::<i128>(name));
        let (Some(low), Some(high)) = (end("low"), end("high")) else { return Ok(Counted::default()) };
        let key = ident(&column.name);
        let (stretches, width) = self.stretches_over(&key, low, high);
        let source = self.source();
        let mut counts = Vec::new();
        for some in stretches.chunks(TOGETHER) {
            let limit = self.rows * 8;
            let part = |(nth, condition): &(i128, String)| {
                format!(
                    "(SELECT {nth} AS stretch, COUNT(*) AS n FROM (SELECT {key} FROM {source}{index} WHERE {condition} \
                     LIMIT {limit}) few)"
                )
            };
            let parts: Vec<String> = some.iter().map(part).collect();
            let rows = session.rows_within(SURVEY_LIMIT, &parts.join(" UNION ALL ")).await?;
            counts.extend(rows.iter().filter_map(|row| row.parse::<f64>("n")));
        }
        Ok(Counted::of(&counts, self.rows * 8, (high - low + 1) as f64 / width as f64))
    }

    /// Conditions for equal stretches, each at random within its share of the key, and their width.
    fn stretches_over(&self, key: &str, low: i128, high: i128) -> (Vec<(i128, String)>, i128) {
        let range = high - low + 1;
        let width = (range * i128::from(self.rows) / (self.expected.max(1.0) as i128)).max(1);
        let count = i128::from(self.stretches.max(1)).min((range / width).max(1));
        let room = u64::try_from((range / count - width).max(0) + 1).unwrap_or(u64::MAX);
        // At random, so that no regular pattern of holes falls in step; seeded, so that a table gives one answer.
        let stretch = |nth: i128| {
            let start = low + range * nth / count + i128::from(self.random.below(room));
            (nth, format!("{key} >= {start} AND {key} < {}", start + width))
        };
        ((0..count).map(stretch).collect(), width)
    }

    async fn sizes(&self, session: &mut Session) -> Result<Rows, SqlError> {
        let Some((key, _)) = self.shape.key.first() else { return self.head(session).await };
        let column = &self.shape.columns[*key];
        let ends = session.row(&self.ends(column)).await?;
        let end = |name: &str| ends.as_ref().and_then(|row| row.text(name));
        let (Some(low), Some(high)) = (end("low"), end("high")) else { return Ok(Rows::default()) };
        match (low.parse::<i128>(), high.parse::<i128>()) {
            (Ok(low), Ok(high)) if matches!(column.width, Width::Fixed(_)) => self.counted(session, low, high).await,
            _ => self.between(session, &low, &high).await,
        }
    }

    fn source(&self) -> String {
        let partition = self.partition.map(|name| format!(" PARTITION ({})", ident(name))).unwrap_or_default();
        let versions = if self.versioned { " FOR SYSTEM_TIME ALL" } else { "" };
        format!("{}{partition}{versions}", table_ident(self.name))
    }

    fn ends(&self, key: &Column) -> String {
        let key = ident(&key.name);
        format!("SELECT MIN({key}) AS low, MAX({key}) AS high FROM {}", self.source())
    }

    /// The lengths of all that is not fixed, as `l0`, `l1`, … by column number.
    fn lengths(&self) -> String {
        let ask = |(at, column): (usize, &Column)| column.length_sql().map(|sql| format!(", {sql} AS l{at}"));
        self.shape.columns.iter().enumerate().filter_map(ask).collect()
    }

    fn cost(&self, row: &Row) -> Cost {
        let lengths: Vec<Option<u64>> = (0..self.shape.columns.len()).map(|at| row.parse(&format!("l{at}"))).collect();
        self.shape.cost(&lengths)
    }

    /// A table without a key to go by: its first rows.
    async fn head(&self, session: &mut Session) -> Result<Rows, SqlError> {
        let limit = (self.stretches * self.rows).clamp(20, 400);
        let ask = format!("SELECT 0 AS stretch{} FROM {} LIMIT {limit}", self.lengths(), self.source());
        let costs = session.rows_within(SURVEY_LIMIT, &ask).await?.iter().map(|row| self.cost(row)).collect();
        Ok(Rows { costs, ..Rows::default() })
    }

    /// Stretches of a numeric key, as wide as should hold the wished rows; what they hold counts the table.
    async fn counted(&self, session: &mut Session, low: i128, high: i128) -> Result<Rows, SqlError> {
        let key = ident(&self.shape.columns[self.shape.key[0].0].name);
        let (stretches, width) = self.stretches_over(&key, low, high);
        let limit = self.rows * 8;
        let rows = self.ask(session, &stretches, &key, limit).await?;
        if rows.is_empty() {
            // Few stretches can all fall into one hole.
            return self.head(session).await;
        }
        let mut counts = vec![0.0; stretches.len()];
        for row in &rows {
            if let Some(seen) = row.parse::<usize>("stretch").and_then(|nth| counts.get_mut(nth)) {
                *seen += 1.0;
            }
        }
        let costs = rows.iter().map(|row| self.cost(row)).collect();
        let counted = Counted::of(&counts, limit, (high - low + 1) as f64 / width as f64);
        let variation = if self.shape.key.len() == 1 { counted.variation } else { 0.0 };
        Ok(Rows { costs, totals: counted.total.into_iter().collect(), variation, least: counted.least })
    }

    async fn ask(
        &self,
        session: &mut Session,
        stretches: &[(i128, String)],
        key: &str,
        limit: u64,
    ) -> Result<Vec<Row>, SqlError> {
        let (lengths, source) = (self.lengths(), self.source());
        let mut rows = Vec::new();
        for some in stretches.chunks(TOGETHER) {
            let part = |(nth, condition): &(i128, String)| {
                format!(
                    "(SELECT {nth} AS stretch{lengths} FROM {source} WHERE {condition} ORDER BY {key} LIMIT {limit})"
                )
            };
            let parts: Vec<String> = some.iter().map(part).collect();
            rows.extend(session.rows_within(SURVEY_LIMIT, &parts.join(" UNION ALL ")).await?);
        }
        Ok(rows)
    }

    /// A key of text or bytes: the next rows after points spread between its ends.
    async fn between(&self, session: &mut Session, low: &str, high: &str) -> Result<Rows, SqlError> {
        let key = ident(&self.shape.columns[self.shape.key[0].0].name);
        let points = points(low, high, self.stretches.clamp(1, 64));
        let stretches: Vec<(i128, String)> =
            (0..).zip(points).map(|(nth, point)| (nth, format!("{key} >= {}", literal(&point)))).collect();
        let rows = self.ask(session, &stretches, &key, self.rows.min(20)).await?;
        Ok(Rows { costs: rows.iter().map(|row| self.cost(row)).collect(), ..Rows::default() })
    }
}

/// What stretches of one key say of the whole.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Counted {
    /// Rows in all with the relative standard error; `None` if a stretch was cut off or few were counted.
    total: Option<(f64, f64)>,
    /// See [`Rows::variation`]; a stretch cut off at `limit` still shows that others hold less.
    variation: f64,
    /// See [`Rows::least`].
    least: f64,
}

impl Counted {
    fn of(counts: &[f64], limit: u64, parts: f64) -> Self {
        let cut = counts.iter().any(|count| *count >= limit as f64);
        let number = counts.len().max(1) as f64;
        let mean = counts.iter().sum::<f64>() / number;
        let variance = counts.iter().map(|count| (count - mean).powi(2)).sum::<f64>() / number;
        let total = total(counts, parts);
        Self {
            total: total.filter(|_| !cut),
            least: total.filter(|_| cut).map_or(0.0, |(rows, error)| rows * (1.0 - error).max(0.0)),
            variation: if mean > 0.0 { variance.sqrt() / mean } else { 0.0 },
        }
    }
}

/// The count of a table from equal stretches that cover one part in `parts / stretches` of its key.
fn total(counts: &[f64], parts: f64) -> Option<(f64, f64)> {
    let number = counts.len() as f64;
    let mean = counts.iter().sum::<f64>() / number;
    if number < 8.0 || mean <= 0.0 {
        return None;
    }
    let steps: f64 = counts.windows(2).map(|pair| (pair[0] - pair[1]).powi(2)).sum();
    let variance = steps / (2.0 * (number - 1.0)) * (1.0 - (number / parts).min(1.0));
    Some((mean * parts, (variance / number).sqrt() / mean))
}

/// Texts spread between two: the first differing character and the one after it are walked in equal steps.
fn points(low: &str, high: &str, count: u64) -> Vec<String> {
    let common: String = low.chars().zip(high.chars()).take_while(|(a, b)| a == b).map(|pair| pair.0).collect();
    let rank = |text: &str| {
        let mut tail = text.chars().skip(common.chars().count()).map(|c| u64::from(c as u32).clamp(32, 126) - 32);
        tail.next().unwrap_or(0) * 95 + tail.next().unwrap_or(0)
    };
    let (from, to) = (rank(low), rank(high).max(rank(low) + 1));
    let letter = |code: u64| char::from(u8::try_from(code + 32).unwrap_or(b'~'));
    let mut all: Vec<String> = (0..count)
        .map(|nth| from + (to - from) * nth / count)
        .map(|rank| format!("{common}{}{}", letter(rank / 95), letter(rank % 95)))
        .collect();
    all.dedup();
    low.clone_into(&mut all[0]);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_count_a_half_deleted_range() {
        let counts: Vec<f64> = (0..40).map(|nth| if nth < 20 { 30.0 } else { 0.0 }).collect();
        let (rows, error) = total(&counts, 4000.0).unwrap();
        assert!((rows - 60_000.0).abs() < 1.0);
        assert!(error < 0.1, "one edge, not noise: {error}");
    }

    #[test]
    fn full_and_empty_stretches_differ_even_where_they_are_cut_off() {
        let runs: Vec<f64> = (0..40).map(|nth| if nth % 10 == 3 { 192.0 } else { 0.0 }).collect();
        let counted = Counted::of(&runs, 192, 400.0);
        assert_eq!(counted.total, None);
        assert!((counted.variation - 3.0).abs() < 0.01, "{counted:?}");
        assert!(
            (1_000.0..7_680.0).contains(&counted.least),
            "192 in one of ten of 400 parts, less an error: {counted:?}"
        );
        let even = Counted::of(&[24.0; 40], 192, 400.0);
        assert!(even.variation < 0.01 && even.least == 0.0, "{even:?}");
        assert!(
            (Counted::of(&[192.0; 40], 192, 400.0).least - 76_800.0).abs() < 1.0,
            "all cut off: all that was seen is there"
        );
    }

    #[test]
    fn points_lie_between_the_ends() {
        let points = points("00-a", "ff-z", 16);
        assert!(points.len() > 8 && points.iter().all(|point| point.as_str() >= "00" && point.as_str() <= "ff-z"));
    }
}
