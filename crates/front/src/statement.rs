//! Reads a statement: those about the log service, and those that clients send of their own accord.

mod cursor;
mod select;
mod set;
mod show;

pub(crate) use select::{Fact, Item};

use crate::token::{Token, cut};
use cursor::Cursor;
use log_server::keeper::Given;
use wire::Value;

/// What `SHOW LOGSERVICE` can list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Listing {
    Stores,
    Replicas,
    Settings,
}

/// A statement this door answers.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Statement {
    /// `SHOW LOGSERVICE …`.
    Show(Listing),
    /// `SET LOGSERVICE SETTINGS name = value`.
    Set { name: String, value: Given },
    /// `SELECT` of what the session knows of itself.
    Select(Vec<Item>),
    /// `SHOW VARIABLES`, those like a pattern.
    Variables(Option<String>),
    /// `SHOW WARNINGS`, `SHOW ERRORS`: there are none.
    Warnings,
    /// `USE`.
    Use(String),
    /// What changes nothing here: sets the session, or begins and ends transactions.
    Nothing,
}

/// Why a statement is not answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Nothing but blanks and comments.
    Empty,
    /// It is broken, from here on.
    Syntax(String),
    /// A variable that is none.
    Variable(String),
    /// It needs a database.
    NotSupported(String),
}

/// Reads a statement, with values for its placeholders.
pub(crate) fn read(sql: &str, values: &[Value]) -> Result<Statement, Refusal> {
    let mut cursor = Cursor::new(sql, values)?;
    let Some(Token::Word(first)) = cursor.peek() else { return Err(cursor.stray()) };
    match first.to_ascii_uppercase().as_str() {
        "SHOW" => show::read(&mut cursor),
        "SET" => set::read(&mut cursor),
        "SELECT" => select::read(&mut cursor),
        "USE" => {
            cursor.next();
            let name = cursor.name()?;
            cursor.end(Statement::Use(name))
        }
        "BEGIN" | "START" | "COMMIT" | "ROLLBACK" => Ok(Statement::Nothing),
        other => Err(Refusal::NotSupported(other.to_owned())),
    }
}

/// How many placeholders a statement has.
pub(crate) fn placeholders(sql: &str) -> Result<usize, Refusal> {
    let pieces = cut(sql).map_err(|at| Refusal::Syntax(sql[at..].to_owned()))?;
    Ok(pieces.iter().filter(|piece| piece.token == Token::Placeholder).count())
}

#[cfg(test)]
mod tests;
