//! Rows of an answer, as text or in binary.

use crate::ErrorAnswer;
use crate::answer::{done, eof};
use crate::column::{Column, ColumnKind, Format, definition};
use crate::write::{counted, length};

/// Rows: every value as text, `None` for NULL.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rows {
    /// What each value of a row is.
    pub columns: Vec<Column>,
    /// Values, each row as long as `columns`.
    pub rows: Vec<Vec<Option<String>>>,
}

impl Rows {
    /// Rows from their parts; all columns hold text.
    pub fn new(columns: &[&str], rows: Vec<Vec<Option<String>>>) -> Self {
        Self { columns: columns.iter().map(|name| (*name).into()).collect(), rows }
    }

    /// Their packets; an error instead if a value is not what its column says.
    pub(crate) fn packets(&self, format: Format, deprecate_eof: bool) -> Vec<Vec<u8>> {
        let rows: Result<Vec<Vec<u8>>, ErrorAnswer> = self.rows.iter().map(|row| self.row(row, format)).collect();
        match rows {
            Ok(rows) => self.framed(rows, format, deprecate_eof),
            Err(error) => vec![error.packet()],
        }
    }

    fn framed(&self, rows: Vec<Vec<u8>>, format: Format, deprecate_eof: bool) -> Vec<Vec<u8>> {
        let mut count = Vec::new();
        length(&mut count, self.columns.len() as u64);
        let mut packets = vec![count];
        packets.extend(self.columns.iter().map(|column| definition(column, format)));
        if !deprecate_eof {
            packets.push(eof());
        }
        packets.extend(rows);
        packets.push(if deprecate_eof { done(0xFE, 0) } else { eof() });
        packets
    }

    fn row(&self, row: &[Option<String>], format: Format) -> Result<Vec<u8>, ErrorAnswer> {
        // A row of another width would shift every value behind it.
        if row.len() != self.columns.len() {
            return Err(unfit(&format!("a row of {} values under {} columns", row.len(), self.columns.len())));
        }
        match format {
            Format::Text => Ok(text_row(row)),
            Format::Binary => binary_row(&self.columns, row),
        }
    }
}

fn unfit(what: &str) -> ErrorAnswer {
    ErrorAnswer::new(1105, "HY000", format!("the answer cannot be sent: {what}"))
}

fn text_row(row: &[Option<String>]) -> Vec<u8> {
    let mut packet = Vec::new();
    for value in row {
        match value {
            None => packet.push(0xFB),
            Some(text) => counted(&mut packet, text.as_bytes()),
        }
    }
    packet
}

/// A zero, the map of NULLs (its first two bits are not used), the values that are none.
fn binary_row(columns: &[Column], row: &[Option<String>]) -> Result<Vec<u8>, ErrorAnswer> {
    let mut packet = vec![0; 1 + (columns.len() + 9) / 8];
    for (place, (column, value)) in columns.iter().zip(row).enumerate() {
        match value {
            None => packet[1 + (place + 2) / 8] |= 1 << ((place + 2) % 8),
            Some(text) => binary_value(&mut packet, column, text)?,
        }
    }
    Ok(packet)
}

fn binary_value(packet: &mut Vec<u8>, column: &Column, text: &str) -> Result<(), ErrorAnswer> {
    match column.kind {
        ColumnKind::Text => counted(packet, text.as_bytes()),
        ColumnKind::Long | ColumnKind::LongLong => {
            let number = text.parse::<i64>().map_err(|_| unfit(&format!("{} is not a number: {text}", column.name)))?;
            packet.extend_from_slice(&number.to_le_bytes());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(rows: &[&[Option<&str>]]) -> Rows {
        let rows = rows.iter().map(|row| row.iter().map(|value| value.map(str::to_owned)).collect()).collect();
        let columns = vec![Column::new("n", ColumnKind::Long), "t".into()];
        Rows { columns, rows }
    }

    #[test]
    fn a_binary_row_marks_nulls_and_carries_numbers_in_eight_bytes() {
        let rows = numbers(&[&[Some("-2"), Some("ab")], &[None, Some("c")], &[Some("1"), None]]);
        let packets = rows.packets(Format::Binary, true);
        assert_eq!(packets[3], [0, 0, 0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 2, b'a', b'b']);
        assert_eq!(packets[4], [0, 0b100, 1, b'c']);
        assert_eq!(packets[5], [0, 0b1000, 1, 0, 0, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn the_map_of_nulls_grows_with_the_columns() {
        let names: Vec<String> = (0..7).map(|number| number.to_string()).collect();
        let columns = names.into_iter().map(Into::into).collect();
        let rows = Rows { columns, rows: vec![vec![None; 7]] };
        assert_eq!(rows.packets(Format::Binary, true)[8], [0, 0b1111_1100, 1]);
    }

    #[test]
    fn what_does_not_fit_its_column_becomes_an_error_not_a_broken_row() {
        for (rows, format) in [
            (numbers(&[&[Some("x"), None]]), Format::Binary),
            (numbers(&[&[Some("1")]]), Format::Text),
            (numbers(&[&[Some("1")]]), Format::Binary),
        ] {
            let packets = rows.packets(format, true);
            assert_eq!((packets.len(), packets[0][0]), (1, 0xFF));
        }
        assert_eq!(numbers(&[&[Some("x"), None]]).packets(Format::Text, true).len(), 5, "text is text");
    }
}
