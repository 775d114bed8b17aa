//! Spans of time as the seed writes them: `1h`, `30m`, `7d`, `2h30m15s`, `100ms`, `00:15:30`; days are 24 h.

use jiff::{SignedDuration, SpanRelativeTo};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{fmt, time::Duration};

/// A non-negative span. On the wire: text like `1h`, or a number of nanoseconds (Go's `time.Duration`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Span(pub Duration);

/// Why a text is no span.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a duration: write for example 30s, 15m, 1h, 7d, 2h30m or 00:15:30")]
pub struct SpanError(pub String);

impl Span {
    /// A span of whole seconds.
    pub const fn from_secs(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }

    /// `HH:MM:SS`, hours growing as needed (seed 002 `time_elapsed`).
    pub fn clock(self) -> String {
        let seconds = self.0.as_secs();
        format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
    }
}

impl std::str::FromStr for Span {
    type Err = SpanError;

    fn from_str(text: &str) -> Result<Self, SpanError> {
        let wrong = || SpanError(text.to_owned());
        let span: jiff::Span = text.trim().parse().map_err(|_| wrong())?;
        let signed: SignedDuration = span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|_| wrong())?;
        Duration::try_from(signed).map(Span).map_err(|_| wrong())
    }
}

/// Go's own form: `1h0m0s` without the zero tail, so `1h`, `1h30m`, `45s`, `100ms`.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, millis) = (self.0.as_secs(), self.0.subsec_millis());
        let parts = [(seconds / 3600, "h"), (seconds / 60 % 60, "m"), (seconds % 60, "s"), (millis.into(), "ms")];
        let mut empty = true;
        for (count, unit) in parts.into_iter().filter(|part| part.0 > 0) {
            write!(f, "{count}{unit}")?;
            empty = false;
        }
        if empty { f.write_str("0s") } else { Ok(()) }
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Nanos(u64),
            Text(String),
        }
        match Form::deserialize(deserializer)? {
            Form::Nanos(nanos) => Ok(Self(Duration::from_nanos(nanos))),
            Form::Text(text) => text.parse().map_err(serde::de::Error::custom),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_the_seed_reads() {
        let cases =
            [("1h", 3600), ("30m", 1800), ("7d", 604_800), ("2h30m15s", 9015), ("00:15:30", 930), ("120s", 120)];
        for (text, seconds) in cases {
            assert_eq!(text.parse(), Ok(Span::from_secs(seconds)), "{text}");
        }
        assert!("-1h".parse::<Span>().is_err());
        assert!("soon".parse::<Span>().is_err());
    }

    #[test]
    fn prints_what_it_reads() {
        for text in ["1h", "2h30m15s", "100ms", "0s"] {
            assert_eq!(text.parse::<Span>().map(|span| span.to_string()), Ok(text.to_owned()));
        }
        assert_eq!(Span::from_secs(930).clock(), "00:15:30");
    }
}
