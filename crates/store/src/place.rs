//! Where the store is: a path or a URL, with its password kept out of every text.

use crate::{dialect::Dialect, fault::advice};
use jobs::StoreError;
use std::path::{Path, PathBuf};
use types::Secret;

/// A parsed address of a store.
#[derive(Debug, Clone)]
pub struct Place {
    pub(crate) dialect: Dialect,
    pub(crate) url: Secret,
    /// The file of a SQLite store.
    pub(crate) file: Option<PathBuf>,
    /// What must not come out, as written and as decoded.
    secrets: Vec<Secret>,
    shown: String,
}

impl Place {
    /// `mysql://`, `mariadb://`, `postgres://` or `postgresql://` URLs; `sqlite:` and anything else is a file.
    pub fn parse(text: &str) -> Result<Place, StoreError> {
        let scheme = text.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
        match scheme.as_deref() {
            Some("mysql" | "mariadb") => Self::server(Dialect::MySql, text),
            Some("postgres" | "postgresql") => Self::server(Dialect::Postgres, text),
            None | Some("sqlite") => match text.strip_prefix("sqlite:") {
                // In a URL `%` escapes and `?` begins options, of which we set our own.
                Some(rest) => {
                    let path = rest.strip_prefix("//").unwrap_or(rest);
                    Self::file(Path::new(&percent_decoded(path.split('?').next().unwrap_or(path))))
                }
                None => Self::file(Path::new(text)),
            },
            Some(other) => Err(StoreError::Unavailable(format!(
                "{other}:// is no store; give a file, mysql://user:password@host/database or postgres://…"
            ))),
        }
    }

    /// A SQLite file; the directory is made when it is opened.
    pub fn file(path: &Path) -> Result<Place, StoreError> {
        let absolute = std::path::absolute(path)
            .map_err(|error| StoreError::Unavailable(format!("{}: {error}", path.display())))?;
        let url = format!("sqlite://{}?mode=rwc", percent_encoded(&absolute));
        Ok(Place {
            dialect: Dialect::Sqlite,
            url: Secret::new(url),
            shown: absolute.display().to_string(),
            file: Some(absolute),
            secrets: Vec::new(),
        })
    }

    fn server(dialect: Dialect, text: &str) -> Result<Place, StoreError> {
        let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
        // A password may hold an unescaped `@` or `/`; nothing after the account may hold an `@`.
        let (account, location) = rest.rsplit_once('@').unwrap_or(("", rest));
        let password = account.split_once(':').map_or("", |(_, password)| password);
        let (host, path) = location.split_once('/').unwrap_or((location, ""));
        let database = path.split('?').next().unwrap_or("");
        if host.is_empty() || database.is_empty() {
            let wanted = "the store's URL must name host and database, as mysql://user:password@host/database does";
            return Err(StoreError::Unavailable(wanted.to_owned()));
        }
        let url =
            if account.is_empty() { text.to_owned() } else { format!("{scheme}://{}@{location}", quoted(account)) };
        let shown = format!("{host}/{database}");
        Ok(Place { dialect, url: Secret::new(url), file: None, secrets: spellings(password), shown })
    }

    /// Host and database, or the file: never the account's password.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// A text without the password, however the driver spelt it.
    pub(crate) fn mask(&self, text: &str) -> String {
        let hide = |text: String, secret: &Secret| text.replace(secret.expose(), "***");
        self.secrets.iter().fold(text.to_owned(), hide)
    }

    /// An error of the driver as the user sees it: where, what, and what to do about it, without the password.
    pub(crate) fn explained(&self, error: &str) -> String {
        let error = self.mask(error);
        format!("{}: {error}{}", self.shown, advice(&error))
    }
}

/// As written in the URL and as decoded; the longer first, so that no tail stays behind.
fn spellings(password: &str) -> Vec<Secret> {
    let mut spellings = vec![password.to_owned(), percent_decoded(password)];
    spellings.retain(|spelling| !spelling.is_empty());
    spellings.sort_by_key(|spelling| std::cmp::Reverse(spelling.len()));
    spellings.into_iter().map(Secret::new).collect()
}

/// Escapes what would end an account inside a URL; what is escaped already stays.
fn quoted(account: &str) -> String {
    let mut text = String::new();
    for letter in account.chars() {
        match letter {
            '/' | '?' | '#' | '@' | '[' | ']' | ' ' => text.extend(escape(u32::from(letter))),
            other => text.push(other),
        }
    }
    text
}

/// `%2F` for `/`.
fn escape(byte: u32) -> [char; 3] {
    let digit = |value: u32| char::from_digit(value, 16).unwrap_or('0').to_ascii_uppercase();
    ['%', digit(byte >> 4 & 15), digit(byte & 15)]
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let code = tail.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match code.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) if *first == b'%' => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn percent_encoded(path: &Path) -> String {
    let keep = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_~".contains(&byte);
    let mut text = String::new();
    for byte in path.as_os_str().as_encoded_bytes() {
        if keep(*byte) {
            text.push(char::from(*byte));
        } else {
            text.extend(escape(u32::from(*byte)));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Place {
        Place::parse(text).unwrap()
    }

    #[test]
    fn a_password_is_quoted_in_the_url_and_masked_in_texts() {
        for (written, decoded) in [("p@ss/wo?rd#", "p@ss/wo?rd#"), ("p%40ss%2Fwo%3Frd%23", "p@ss/wo?rd#")] {
            let place = parsed(&format!("mysql://drydock:{written}@db:3306/store?ssl-mode=REQUIRED"));
            let url = url_password(place.url.expose());
            assert_eq!(percent_decoded(&url), decoded);
            assert_eq!(place.shown(), "db:3306/store");
            let text = format!("no login with {written} nor {decoded}");
            assert_eq!(place.mask(&text), "no login with *** nor ***");
            assert!(!format!("{place:?}").contains("ss"), "{place:?}");
        }
    }

    fn url_password(url: &str) -> String {
        let account = url.strip_prefix("mysql://drydock:").unwrap();
        account.split_once("@db:3306/store?").unwrap().0.to_owned()
    }

    #[test]
    fn refused_places_do_not_show_the_password() {
        for text in ["mysql://u:topsecret@", "postgres://u:topsecret@host", "oracle://u:topsecret@h/d"] {
            let error = Place::parse(text).unwrap_err().to_string();
            assert!(!error.contains("topsecret"), "{error}");
        }
    }

    #[test]
    fn files_are_paths_or_urls() {
        let file = |text: &str| parsed(text).file.unwrap();
        assert_eq!(file("/d/a b?.db"), Path::new("/d/a b?.db"));
        assert_eq!(file("sqlite:///d/a%20b.db?mode=rwc"), Path::new("/d/a b.db"));
        assert_eq!(file("sqlite:x.db"), std::path::absolute("x.db").unwrap());
        assert_eq!(parsed("/d/ü#?.db").url.expose(), "sqlite:///d/%C3%BC%23%3F%2Edb?mode=rwc");
    }
}
