//! Values of `config.yaml` that have a range: read so that what is wrong is said where it stands.

use jiff::civil::Time;
use serde::{
    Deserialize, Deserializer, Serializer,
    de::{Error, Visitor},
};
use std::fmt::{self, Display};
use types::{Address, Span, TableName};

/// The levels of `--log-level`, least first.
pub const LEVELS: [&str; 4] = ["debug", "info", "warn", "error"];

pub(super) fn span<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Span, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(Error::custom)
}

pub(super) fn given_span<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Span>, D::Error> {
    some_span(deserializer).map(Some)
}

pub(super) fn some_span<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Span, D::Error> {
    let span = span(deserializer)?;
    if span.0.is_zero() { Err(Error::custom("must be longer than 0s")) } else { Ok(span) }
}

/// Rounds follow it at a hundredth of the span, and each lists the store.
pub(super) fn rare_span<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Span, D::Error> {
    let span = span(deserializer)?;
    let rare = span.0.is_zero() || span.0 >= std::time::Duration::from_hours(1);
    if rare { Ok(span) } else { Err(Error::custom("must be 0s (never), or an hour or longer")) }
}

pub(super) fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Time, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(|_| Error::custom(format!("`{text}` is not a time of day such as 22:00")))
}

/// `database.table`, each part as the server knows it.
pub(super) fn table<'de, D: Deserializer<'de>>(deserializer: D) -> Result<TableName, D::Error> {
    let text = String::deserialize(deserializer)?;
    let parts = text.split_once('.').filter(|(database, table)| {
        !database.is_empty() && !table.is_empty() && !table.contains('.') && !text.contains('`')
    });
    let (database, table) =
        parts.ok_or_else(|| Error::custom(format!("`{text}` is not a table such as percona.heartbeat")))?;
    Ok(TableName::new(database, table))
}

/// `host:port` (an IPv6 host in brackets), or `host` with `port`, 3306 if it is left out.
#[derive(Deserialize)]
#[serde(untagged)]
enum Place {
    Text(String),
    Parts(Parts),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts {
    host: String,
    #[serde(default = "super::file::mysql_port")]
    port: u16,
}

pub(super) fn addresses<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Address>, D::Error> {
    let read = |place: Place| match place {
        Place::Parts(Parts { host, port }) if !host.is_empty() && port != 0 => Ok(Address::new(host, port)),
        Place::Parts(_) => Err(Error::custom("a member needs a host and a port of 1 or more")),
        Place::Text(text) => {
            let parts = text.rsplit_once(':').map(|(host, port)| (host.trim_matches(['[', ']']), port.parse()));
            match parts {
                Some((host, Ok(port))) if !host.is_empty() && port != 0 => Ok(Address::new(host, port)),
                _ => Err(Error::custom(format!("`{text}` is not a member such as db2.example:3306"))),
            }
        }
    };
    Vec::<Place>::deserialize(deserializer)?.into_iter().map(read).collect()
}

pub(super) fn as_text<T: Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

pub(super) fn positive<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    match u64::deserialize(deserializer)? {
        0 => Err(Error::custom("must be 1 or more")),
        number => Ok(number),
    }
}

pub(super) fn percent<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    let number = f64::deserialize(deserializer)?;
    if (0.0..=100.0).contains(&number) { Ok(number) } else { Err(Error::custom("must be from 0 to 100")) }
}

pub(super) fn fraction<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    let number = f64::deserialize(deserializer)?;
    if number.is_finite() && number > 0.0 { Ok(number) } else { Err(Error::custom("must be more than 0")) }
}

pub(super) fn given_minutes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    match u64::deserialize(deserializer)? {
        minutes @ 1..=1440 => Ok(Some(minutes)),
        _ => Err(Error::custom("must be from 1 to 1440, the minutes of a day")),
    }
}

pub(super) fn given_size<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    deserializer.deserialize_any(Size).map(Some)
}

/// Bytes, as a number or as one with a unit.
struct Size;

impl Visitor<'_> for Size {
    type Value = u64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a size such as 500M or 50G, or a number of bytes")
    }

    fn visit_u64<E: Error>(self, bytes: u64) -> Result<u64, E> {
        if bytes == 0 { Err(E::custom("must be 1 byte or more")) } else { Ok(bytes) }
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<u64, E> {
        let bytes = size(text).ok_or_else(|| {
            E::custom(format!("`{text}` is not a size such as 500M or 50G: a whole number with K, M, G or T"))
        })?;
        self.visit_u64(bytes)
    }
}

/// Units are powers of 1024, as with thresholds.
fn size(text: &str) -> Option<u64> {
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let shift = match unit {
        "" => 0,
        "K" => 10,
        "M" => 20,
        "G" => 30,
        "T" => 40,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(1 << shift)
}

fn one_of<'de, D: Deserializer<'de>>(deserializer: D, words: &[&str]) -> Result<String, D::Error> {
    let word = String::deserialize(deserializer)?;
    if words.contains(&word.as_str()) {
        return Ok(word);
    }
    Err(Error::custom(format!("`{word}` is not one of {}", words.join(", "))))
}

pub(super) fn level<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    one_of(deserializer, &LEVELS)
}

pub(super) fn tls_mode<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    one_of(deserializer, &["disabled", "required", "verify-identity"])
}

/// A list that is there: a key with nothing after it is a mistake, not an absent one.
pub(super) fn list<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<String>>, D::Error> {
    Vec::deserialize(deserializer).map(Some)
}

pub(super) fn sha256<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(text.to_ascii_lowercase());
    }
    // The text is not repeated: someone may have put the token itself here.
    Err(Error::custom("is not a SHA-256 of 64 hexadecimal digits, as `drydock token new` prints it"))
}
