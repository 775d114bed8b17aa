//! Rows looked at by SQL: short stretches spread over the key, so that holes show and no table is read in full.

use super::{
    columns::{Column, Width},
    record::{Cost, Shape},
};
use mysql::{Row, Session, SqlError, ident, literal, table_ident};
use types::TableName;

/// What a sample of rows says.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Rows {
    /// Cost of each row seen.
    pub costs: Vec<Cost>,
    /// Rows in all and the relative standard error, where the key is a number and stretches could be counted.
    pub total: Option<(f64, f64)>,
}

/// Where to look.
pub(crate) struct Look<'a> {
    pub name: &'a TableName,
    pub partition: Option<&'a str>,
    pub shape: &'a Shape,
    /// Rows as the statistics have it: sets the width of stretches.
    pub expected: f64,
    /// How many stretches may be read.
    pub stretches: u64,
    /// Rows a stretch should hold.
    pub rows: u64,
}

/// Stretches asked for in one statement.
const TOGETHER: usize = 32;

impl Look<'_> {
    /// Reads the sample.
    pub async fn run(&self, session: &mut Session) -> Result<Rows, SqlError> {
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
        format!("{}{partition}", table_ident(self.name))
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
        let costs = session.rows(&ask).await?.iter().map(|row| self.cost(row)).collect();
        Ok(Rows { costs, total: None })
    }

    /// Equal stretches of a numeric key, as wide as should hold the wished rows; what they hold counts the table.
    async fn counted(&self, session: &mut Session, low: i128, high: i128) -> Result<Rows, SqlError> {
        let range = high - low + 1;
        let expected = (self.expected.max(1.0)) as i128;
        let width = (range * i128::from(self.rows) / expected).max(1);
        let count = i128::from(self.stretches.max(1)).min((range / width).max(1));
        let key = ident(&self.shape.columns[self.shape.key[0].0].name);
        let stretch = |nth: i128| {
            // The middle of the nth of equal parts: deterministic, so that the same table gives the same answer.
            let start = low + range * nth / count + ((range / count - width) / 2).max(0);
            (nth, format!("{key} >= {start} AND {key} < {}", start + width))
        };
        let stretches: Vec<(i128, String)> = (0..count).map(stretch).collect();
        let limit = self.rows * 8;
        let rows = self.ask(session, &stretches, &key, limit).await?;
        let mut counts = vec![0.0; usize::try_from(count).unwrap_or(1)];
        for row in &rows {
            if let Some(seen) = row.parse::<usize>("stretch").and_then(|nth| counts.get_mut(nth)) {
                *seen += 1.0;
            }
        }
        let costs = rows.iter().map(|row| self.cost(row)).collect();
        let cut = counts.iter().any(|count| *count >= limit as f64);
        Ok(Rows { costs, total: if cut { None } else { total(&counts, range as f64 / width as f64) } })
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
            rows.extend(session.rows(&parts.join(" UNION ALL ")).await?);
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
        Ok(Rows { costs: rows.iter().map(|row| self.cost(row)).collect(), total: None })
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
    all[0] = low.to_owned();
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
    fn points_lie_between_the_ends() {
        let points = points("00-a", "ff-z", 16);
        assert!(points.len() > 8 && points.iter().all(|point| point.as_str() >= "00" && point.as_str() <= "ff-z"));
    }
}
