//! `SELECT` of what a session knows of itself: variables, functions without arguments, literals.

use super::cursor::Cursor;
use super::{Refusal, Statement};
use crate::token::Token;
use log_server::keeper::Given;

/// What is asked for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Fact {
    /// `@@name`, without signs and scope.
    Variable(String),
    /// `@name`: nobody keeps it, so it is NULL.
    Own,
    /// `VERSION()`.
    Version,
    /// `DATABASE()`, `SCHEMA()`.
    Database,
    /// `USER()` and its like.
    User,
    /// `CONNECTION_ID()`.
    ConnectionId,
    /// A number, a text, a constant.
    Literal(Given),
}

/// One column of the answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Item {
    /// Its name: the alias, or what was written.
    pub label: String,
    /// What stands in it.
    pub fact: Fact,
}

/// Reads from the word `SELECT` on.
pub(super) fn read(cursor: &mut Cursor<'_>) -> Result<Statement, Refusal> {
    let unknown = || Refusal::NotSupported("SELECT of anything but session facts".to_owned());
    cursor.next();
    let mut items = Vec::new();
    loop {
        items.push(item(cursor).ok_or_else(unknown)?);
        if !cursor.sign(",") {
            break;
        }
    }
    if cursor.word("FROM") && !cursor.word("DUAL") {
        return Err(unknown());
    }
    if cursor.word("LIMIT") {
        cursor.value()?;
    }
    cursor.end(Statement::Select(items)).map_err(|_| unknown())
}

fn item(cursor: &mut Cursor<'_>) -> Option<Item> {
    let start = cursor.place();
    let fact = fact(cursor)?;
    let written = match &fact {
        Fact::Literal(Given::Text(text)) => text.clone(),
        _ => cursor.written_since(start).to_owned(),
    };
    let label = if cursor.word("AS") { alias(cursor)? } else { written };
    Some(Item { label, fact })
}

fn alias(cursor: &mut Cursor<'_>) -> Option<String> {
    match cursor.peek() {
        Some(Token::Text(text)) => {
            let text = text.clone();
            cursor.next();
            Some(text)
        }
        _ => cursor.name().ok(),
    }
}

fn fact(cursor: &mut Cursor<'_>) -> Option<Fact> {
    match cursor.peek()? {
        Token::Variable(name) => {
            let fact = variable(name);
            cursor.next();
            Some(fact)
        }
        Token::Word(word) => match function(word) {
            Some(fact) => called(cursor).then_some(fact),
            None => cursor.value().ok().map(Fact::Literal),
        },
        _ => cursor.value().ok().map(Fact::Literal),
    }
}

fn variable(written: &str) -> Fact {
    let Some(name) = written.strip_prefix("@@") else { return Fact::Own };
    let name = name.to_ascii_lowercase();
    let scopes = ["global.", "session.", "local."];
    let bare = scopes.iter().find_map(|scope| name.strip_prefix(scope)).unwrap_or(&name);
    Fact::Variable(bare.to_owned())
}

fn function(word: &str) -> Option<Fact> {
    Some(match word.to_ascii_lowercase().as_str() {
        "version" => Fact::Version,
        "database" | "schema" => Fact::Database,
        "user" | "current_user" | "session_user" | "system_user" => Fact::User,
        "connection_id" => Fact::ConnectionId,
        _ => return None,
    })
}

/// Takes the function's name and its parentheses, which only `CURRENT_USER` may go without.
fn called(cursor: &mut Cursor<'_>) -> bool {
    let bare = cursor.word("CURRENT_USER");
    if !bare {
        cursor.next();
    }
    if cursor.sign("(") { cursor.sign(")") } else { bare }
}
