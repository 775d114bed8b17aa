//! `SHOW`: the log service, variables, warnings.

use super::cursor::Cursor;
use super::{Listing, Refusal, Statement};
use crate::token::Token;

/// Reads from the word `SHOW` on.
pub(super) fn read(cursor: &mut Cursor<'_>) -> Result<Statement, Refusal> {
    let start = cursor.place();
    cursor.next();
    if cursor.word("LOGSERVICE") {
        return logservice(cursor);
    }
    if cursor.word("WARNINGS") || cursor.word("ERRORS") {
        return Ok(Statement::Warnings);
    }
    let scoped = ["GLOBAL", "SESSION", "LOCAL"].iter().any(|scope| cursor.word(scope));
    if cursor.word("VARIABLES") {
        return variables(cursor);
    }
    if cursor.peek().is_none() {
        return Err(cursor.stray());
    }
    if !scoped {
        cursor.next();
    }
    Err(Refusal::NotSupported(cursor.written_since(start).to_ascii_uppercase()))
}

fn logservice(cursor: &mut Cursor<'_>) -> Result<Statement, Refusal> {
    let listings = [("STORES", Listing::Stores), ("REPLICAS", Listing::Replicas), ("SETTINGS", Listing::Settings)];
    let listing = listings.into_iter().find(|(word, _)| cursor.word(word));
    let (_, listing) = listing.ok_or_else(|| cursor.stray())?;
    cursor.end(Statement::Show(listing))
}

fn variables(cursor: &mut Cursor<'_>) -> Result<Statement, Refusal> {
    if !cursor.word("LIKE") {
        return cursor.end(Statement::Variables(None));
    }
    match cursor.next() {
        Some(Token::Text(pattern)) => cursor.end(Statement::Variables(Some(pattern))),
        _ => Err(cursor.stray()),
    }
}
