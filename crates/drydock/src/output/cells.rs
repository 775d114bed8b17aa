//! Numbers as people read them, and the one look all tables have.

use comfy_table::{Cell, CellAlignment, ContentArrangement, Table, presets::NOTHING};

const UNITS: [&str; 6] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

/// `-12.3 MiB`.
#[allow(clippy::cast_precision_loss, reason = "three digits are shown")]
pub fn bytes(count: i64) -> String {
    let (mut size, mut unit) = (count as f64, 0);
    while size.abs() >= 1024.0 && unit + 1 < UNITS.len() {
        size /= 1024.0;
        unit += 1;
    }
    if unit == 0 { format!("{count} B") } else { format!("{size:.1} {}", UNITS[unit]) }
}

/// The same from a size.
pub(super) fn size(count: u64) -> String {
    bytes(i64::try_from(count).unwrap_or(i64::MAX))
}

/// `850 ms`, `12.3 s`, `3m20s`.
pub fn seconds(span: f64) -> String {
    let span = if span.is_finite() { span.max(0.0) } else { 0.0 };
    if span < 1.0 {
        return format!("{:.0} ms", span * 1000.0);
    }
    if span < 60.0 {
        return format!("{span:.1} s");
    }
    types::Span(std::time::Duration::from_secs_f64(span.round().min(1e9))).to_string()
}

/// A text from a server, fit for a terminal: control characters in a name must not move the cursor.
pub(crate) fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// A table without lines around cells, which can be cut and grepped. The columns in `right` hold numbers.
pub(super) fn table(header: &[&str], right: &[usize], rows: Vec<Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(header.to_vec());
    for row in rows {
        table.add_row(row.iter().map(|text| Cell::new(clean(text))));
    }
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        if right.contains(&index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!([bytes(0), bytes(1023), bytes(-1536)], ["0 B", "1023 B", "-1.5 KiB"]);
        assert_eq!([bytes(12 << 20), bytes(i64::MAX)], ["12.0 MiB", "8192.0 PiB"]);
        assert_eq!([seconds(0.25), seconds(12.34), seconds(200.0)], ["250 ms", "12.3 s", "3m20s"]);
    }
}
