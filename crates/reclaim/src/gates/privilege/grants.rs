//! What `SHOW GRANTS` says, read word by word: which rights, where, from whom, and what was revoked in part.

use std::collections::{BTreeMap, BTreeSet};
use types::TableName;

/// Rights in upper case.
type Names = BTreeSet<String>;

/// The rights of one grantee: the account itself, or a role in force.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Held {
    global: Names,
    databases: BTreeMap<String, Names>,
    tables: BTreeMap<(String, String), Names>,
    /// MySQL's partial revokes: what holds on `*.*` but not in these databases.
    revoked: BTreeMap<String, Names>,
}

/// Everything granted that is in force.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Grants {
    holders: BTreeMap<String, Held>,
    /// `%` and `_` in a granted database's name stand for others; not so with `partial_revokes`.
    pub wildcards: bool,
    /// A role was granted, whether it is in force or not.
    pub has_roles: bool,
    /// Lines that could not be read; what they say is not counted.
    pub unread: usize,
}

fn holds(names: &Names, right: &str) -> bool {
    names.contains("ALL PRIVILEGES") || names.contains(right)
}

impl Grants {
    /// Reads one line and adds what it says.
    pub fn add(&mut self, line: &str) {
        match Line::read(line) {
            Some(Line::Rights { revoke, names, place, holder }) => {
                let held = self.holders.entry(holder).or_default();
                match (place, revoke) {
                    (Place::Everywhere, false) => held.global.extend(names),
                    (Place::Database(name), false) => held.databases.entry(name).or_default().extend(names),
                    (Place::Table(database, table), false) => {
                        held.tables.entry((database, table)).or_default().extend(names);
                    }
                    (Place::Database(name), true) => held.revoked.entry(name).or_default().extend(names),
                    // No server revokes in part anywhere else; if one does, it is not understood.
                    (_, true) => self.unread += 1,
                }
            }
            Some(Line::Role) => self.has_roles = true,
            None => self.unread += 1,
        }
    }

    /// Whether a right that exists only for the whole server is held.
    pub fn everywhere(&self, right: &str) -> bool {
        self.holders.values().any(|held| holds(&held.global, right))
    }

    /// Whether a right is held on some database or table at least.
    pub fn anywhere(&self, right: &str) -> bool {
        let of = |held: &Held| {
            let mut all = std::iter::once(&held.global).chain(held.databases.values()).chain(held.tables.values());
            all.any(|names| holds(names, right))
        };
        self.holders.values().any(of)
    }

    /// Whether a right is held on a table.
    pub fn on(&self, right: &str, table: &TableName) -> bool {
        self.holders.values().any(|held| held.on(right, table, self.wildcards))
    }
}

impl Held {
    fn on(&self, right: &str, table: &TableName, wildcards: bool) -> bool {
        let (database, name) = (&table.database, &table.table);
        let taken = self.revoked.get(database).is_some_and(|names| holds(names, right));
        let here = self.tables.get(&(database.clone(), name.clone()));
        (holds(&self.global, right) && !taken)
            || here.is_some_and(|names| holds(names, right))
            || self.in_database(right, database, wildcards)
    }

    /// Servers take the one entry that fits best and no other: an exact name, else one of the patterns. Which of several
    /// patterns that is depends on their order in the server, so all of them must grant it.
    fn in_database(&self, right: &str, database: &str, wildcards: bool) -> bool {
        let exact = |pattern: &str| pattern == database || (wildcards && plain(pattern).as_deref() == Some(database));
        if let Some((_, names)) = self.databases.iter().find(|(pattern, _)| exact(pattern)) {
            return holds(names, right);
        }
        let mut fitting = self.databases.iter().filter(|(name, _)| wildcards && fits(name, database)).peekable();
        fitting.peek().is_some() && fitting.all(|(_, names)| holds(names, right))
    }
}

/// The name a pattern without wildcards stands for.
fn plain(pattern: &str) -> Option<String> {
    let mut name = String::new();
    let mut letters = pattern.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '%' | '_' => return None,
            '\\' => name.extend(letters.next()),
            other => name.push(other),
        }
    }
    Some(name)
}

