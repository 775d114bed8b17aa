//! Variables that clients and drivers ask for when they connect.

use wire::ColumnKind;

/// Name, value (`None` is NULL), kind.
type Variable = (&'static str, Option<&'static str>, ColumnKind);

const fn text(name: &'static str, value: &'static str) -> Variable {
    (name, Some(value), ColumnKind::Text)
}

const fn number(name: &'static str, value: &'static str) -> Variable {
    (name, Some(value), ColumnKind::LongLong)
}

/// By name. The version is told apart: it is the program's.
const KNOWN: [Variable; 39] = [
    number("auto_increment_increment", "1"),
    number("autocommit", "1"),
    text("character_set_client", "utf8mb4"),
    text("character_set_connection", "utf8mb4"),
    text("character_set_database", "utf8mb4"),
    text("character_set_results", "utf8mb4"),
    text("character_set_server", "utf8mb4"),
    text("character_set_system", "utf8mb3"),
    text("collation_connection", "utf8mb4_general_ci"),
    text("collation_database", "utf8mb4_general_ci"),
    text("collation_server", "utf8mb4_general_ci"),
    number("foreign_key_checks", "1"),
    text("init_connect", ""),
    number("interactive_timeout", "28800"),
    text("license", "Apache-2.0"),
    number("lower_case_table_names", "1"),
    number("max_allowed_packet", "67108864"),
    number("max_execution_time", "0"),
    number("net_buffer_length", "16384"),
    number("net_read_timeout", "30"),
    number("net_write_timeout", "60"),
    number("performance_schema", "0"),
    number("query_cache_size", "0"),
    text("query_cache_type", "OFF"),
    number("read_only", "0"),
    // There is none: a driver that hears of one goes there.
    ("socket", None, ColumnKind::Text),
    number("sql_auto_is_null", "0"),
    text("sql_mode", "ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION"),
    number("sql_notes", "1"),
    number("sql_safe_updates", "0"),
    text("sql_select_limit", "18446744073709551615"),
    text("system_time_zone", "UTC"),
    text("time_zone", "SYSTEM"),
    text("transaction_isolation", "REPEATABLE-READ"),
    number("transaction_read_only", "0"),
    text("tx_isolation", "REPEATABLE-READ"),
    number("tx_read_only", "0"),
    number("unique_checks", "1"),
    number("wait_timeout", "28800"),
];

/// Value and kind of a variable; `None` if there is no such variable.
pub(crate) fn find(name: &str) -> Option<(Option<&'static str>, ColumnKind)> {
    KNOWN.iter().find(|variable| variable.0 == name).map(|(_, value, kind)| (*value, *kind))
}

/// Whether a session may set it: those above, and the switches that `MatrixOne`'s clients set on every connection.
pub(crate) fn is_known(name: &str) -> bool {
    find(name).is_some() || name.starts_with("experimental_")
}

/// Names and values of those like a pattern, as `SHOW VARIABLES` lists them.
pub(crate) fn like(pattern: Option<&str>) -> Vec<(&'static str, &'static str)> {
    let shown = KNOWN.iter().filter(|variable| wanted(pattern, variable.0));
    let value = |name, value: Option<&'static str>| if name == "autocommit" { "ON" } else { value.unwrap_or_default() };
    shown.map(|(name, kept, _)| (*name, value(*name, *kept))).collect()
}

/// Whether a name is like a pattern, in any case; without one all are.
pub(crate) fn wanted(pattern: Option<&str>, name: &str) -> bool {
    pattern.is_none_or(|pattern| matches(&pattern.to_ascii_lowercase(), name))
}

/// `%` is any text, `_` any character, a backslash takes their meaning away. Every text ends within the product of both lengths: each
/// character of the pattern is tried on all places where it may stand at once.
fn matches(pattern: &str, name: &str) -> bool {
    let name: Vec<char> = name.chars().collect();
    let mut places = vec![false; name.len() + 1];
    places[0] = true;
    let mut pattern = pattern.chars();
    while let Some(char) = pattern.next() {
        if char == '%' {
            let first = places.iter().position(|place| *place).unwrap_or(places.len());
            places[first..].fill(true);
            continue;
        }
        let wanted = if char == '\\' { pattern.next() } else { Some(char).filter(|char| *char != '_') };
        let fits = |place: usize| wanted.is_none_or(|wanted| wanted == name[place]);
        places = std::iter::once(false).chain((0..name.len()).map(|place| places[place] && fits(place))).collect();
    }
    places[name.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_like_does() {
        for pattern in ["sql_mode", "sql%", "%mode", "s_l_mode", "%", "%q%m%", r"sql\_mode", "sql_mode%"] {
            assert!(matches(pattern, "sql_mode"), "{pattern}");
        }
        for pattern in ["", "sql", "%x%", r"sq\_\_mode", "sql_mode_", "mode%"] {
            assert!(!matches(pattern, "sql_mode"), "{pattern}");
        }
        assert_eq!(like(Some("LOWER_CASE%")), [("lower_case_table_names", "1")]);
        assert_eq!(like(None).len(), KNOWN.len());
    }
}
