//! Statements a connection keeps, and the values bound to them.

use crate::answer::eof;
use crate::column::{Column, Format, definition};
use crate::read::Reader;
use crate::value::{Coding, Value};
use crate::{ErrorAnswer, WireError};
use std::collections::BTreeMap;

/// Most statements of one connection.
const MOST: usize = 1024;

/// One kept statement.
#[derive(Debug, Default)]
struct Prepared {
    sql: String,
    parameters: u16,
    /// As sent with the last run; a client need not send them again.
    codings: Vec<Coding>,
    /// Pieces sent ahead, by place.
    pieces: BTreeMap<u16, Vec<u8>>,
    /// Why the next run cannot be: the client is not answered when it sends pieces.
    spoiled: bool,
}

/// All that a connection keeps.
#[derive(Debug)]
pub(crate) struct Shelf {
    last: u32,
    kept: BTreeMap<u32, Prepared>,
    /// Bytes in texts and pieces, and how many there may be.
    weight: usize,
    limit: usize,
}

impl Prepared {
    fn weight(&self) -> usize {
        self.sql.len() + self.pieces.values().map(Vec::len).sum::<usize>()
    }
}

impl Shelf {
    /// An empty one that may grow to `limit` bytes.
    pub(crate) fn new(limit: usize) -> Self {
        Self { last: 0, kept: BTreeMap::new(), weight: 0, limit }
    }

    /// Keeps a statement; its number.
    pub(crate) fn keep(&mut self, sql: String, parameters: u16) -> Result<u32, ErrorAnswer> {
        if self.kept.len() >= MOST || self.weight.saturating_add(sql.len()) > self.limit {
            let words = format!("Can't keep more prepared statements (now {}); close some", self.kept.len());
            return Err(ErrorAnswer::new(1461, "42000", words));
        }
        self.weight += sql.len();
        self.last = self.last.wrapping_add(1);
        self.kept.insert(self.last, Prepared { sql, parameters, ..Prepared::default() });
        Ok(self.last)
    }

    /// Lets go of a statement.
    pub(crate) fn close(&mut self, statement: u32) {
        if let Some(prepared) = self.kept.remove(&statement) {
            self.weight -= prepared.weight();
        }
    }

    /// Lets go of the pieces of a statement.
    pub(crate) fn reset(&mut self, statement: u32) -> Result<(), ErrorAnswer> {
        self.pieces(statement).map(drop).ok_or_else(|| unknown(statement))
    }

    /// Takes the pieces off the shelf.
    fn pieces(&mut self, statement: u32) -> Option<BTreeMap<u16, Vec<u8>>> {
        let prepared = self.kept.get_mut(&statement)?;
        prepared.spoiled = false;
        let pieces = std::mem::take(&mut prepared.pieces);
        self.weight -= pieces.values().map(Vec::len).sum::<usize>();
        Some(pieces)
    }

    /// Adds a piece of one value.
    pub(crate) fn add(&mut self, statement: u32, parameter: u16, piece: &[u8]) {
        let Some(prepared) = self.kept.get_mut(&statement) else { return };
        if parameter >= prepared.parameters || self.weight.saturating_add(piece.len()) > self.limit {
            prepared.spoiled = true;
            return;
        }
        self.weight += piece.len();
        prepared.pieces.entry(parameter).or_default().extend_from_slice(piece);
    }

    /// The statement to run, and its values.
    pub(crate) fn bind(&mut self, packet: &[u8]) -> Result<(String, Vec<Value>), ErrorAnswer> {
        let mut reader = Reader::new(packet);
        let statement = reader.u32().map_err(|_| broken())?;
        let spoiled = self.kept.get(&statement).is_some_and(|prepared| prepared.spoiled);
        let pieces = self.pieces(statement);
        let (Some(mut pieces), Some(prepared)) = (pieces, self.kept.get_mut(&statement)) else {
            return Err(unknown(statement));
        };
        if spoiled {
            return Err(broken());
        }
        let values = prepared.values(&mut reader, &mut pieces).map_err(|_| broken())?;
        Ok((prepared.sql.clone(), values))
    }
}

impl Prepared {
    /// Flags and a count that is always one; then NULLs as bits, types if they are new, and the values.
    fn values(
        &mut self,
        reader: &mut Reader<'_>,
        pieces: &mut BTreeMap<u16, Vec<u8>>,
    ) -> Result<Vec<Value>, WireError> {
        reader.take(1 + 4)?;
        if self.parameters == 0 {
            return Ok(Vec::new());
        }
        let nulls = reader.take(usize::from(self.parameters).div_ceil(8))?;
        if reader.u8()? == 1 {
            self.codings = (0..self.parameters).map(|_| coding(reader)).collect::<Result<_, _>>()?;
        }
        if self.codings.len() != usize::from(self.parameters) {
            return Err(WireError::Protocol("values without types"));
        }
        let value = |(place, coding): (u16, &Coding)| match pieces.remove(&place) {
            Some(bytes) => Ok(Value::Bytes(bytes)),
            None if nulls[usize::from(place) / 8] >> (place % 8) & 1 == 1 => Ok(Value::Null),
            None => Value::read(reader, *coding),
        };
        (0..self.parameters).zip(&self.codings).map(value).collect()
    }
}

fn coding(reader: &mut Reader<'_>) -> Result<Coding, WireError> {
    Ok((reader.u8()?, reader.u8()? & 0x80 != 0))
}

fn unknown(statement: u32) -> ErrorAnswer {
    ErrorAnswer::new(1243, "HY000", format!("Unknown prepared statement handler ({statement})"))
}

fn broken() -> ErrorAnswer {
    ErrorAnswer::new(1210, "HY000", "Incorrect arguments to EXECUTE")
}

/// What a client is told of a kept statement: its number, no columns (they come with the rows), a definition of each placeholder.
pub(crate) fn kept(statement: u32, parameters: u16, deprecate_eof: bool) -> Vec<Vec<u8>> {
    let mut head = vec![0];
    head.extend_from_slice(&statement.to_le_bytes());
    head.extend_from_slice(&[0, 0]);
    head.extend_from_slice(&parameters.to_le_bytes());
    head.extend_from_slice(&[0, 0, 0]);
    let mut packets = vec![head];
    packets.extend((0..parameters).map(|_| definition(&Column::from("?"), Format::Binary)));
    if parameters > 0 && !deprecate_eof {
        packets.push(eof());
    }
    packets
}

#[cfg(test)]
mod tests;