/// `LIKE` with backslash as escape.
fn fits(pattern: &str, name: &str) -> bool {
    let Some(first) = pattern.chars().next() else { return name.is_empty() };
    let rest = &pattern[first.len_utf8()..];
    let after = |name: &str| name.chars().next().map(char::len_utf8);
    match first {
        '%' => (0..=name.len()).filter(|at| name.is_char_boundary(*at)).any(|at| fits(rest, &name[at..])),
        '_' => after(name).is_some_and(|length| fits(rest, &name[length..])),
        '\\' if !rest.is_empty() => {
            let letter = rest.chars().next().unwrap_or_default();
            name.strip_prefix(letter).is_some_and(|name| fits(&rest[letter.len_utf8()..], name))
        }
        letter => name.strip_prefix(letter).is_some_and(|name| fits(rest, name)),
    }
}

enum Place {
    Everywhere,
    Database(String),
    Table(String, String),
}

enum Line {
    Rights { revoke: bool, names: Names, place: Place, holder: String },
    Role,
}

impl Line {
    /// `GRANT a, b (columns) ON place TO who …`, `REVOKE a ON place FROM who`, `GRANT role TO who`.
    fn read(line: &str) -> Option<Self> {
        let (revoke, rest) = match (line.strip_prefix("GRANT "), line.strip_prefix("REVOKE ")) {
            (Some(rest), _) => (false, rest),
            (_, Some(rest)) => (true, rest),
            _ => return None,
        };
        let Some((list, rest)) = cut(rest, " ON ") else { return Some(Self::Role) };
        let (place, who) = cut(rest, if revoke { " FROM " } else { " TO " })?;
        let names = items(list).into_iter().filter(|name| !name.contains('(')).map(str::to_ascii_uppercase);
        Some(Self::Rights { revoke, names: names.collect(), place: Place::read(place)?, holder: holder(who) })
    }
}

/// The first word, quotes and all: enough to tell the account's own lines from a role's.
fn holder(who: &str) -> String {
    cut(who, " ").map_or(who, |(name, _)| name).to_owned()
}

impl Place {
    fn read(text: &str) -> Option<Self> {
        let Some((database, table)) = cut(text, ".") else {
            // `PROXY ON 'user'@'host'`; it is no right of ours.
            return Some(Self::Table(String::new(), text.to_owned()));
        };
        Some(match (unquoted(database)?, table) {
            (None, "*") => Self::Everywhere,
            (Some(database), "*") => Self::Database(database),
            // `PROCEDURE db.name` and `FUNCTION db.name` end up here with a name no database has, and grant nothing.
            (Some(database), table) => Self::Table(database, unquoted(table)??),
            (None, _) => return None,
        })
    }
}

/// A name out of its quotes; `Some(None)` is the star.
#[allow(clippy::option_option, reason = "unreadable, star, name")]
fn unquoted(text: &str) -> Option<Option<String>> {
    if text == "*" {
        return Some(None);
    }
    match text.chars().next()? {
        quote @ ('`' | '"') => {
            let inner = text.strip_prefix(quote)?.strip_suffix(quote)?;
            Some(Some(inner.replace(&format!("{quote}{quote}"), &quote.to_string())))
        }
        _ => Some(Some(text.to_owned())),
    }
}

