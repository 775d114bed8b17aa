//! The one place that turns names and texts into SQL. Nothing else may.

use std::fmt::Write;
use types::TableName;

/// A name in backticks.
pub fn ident(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// `` `database`.`table` ``.
pub fn table_ident(name: &TableName) -> String {
    format!("{}.{}", ident(&name.database), ident(&name.table))
}

/// A text as a hexadecimal literal in utf8mb4: safe under every `sql_mode`, `NO_BACKSLASH_ESCAPES` included.
pub fn literal(text: &str) -> String {
    if text.is_empty() {
        return "''".to_owned();
    }
    let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b" _-.:/%@#,()".contains(&byte));
    if plain {
        return format!("'{text}'");
    }
    let mut quoted = String::from("_utf8mb4 X'");
    for byte in text.bytes() {
        let _ = write!(quoted, "{byte:02X}");
    }
    quoted + "'"
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn an_identifier_never_ends_early(name in "\\PC{1,40}") {
            let quoted = ident(&name);
            let inner = &quoted[1..quoted.len() - 1];
            prop_assert_eq!(inner.replace("``", ""), name.replace('`', ""));
            prop_assert_eq!(inner.replace("``", "`"), name);
        }

        #[test]
        fn a_literal_holds_no_quote_or_backslash_inside(text in "\\PC{0,40}") {
            let quoted = literal(&text);
            let body = quoted.trim_start_matches("_utf8mb4 X");
            prop_assert_eq!(body.matches('\'').count(), 2);
            prop_assert!(!body.contains('\\'));
        }
    }
}
