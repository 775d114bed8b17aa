//! Walks over the tokens of one statement.

use super::{Refusal, Statement};
use crate::token::{Piece, Token, cut};
use log_server::keeper::Given;
use wire::Value;

/// A place in a statement.
pub(super) struct Cursor<'a> {
    sql: &'a str,
    pieces: Vec<Piece<'a>>,
    place: usize,
    values: std::slice::Iter<'a, Value>,
}

/// So many characters of a broken statement are told.
const NEAR: usize = 80;

impl<'a> Cursor<'a> {
    /// At the first token; semicolons at the end fall away.
    pub(super) fn new(sql: &'a str, values: &'a [Value]) -> Result<Self, Refusal> {
        let near = |at: usize| Refusal::Syntax(sql[at..].chars().take(NEAR).collect());
        let mut pieces = cut(sql).map_err(near)?;
        while pieces.pop_if(|piece| piece.token == Token::Sign(";")).is_some() {}
        if pieces.is_empty() {
            return Err(Refusal::Empty);
        }
        Ok(Self { sql, pieces, place: 0, values: values.iter() })
    }

    pub(super) fn peek(&self) -> Option<&Token<'a>> {
        self.pieces.get(self.place).map(|piece| &piece.token)
    }

    pub(super) fn next(&mut self) -> Option<Token<'a>> {
        let token = self.peek().cloned();
        self.place += 1;
        token
    }

    /// Takes a keyword if it is next.
    pub(super) fn word(&mut self, keyword: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Word(word)) if word.eq_ignore_ascii_case(keyword));
        self.place += usize::from(found);
        found
    }

    /// Takes a sign if it is next.
    pub(super) fn sign(&mut self, sign: &str) -> bool {
        let found = self.peek() == Some(&Token::Sign(sign));
        self.place += usize::from(found);
        found
    }

    /// A bare name or one in backticks.
    pub(super) fn name(&mut self) -> Result<String, Refusal> {
        let name = match self.peek() {
            Some(Token::Word(name)) => (*name).to_owned(),
            Some(Token::Name(name)) => name.clone(),
            _ => return Err(self.stray()),
        };
        self.place += 1;
        Ok(name)
    }

    /// A literal, or the next bound value.
    pub(super) fn value(&mut self) -> Result<Given, Refusal> {
        let negative = self.sign("-");
        let given = match self.peek() {
            Some(Token::Number(digits)) => number(digits, negative),
            Some(Token::Text(text)) if !negative => Given::Text(text.clone()),
            Some(Token::Word(word)) if !negative && is_constant(word) => Given::Other((*word).to_owned()),
            Some(Token::Placeholder) if !negative => bound(self.values.next()).ok_or_else(|| self.stray())?,
            _ => return Err(self.stray()),
        };
        self.place += 1;
        Ok(given)
    }

    /// The statement, if nothing follows.
    pub(super) fn end(&self, statement: Statement) -> Result<Statement, Refusal> {
        if self.peek().is_none() { Ok(statement) } else { Err(self.stray()) }
    }

    /// What stands here does not belong here.
    pub(super) fn stray(&self) -> Refusal {
        let start = self.pieces.get(self.place).map_or(self.sql.len(), |piece| piece.start);
        Refusal::Syntax(self.sql[start..].chars().take(NEAR).collect())
    }

    /// Number of the next token.
    pub(super) fn place(&self) -> usize {
        self.place
    }

    /// The text of the tokens from one up to this one, as it was written.
    pub(super) fn written_since(&self, from: usize) -> &'a str {
        let last = self.place.checked_sub(1).and_then(|last| self.pieces.get(last));
        let ends = self.pieces.get(from).zip(last);
        ends.and_then(|(first, last)| self.sql.get(first.start..last.end)).unwrap_or_default()
    }
}

fn is_constant(word: &str) -> bool {
    ["true", "false", "null", "default"].iter().any(|constant| word.eq_ignore_ascii_case(constant))
}

fn number(digits: &str, negative: bool) -> Given {
    let text = if negative { format!("-{digits}") } else { digits.to_owned() };
    text.parse().map_or(Given::Other(text), Given::Number)
}

fn bound(value: Option<&Value>) -> Option<Given> {
    Some(match value? {
        Value::Null => Given::Other("NULL".to_owned()),
        Value::Signed(number) => Given::Number(*number),
        Value::Unsigned(number) => i64::try_from(*number).map_or(Given::Other(number.to_string()), Given::Number),
        Value::Float(number) => Given::Other(number.to_string()),
        Value::Bytes(bytes) => Given::Text(String::from_utf8_lossy(bytes).into_owned()),
    })
}
