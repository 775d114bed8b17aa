//! Tables that waste space in different ways, to hold the estimate against what a rebuild frees.

mod first;
mod second;

/// One table and what is done to it.
pub struct Shape {
    /// Word for the report.
    pub name: &'static str,
    /// `CREATE TABLE t (…)`: what stands in the brackets, and after them.
    pub columns: &'static str,
    /// Options after the brackets.
    pub options: &'static str,
    /// Columns filled, or empty for all.
    pub into: &'static str,
    /// Expressions over `n` that fill a row.
    pub values: &'static str,
    /// Rows.
    pub rows: u64,
    /// What wastes the space.
    pub then: &'static [&'static str],
}

/// `name, columns, options, into, values, rows, then`.
type Line = (&'static str, &'static str, &'static str, &'static str, &'static str, u64, &'static [&'static str]);

/// Every shape of a set: 1 or 2.
pub fn of_set(set: u8) -> impl Iterator<Item = Shape> {
    let lines = if set == 1 { first::LINES } else { second::LINES };
    lines.iter().map(|line| {
        let (name, columns, options, into, values, rows, then) = *line;
        Shape { name, columns, options, into, values, rows, then }
    })
}
