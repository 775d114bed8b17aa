//! Cuts a statement into words, names, texts, numbers and signs; comments fall away, but for those whose content is meant to run.

use std::iter::Peekable;
use std::str::CharIndices;

/// What a piece of a statement is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Token<'a> {
    /// A keyword or a bare name.
    Word(&'a str),
    /// A name in backticks.
    Name(String),
    /// A text in either kind of quotes, without them.
    Text(String),
    /// Digits and what hangs on them.
    Number(&'a str),
    /// `@@name` or `@name`, with its signs.
    Variable(&'a str),
    /// `?`.
    Placeholder,
    /// `:=`, or a single character.
    Sign(&'a str),
}

/// A token and where in the statement it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Piece<'a> {
    pub token: Token<'a>,
    pub start: usize,
    pub end: usize,
}

/// Cuts a statement.
///
/// # Errors
/// Where a comment or quote begins that does not end.
pub(crate) fn cut(sql: &str) -> Result<Vec<Piece<'_>>, usize> {
    let mut scanner = Scanner { sql, chars: sql.char_indices().peekable(), running: false };
    let mut pieces = Vec::new();
    while let Some(start) = scanner.next_start()? {
        let token = scanner.token(start)?;
        pieces.push(Piece { token, start, end: scanner.at() });
    }
    Ok(pieces)
}

struct Scanner<'a> {
    sql: &'a str,
    chars: Peekable<CharIndices<'a>>,
    /// Within `/*! … */`.
    running: bool,
}

fn is_word(char: char) -> bool {
    char.is_alphanumeric() || char == '_' || char == '$'
}

impl<'a> Scanner<'a> {
    fn at(&mut self) -> usize {
        self.chars.peek().map_or(self.sql.len(), |(at, _)| *at)
    }

    fn rest(&mut self) -> &'a str {
        let at = self.at();
        &self.sql[at..]
    }

    fn skip(&mut self, count: usize) {
        for _ in 0..count {
            self.chars.next();
        }
    }

    fn skip_while(&mut self, wanted: impl Fn(char) -> bool) {
        while self.chars.next_if(|(_, char)| wanted(*char)).is_some() {}
    }

    /// Passes blanks and comments; where the next token begins.
    fn next_start(&mut self) -> Result<Option<usize>, usize> {
        loop {
            self.skip_while(char::is_whitespace);
            let (rest, at) = (self.rest(), self.at());
            if rest.is_empty() {
                return if self.running { Err(at) } else { Ok(None) };
            }
            if !self.comment(rest, at)? {
                return Ok(Some(at));
            }
        }
    }

    /// Passes one comment, if one begins here.
    fn comment(&mut self, rest: &str, at: usize) -> Result<bool, usize> {
        if rest.starts_with("/*!") && !self.running {
            self.running = true;
            self.skip(3);
            self.skip_while(|char| char.is_ascii_digit());
        } else if rest.starts_with("*/") && self.running {
            self.running = false;
            self.skip(2);
        } else if let Some(body) = rest.strip_prefix("/*") {
            let length = body.find("*/").ok_or(at)?;
            self.skip(body[..length].chars().count() + 4);
        } else if rest.starts_with('#') || rest == "--" || rest.starts_with("--") && blank_third(rest) {
            self.skip_while(|char| char != '\n');
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    fn token(&mut self, start: usize) -> Result<Token<'a>, usize> {
        let Some((_, first)) = self.chars.next() else { return Err(start) };
        Ok(match first {
            '\'' | '"' => Token::Text(self.quoted(first).ok_or(start)?),
            '`' => Token::Name(self.quoted(first).ok_or(start)?),
            '@' => {
                self.chars.next_if(|(_, char)| *char == '@');
                self.skip_while(|char| is_word(char) || char == '.');
                Token::Variable(self.since(start))
            }
            '?' => Token::Placeholder,
            digit if digit.is_ascii_digit() => {
                self.skip_while(|char| is_word(char) || char == '.');
                Token::Number(self.since(start))
            }
            letter if is_word(letter) => {
                self.skip_while(is_word);
                Token::Word(self.since(start))
            }
            sign => {
                if sign == ':' {
                    self.chars.next_if(|(_, char)| *char == '=');
                }
                Token::Sign(self.since(start))
            }
        })
    }

    fn since(&mut self, start: usize) -> &'a str {
        let end = self.at();
        &self.sql[start..end]
    }

    /// Up to the closing quote; two of them are one, and in texts a backslash gives the next character another meaning.
    fn quoted(&mut self, quote: char) -> Option<String> {
        let mut text = String::new();
        loop {
            match self.chars.next()?.1 {
                '\\' if quote != '`' => text.push_str(&unescaped(self.chars.next()?.1)),
                char if char == quote => match self.chars.next_if(|(_, next)| *next == quote) {
                    Some(_) => text.push(quote),
                    None => return Some(text),
                },
                char => text.push(char),
            }
        }
    }
}

fn blank_third(rest: &str) -> bool {
    rest[2..].starts_with(char::is_whitespace)
}

fn unescaped(char: char) -> String {
    match char {
        '0' => "\0".to_owned(),
        'b' => "\u{8}".to_owned(),
        'n' => "\n".to_owned(),
        'r' => "\r".to_owned(),
        't' => "\t".to_owned(),
        'Z' => "\u{1a}".to_owned(),
        '%' | '_' => format!("\\{char}"),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests;
