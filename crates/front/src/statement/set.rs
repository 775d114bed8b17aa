//! `SET`: settings of the log service, and what clients set for their session, which changes nothing here.

use super::cursor::Cursor;
use super::{Refusal, Statement};
use crate::token::Token;
use crate::variables;

/// Reads from the word `SET` on.
pub(super) fn read(cursor: &mut Cursor<'_>) -> Result<Statement, Refusal> {
    cursor.next();
    if cursor.word("LOGSERVICE") {
        return setting(cursor);
    }
    loop {
        assignment(cursor)?;
        if !cursor.sign(",") {
            return cursor.end(Statement::Nothing);
        }
    }
}

fn setting(cursor: &mut Cursor<'_>) -> Result<Statement, Refusal> {
    if !cursor.word("SETTINGS") {
        return Err(cursor.stray());
    }
    let name = cursor.name()?;
    if !cursor.sign("=") && !cursor.sign(":=") {
        return Err(cursor.stray());
    }
    let value = cursor.value()?;
    cursor.end(Statement::Set { name, value })
}

/// One assignment of a session; what is assigned does not matter, for nothing here depends on it.
fn assignment(cursor: &mut Cursor<'_>) -> Result<(), Refusal> {
    let scoped = cursor.word("SESSION") || cursor.word("LOCAL");
    match cursor.peek() {
        Some(Token::Variable(name)) if !scoped => settable(name)?,
        Some(Token::Word(word)) if !scoped && is_form(word) || word.eq_ignore_ascii_case("TRANSACTION") => {}
        Some(Token::Word(name)) => settable(name)?,
        _ => return Err(cursor.stray()),
    }
    cursor.next();
    pass(cursor);
    Ok(())
}

/// Words that are no variables: `SET NAMES utf8mb4 COLLATE …`, `SET CHARACTER SET …`.
fn is_form(word: &str) -> bool {
    ["NAMES", "CHARACTER", "CHARSET"].iter().any(|form| word.eq_ignore_ascii_case(form))
}

/// `@mine` is anybody's; `@@name` and `name` must be known; what is meant for all sessions is not ours to take.
fn settable(written: &str) -> Result<(), Refusal> {
    const BEYOND: [&str; 6] = ["global", "persist", "password", "role", "default", "resource"];
    let name = written.trim_start_matches('@').to_ascii_lowercase();
    let name = name.strip_prefix("session.").or_else(|| name.strip_prefix("local.")).unwrap_or(&name);
    let own = written.starts_with('@') && !written.starts_with("@@");
    let first = name.split('.').next().unwrap_or_default();
    if BEYOND.contains(&first) {
        return Err(Refusal::NotSupported(format!("SET {}", written.to_ascii_uppercase())));
    }
    if own || variables::is_known(name) { Ok(()) } else { Err(Refusal::Variable(name.to_owned())) }
}

/// Passes what is assigned: up to a comma that is not in parentheses.
fn pass(cursor: &mut Cursor<'_>) {
    let mut depth = 0_usize;
    while let Some(token) = cursor.peek() {
        match token {
            Token::Sign("(") => depth += 1,
            Token::Sign(")") => depth = depth.saturating_sub(1),
            Token::Sign(",") if depth == 0 => return,
            Token::Sign(";") => return,
            _ => {}
        }
        cursor.next();
    }
}
