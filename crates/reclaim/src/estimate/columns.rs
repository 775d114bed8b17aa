//! How wide a column is inside an InnoDB record.

use mysql::{Row, ident};

/// One column as InnoDB stores it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Column {
    pub name: String,
    pub nullable: bool,
    /// Virtual generated columns are stored in secondary indexes only.
    pub is_virtual: bool,
    pub width: Width,
    /// A whole number: its values can be counted off in equal steps.
    pub is_integer: bool,
}

/// Width in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Width {
    /// Always this many.
    Fixed(u64),
    /// As long as the value, at least `least` (CHAR in a multi-byte charset is padded to its length in characters).
    Variable { least: u64, most: u64 },
    /// As the server stores JSON.
    Json,
    /// Not known how to ask: points, curves, types of plug-ins.
    Strange,
}

impl Column {
    /// From a row of `information_schema.COLUMNS`.
    pub fn read(row: &Row) -> Self {
        let extra = row.text("EXTRA").unwrap_or_default().to_ascii_uppercase();
        Self {
            name: row.text("COLUMN_NAME").unwrap_or_default(),
            nullable: row.flag("IS_NULLABLE").unwrap_or(true),
            is_virtual: extra.contains("VIRTUAL"),
            width: width(row),
            is_integer: row.text("DATA_TYPE").is_some_and(|kind| kind.to_ascii_lowercase().ends_with("int")),
        }
    }

    /// A bound of a row's validity, which `MariaDB` keeps unlisted with each row of a system-versioned table.
    pub fn row_bound(name: &str) -> Self {
        Self { name: name.to_owned(), nullable: false, is_virtual: false, width: Width::Fixed(7), is_integer: false }
    }

    /// The expression that yields this column's length, for what is not fixed.
    pub fn length_sql(&self) -> Option<String> {
        let column = ident(&self.name);
        match self.width {
            Width::Variable { .. } => Some(format!("LENGTH({column})")),
            Width::Json => Some(format!("JSON_STORAGE_SIZE({column})")),
            Width::Fixed(_) | Width::Strange if self.nullable => Some(format!("IF({column} IS NULL, NULL, 1)")),
            Width::Fixed(_) | Width::Strange => None,
        }
    }
}

fn width(row: &Row) -> Width {
    let kind = row.text("DATA_TYPE").unwrap_or_default().to_ascii_lowercase();
    let full = row.text("COLUMN_TYPE").unwrap_or_default();
    let number = |column: &str| row.parse::<u64>(column).unwrap_or(0);
    let (characters, octets) = (number("CHARACTER_MAXIMUM_LENGTH"), number("CHARACTER_OCTET_LENGTH"));
    let fraction = number("DATETIME_PRECISION").div_ceil(2);
    match kind.as_str() {
        "tinyint" | "year" => Width::Fixed(1),
        "smallint" => Width::Fixed(2),
        "mediumint" | "date" => Width::Fixed(3),
        "int" | "integer" | "float" | "inet4" => Width::Fixed(4),
        "bigint" | "double" => Width::Fixed(8),
        "uuid" | "inet6" => Width::Fixed(16),
        "time" => Width::Fixed(3 + fraction),
        "timestamp" => Width::Fixed(4 + fraction),
        "datetime" => Width::Fixed(5 + fraction),
        "decimal" => Width::Fixed(decimal(number("NUMERIC_PRECISION"), number("NUMERIC_SCALE"))),
        "bit" => Width::Fixed(number("NUMERIC_PRECISION").div_ceil(8)),
        "enum" => Width::Fixed(if members(&full) > 255 { 2 } else { 1 }),
        "set" => Width::Fixed(members(&full).div_ceil(8)),
        "char" if characters == octets => Width::Fixed(characters),
        "char" => Width::Variable { least: characters, most: octets },
        "binary" => Width::Fixed(octets),
        "json" => Width::Json,
        _ if octets > 0 => Width::Variable { least: 0, most: octets },
        "vector" => Width::Variable { least: 0, most: 65535 },
        _ => Width::Strange,
    }
}

/// Nine digits in four bytes, the rest of each side in as few as hold them.
fn decimal(precision: u64, scale: u64) -> u64 {
    let side = |digits: u64| digits / 9 * 4 + [0, 1, 1, 2, 2, 3, 3, 4, 4][usize::try_from(digits % 9).unwrap_or(0)];
    side(precision.saturating_sub(scale)) + side(scale)
}

fn members(full: &str) -> u64 {
    full.matches("','").count() as u64 + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_as_wide_as_the_manual_says() {
        assert_eq!(decimal(18, 9), 8);
        assert_eq!(decimal(20, 6), 10);
        assert_eq!(decimal(10, 2), 5);
    }
}