/// Splits at the first `at` that stands outside quotes and brackets.
fn cut<'a>(text: &'a str, at: &str) -> Option<(&'a str, &'a str)> {
    let (mut quote, mut depth) = (None, 0_u32);
    for (place, letter) in text.char_indices() {
        if quote.is_none() && depth == 0 && text[place..].starts_with(at) {
            return Some((&text[..place], &text[place + at.len()..]));
        }
        match (quote, letter) {
            (None, '`' | '"' | '\'') => quote = Some(letter),
            (Some(open), letter) if letter == open => quote = None,
            (None, '(') => depth += 1,
            (None, ')') => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    None
}

fn items(list: &str) -> Vec<&str> {
    let (mut all, mut rest) = (Vec::new(), list);
    while let Some((item, more)) = cut(rest, ",") {
        all.push(item.trim());
        rest = more;
    }
    all.push(rest.trim());
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grants(lines: &[&str], wildcards: bool) -> Grants {
        let mut grants = Grants { wildcards, ..Grants::default() };
        for line in lines {
            grants.add(line);
        }
        grants
    }

    fn orders(database: &str) -> TableName {
        TableName::new(database, "orders")
    }

    #[test]
    fn a_partial_revoke_takes_the_right_away_in_its_database_only() {
        let grants = grants(&["GRANT SELECT, ALTER ON *.* TO `p`@`%`", "REVOKE ALTER ON `shop`.* FROM `p`@`%`"], false);
        assert!(!grants.on("ALTER", &orders("shop")) && grants.on("SELECT", &orders("shop")));
        assert!(grants.on("ALTER", &orders("other")) && grants.everywhere("ALTER"));
    }

    #[test]
    fn what_a_role_holds_is_not_taken_by_the_accounts_revoke() {
        let lines = [
            "GRANT ALTER ON *.* TO `p`@`%`",
            "REVOKE ALTER ON `shop`.* FROM `p`@`%`",
            "GRANT ALTER ON `shop`.* TO `r`",
            "GRANT `r` TO `p`@`%`",
        ];
        assert!(!grants(&lines[..2], false).on("ALTER", &orders("shop")));
        let all = grants(&lines, false);
        assert!(all.on("ALTER", &orders("shop")) && all.has_roles && all.unread == 0);
    }

    #[test]
    fn patterns_count_only_where_the_server_takes_them_for_such() {
        let lines = ["GRANT ALTER ON `sh%`.* TO `p`@`%`", r"GRANT ALTER ON `a\_b`.* TO `p`@`%`"];
        let with = |wildcards| grants(&lines, wildcards);
        assert!(with(true).on("ALTER", &orders("shop")) && !with(false).on("ALTER", &orders("shop")));
        assert!(with(true).on("ALTER", &orders("a_b")) && !with(true).on("ALTER", &orders("axb")));
        // The exact entry wins over a pattern that grants more.
        let narrower = grants(&[lines[0], "GRANT SELECT ON `shop`.* TO `p`@`%`"], true);
        assert!(!narrower.on("ALTER", &orders("shop")) && narrower.on("ALTER", &orders("shore")));
    }

    #[test]
    fn columns_roles_and_odd_names_grant_nothing() {
        let lines = [
            "GRANT INSERT (`a`, `ALTER`), UPDATE ON `shop`.`orders` TO `p`@`%`",
            "GRANT `x, ALTER ON *.* TO y` TO `p`@`%`",
            "GRANT PROXY ON ''@'' TO 'p'@'%' WITH GRANT OPTION",
            "GRANT EXECUTE ON PROCEDURE `shop`.`orders` TO `p`@`%`",
        ];
        let grants = grants(&lines, true);
        for right in ["ALTER", "INSERT", "`ALTER`)", "EXECUTE"] {
            assert!(!grants.on(right, &orders("shop")) && !grants.everywhere(right), "{right}");
        }
        assert!(grants.on("UPDATE", &orders("shop")) && grants.has_roles);
    }

    #[test]
    fn every_way_to_quote_is_read() {
        for line in [
            "GRANT ALTER ON `sh``op`.`orders` TO `p`@`%`",
            "GRANT ALTER ON \"sh`op\".\"orders\" TO \"p\"@\"%\" IDENTIFIED BY PASSWORD '*00'",
            "GRANT ALTER ON sh`op.orders TO p@\"%\"",
        ] {
            let read = grants(&[line], true);
            let fits = read.on("ALTER", &TableName::new("sh`op", "orders"));
            assert!(fits || read.unread == 1, "{line}");
        }
        assert!(grants(&["GRANT ALTER ON \"shop\".\"orders\" TO \"p\""], true).on("ALTER", &orders("shop")));
        assert!(grants(&["GRANT ALTER ON shop.orders TO p@\"%\""], true).on("ALTER", &orders("shop")));
    }
}
