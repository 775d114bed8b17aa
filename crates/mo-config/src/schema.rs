//! Every key of the two kinds of files, once: reading, hints and the reference are made from it.

mod launch;
mod log;
mod neighbours;
mod node;

use crate::value::Kind;

/// One key that is looked at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Key {
    /// As it is usually spelled, with its tables; `[]` marks a table that may stand several times.
    pub(crate) path: &'static str,
    pub(crate) kind: Kind,
    /// As text; lists by spaces.
    pub(crate) default: &'static str,
    pub(crate) meaning: &'static str,
    /// Why Drydock does nothing with it; nothing where it does.
    pub(crate) ignored: Option<&'static str>,
}

/// Keys of the original that are known and not looked at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Idle {
    /// The table they stand in; empty for the top.
    pub(crate) table: &'static str,
    pub(crate) names: &'static [&'static str],
    pub(crate) why: &'static str,
}

const fn used(path: &'static str, kind: Kind, default: &'static str, meaning: &'static str) -> Key {
    Key { path, kind, default, meaning, ignored: None }
}

const fn ignored(
    path: &'static str,
    kind: Kind,
    default: &'static str,
    meaning: &'static str,
    why: &'static str,
) -> Key {
    Key { path, kind, default, meaning, ignored: Some(why) }
}

/// The keys of one kind of file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Schema {
    /// In the order of the reference.
    pub(crate) keys: &'static [&'static [Key]],
    /// Known and not looked at.
    pub(crate) idle: &'static [Idle],
    /// Tables whose whole content is not looked at, with the reason.
    pub(crate) open: &'static [(&'static str, &'static str)],
}

/// `launch.toml`.
pub(crate) const LAUNCH: Schema = Schema { keys: &[launch::KEYS], idle: launch::IDLE, open: launch::OPEN };

/// The file of one service.
pub(crate) const SERVICE: Schema = Schema {
    keys: &[node::KEYS, log::KEYS, log::BOOTSTRAP, neighbours::KEYS],
    idle: neighbours::IDLE,
    open: neighbours::OPEN,
};

/// What stands under a path.
pub(crate) enum Found {
    Value(&'static Key),
    Ignored,
    Table,
    Tables,
    Nothing,
}

impl Schema {
    pub(crate) fn all(self) -> impl Iterator<Item = &'static Key> {
        self.keys.iter().flat_map(|keys| keys.iter())
    }

    /// A key by its path, in any case.
    pub(crate) fn key(self, path: &str) -> Option<&'static Key> {
        self.all().find(|key| key.path.eq_ignore_ascii_case(path))
    }

    pub(crate) fn find(self, path: &str) -> Found {
        if let Some(key) = self.key(path) {
            Found::Value(key)
        } else if self.is_idle(path) {
            Found::Ignored
        } else if self.holds(path, ".") {
            Found::Table
        } else if self.holds(path, "[].") {
            Found::Tables
        } else {
            Found::Nothing
        }
    }

    /// Whether anything known lies in a table of this path, joined to it by `by`.
    fn holds(self, path: &str, by: &str) -> bool {
        let inside = |known: &str| {
            let (head, rest) = known.split_at_checked(path.len()).unwrap_or(("", ""));
            rest.starts_with(by) && head.eq_ignore_ascii_case(path)
        };
        let idle = |idle: &Idle| inside(idle.table) || (by == "." && idle.table.eq_ignore_ascii_case(path));
        self.all().any(|key| inside(key.path))
            || self.idle.iter().any(idle)
            || self.open.iter().any(|open| inside(open.0))
    }

    fn is_idle(self, path: &str) -> bool {
        let (table, name) = path.rsplit_once('.').unwrap_or(("", path));
        let listed = |idle: &Idle| {
            idle.table.eq_ignore_ascii_case(table) && idle.names.iter().any(|known| known.eq_ignore_ascii_case(name))
        };
        self.idle.iter().any(listed) || self.open.iter().any(|(open, _)| open.eq_ignore_ascii_case(path))
    }

    /// Everything known, with its tables.
    fn paths(self) -> impl Iterator<Item = String> {
        let keys = self.all().map(|key| key.path.to_owned());
        let idle = self.idle.iter().flat_map(|idle| idle.names.iter().map(|name| crate::tree::join(idle.table, name)));
        keys.chain(idle).chain(self.open.iter().map(|(path, _)| (*path).to_owned()))
    }

    /// The names that may stand in a table.
    pub(crate) fn names(self, table: &str) -> Vec<String> {
        let paths = self.paths();
        let inside = paths.filter_map(|path| {
            let (head, rest) = if table.is_empty() { ("", path.as_str()) } else { path.split_at_checked(table.len())? };
            let rest = if table.is_empty() { rest } else { rest.strip_prefix('.')? };
            let name = rest.split('.').next()?.trim_end_matches("[]");
            head.eq_ignore_ascii_case(table).then(|| name.to_owned())
        });
        let mut names: Vec<String> = inside.collect();
        names.sort();
        names.dedup();
        names
    }

    /// Where else a key of this name is known.
    pub(crate) fn elsewhere(self, name: &str) -> Option<&'static str> {
        let last = |path: &'static str| path.rsplit('.').next().unwrap_or(path);
        self.all().find(|key| last(key.path).eq_ignore_ascii_case(name)).map(|key| key.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_is_of_its_kind_and_every_key_stands_once() {
        for schema in [LAUNCH, SERVICE] {
            let mut seen = std::collections::BTreeSet::new();
            for key in schema.all() {
                assert!(key.kind.default(key.default).is_some(), "{}: {}", key.path, key.default);
                assert!(seen.insert(key.path.to_lowercase()), "{} stands twice", key.path);
            }
            for idle in schema.idle.iter().flat_map(|idle| idle.names.iter().map(|name| (idle.table, name))) {
                assert!(seen.insert(crate::tree::join(idle.0, idle.1).to_lowercase()), "{idle:?} stands twice");
            }
        }
    }
}
