//! The floors table of `ARCHITECTURE.md`, read as the rule it is.

use std::collections::{BTreeMap, BTreeSet};

/// One row: where a crate stands and what it may import.
#[derive(Debug, PartialEq, Eq)]
pub struct Room {
    /// `None` for the yard, which may import anything.
    pub floor: Option<u8>,
    /// Workspace crates it imports; `None` is "any".
    pub imports: Option<BTreeSet<String>>,
}

/// Reads every row of the form `| 3 work | `name` | … | imports |`.
pub fn read(page: &str) -> BTreeMap<String, Room> {
    page.lines().filter_map(cells).flat_map(rooms).collect()
}

fn cells(line: &str) -> Option<[&str; 4]> {
    let inner = line.trim().strip_prefix('|')?.strip_suffix('|')?;
    let cells: Vec<&str> = inner.split('|').map(str::trim).collect();
    let cells: [&str; 4] = cells.try_into().ok()?;
    cells[1].starts_with('`').then_some(cells)
}

fn rooms([floor, names, _, imports]: [&str; 4]) -> Vec<(String, Room)> {
    let floor = floor.split(' ').next().and_then(|number| number.parse().ok());
    let list = || imports.split_whitespace().map(|name| name.trim_matches('`').to_owned()).collect();
    let room = |_: &str| Room { floor, imports: (imports != "any").then(list) };
    names.split_whitespace().map(|name| (name.trim_matches('`').to_owned(), room(name))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_read_and_headings_do_not() {
        let table = read(
            "| floor | crate | x | imports |\n|--|--|--|--|\n| 2 hands | `a` | x | b c |\n| yard | `d` `e` | x | any |",
        );
        assert_eq!(table.len(), 3);
        assert_eq!(table["a"].floor, Some(2));
        assert_eq!(table["a"].imports.as_ref().map(BTreeSet::len), Some(2));
        assert_eq!(table["e"], Room { floor: None, imports: None });
    }
}
