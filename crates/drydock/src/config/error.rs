//! What can be wrong with `config.yaml`, said with the key, its line and the nearest key that exists.

use std::path::{Path, PathBuf};
use types::{Code, Failure};

/// Why the configuration cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// A file named by flag or environment is not there.
    #[error("the configuration file {} cannot be read: {reason}", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// The system's words.
        reason: String,
    },
    /// A key nobody knows.
    #[error("{}:{line}: there is no key `{key}`{}", path.display(), near(nearest.as_ref()))]
    UnknownKey {
        /// Which file.
        path: PathBuf,
        /// 1-based.
        line: u64,
        /// With its sections, such as `server.prot`.
        key: String,
        /// The most alike key of that section.
        nearest: Option<String>,
    },
    /// A value of the wrong type or out of range.
    #[error("{}:{line}: `{key}` {reason}", path.display())]
    Value {
        /// Which file.
        path: PathBuf,
        /// 1-based.
        line: u64,
        /// With its sections.
        key: String,
        /// What is wrong.
        reason: String,
    },
    /// No YAML.
    #[error("{}:{line}: this is not valid YAML: {reason}", path.display())]
    Syntax {
        /// Which file.
        path: PathBuf,
        /// 1-based.
        line: u64,
        /// The parser's words.
        reason: String,
    },
    /// A value that makes no sense with another, or an environment variable that cannot be read.
    #[error("`{key}` {reason}")]
    Meaning {
        /// Key or environment variable.
        key: String,
        /// What is wrong.
        reason: String,
    },
}

fn near(nearest: Option<&String>) -> String {
    nearest.map_or_else(String::new, |key| format!("; did you mean `{key}`?"))
}

impl ConfigError {
    fn next(&self) -> String {
        match self {
            Self::Unreadable { .. } => "name a file that is there with --config or RECYCLER_CONFIG_FILE".to_owned(),
            Self::UnknownKey { nearest: Some(nearest), .. } => format!("write `{nearest}`, or remove the line"),
            Self::UnknownKey { .. } => "remove the line; docs/config.md lists every key".to_owned(),
            Self::Value { .. } | Self::Meaning { .. } => "correct the value; docs/config.md lists every key".to_owned(),
            Self::Syntax { .. } => "correct the line; `drydock config check` reads the file again".to_owned(),
        }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Failure {
        let failure = Failure::new(Code::InvalidArgument, &error, error.next());
        match &error {
            ConfigError::UnknownKey { line, key, .. } | ConfigError::Value { line, key, .. } => {
                failure.with("field", key.clone()).with("line", *line)
            }
            ConfigError::Syntax { line, .. } => failure.with("line", *line),
            ConfigError::Meaning { key, .. } => failure.with("field", key.clone()),
            ConfigError::Unreadable { .. } => failure,
        }
    }
}

/// The reader's error with the key found again in the text.
pub(super) fn located(path: &Path, text: &str, error: &serde_saphyr::Error) -> ConfigError {
    let path = path.to_owned();
    let line = error.location().map_or(0, |location| location.line());
    let inner = error.without_snippet();
    let key = key_at(text, line);
    match inner {
        serde_saphyr::Error::SerdeUnknownField { field, expected, .. } => {
            let section = key.rsplit_once('.').map_or(String::new(), |(section, _)| format!("{section}."));
            let nearest = nearest(field, expected).map(|near| format!("{section}{near}"));
            ConfigError::UnknownKey { path, line, key: format!("{section}{field}"), nearest }
        }
        serde_saphyr::Error::ExternalMessage { msg, .. } => ConfigError::Syntax { path, line, reason: first_line(msg) },
        other => ConfigError::Value { path, line, key, reason: first_line(&reason(other)) },
    }
}

fn reason(error: &serde_saphyr::Error) -> String {
    use serde_saphyr::Error as E;
    match error {
        E::Message { msg, .. } => msg.clone(),
        E::SerdeMissingField { field, .. } => format!("lacks the key `{field}`"),
        E::SerdeUnknownVariant { variant, expected, .. } => {
            format!("`{variant}` is not one of {}", expected.join(", "))
        }
        E::SerdeInvalidType { expected, .. } | E::SerdeInvalidValue { expected, .. } => format!("must be {expected}"),
        E::InvalidScalar { ty, .. } => format!("must be {}", kind(ty)),
        E::DuplicateMappingKey { .. } => "stands here a second time".to_owned(),
        E::Unexpected { expected: "mapping start", .. } => "must be a section with keys".to_owned(),
        E::Unexpected { expected, .. } => format!("must be {expected}"),
        other => other.to_string(),
    }
}

/// The reader's type names in the words of someone who writes a file.
fn kind(ty: &str) -> &str {
    match ty {
        "u16" => "a number from 0 to 65535",
        "u32" | "u64" => "a whole number, 0 or more",
        "f64" | "floating-point" | "float" => "a number",
        "bool" | "boolean" => "true or false",
        other => other,
    }
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}

/// The most alike of the known keys, if any is alike at all.
fn nearest(field: &str, known: &[&'static str]) -> Option<String> {
    let scored = known.iter().map(|key| (strsim::jaro_winkler(field, key), *key));
    let best = scored.max_by(|left, right| left.0.total_cmp(&right.0))?;
    (best.0 > 0.7).then(|| best.1.to_owned())
}

/// The dotted key a line belongs to, from indentation: block style, as the seed writes it.
fn key_at(text: &str, line: u64) -> String {
    let count = usize::try_from(line).unwrap_or(usize::MAX);
    let mut path: Vec<(usize, &str)> = Vec::new();
    for row in text.lines().take(count) {
        let indent = row.len() - row.trim_start_matches([' ', '-']).len();
        let Some((key, _)) = row.trim_start_matches([' ', '-']).split_once(':') else { continue };
        if key.starts_with('#') {
            continue;
        }
        path.retain(|(depth, _)| *depth < indent);
        path.push((indent, key.trim().trim_matches(['"', '\''])));
    }
    path.into_iter().map(|(_, key)| key).collect::<Vec<_>>().join(".")
}
