//! Which tables a survey looks at.

use mysql::literal;
use types::TableName;

/// Databases and tables asked for; empty lists mean all. System schemas are never looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only these databases.
    pub databases: Vec<String>,
    /// Only these tables: `table` in any of the databases, or `database.table`.
    pub tables: Vec<String>,
}

/// Schemas that belong to the server.
pub(crate) const SYSTEM_SCHEMAS: [&str; 5] = ["mysql", "information_schema", "performance_schema", "sys", "ndbinfo"];

impl Filter {
    /// Exactly one table.
    pub fn table(name: &TableName) -> Self {
        Self { databases: vec![name.database.clone()], tables: vec![name.table.clone()] }
    }

    /// The same for a server that keeps names in small letters.
    pub(crate) fn folded(self) -> Self {
        let fold = |names: Vec<String>| names.iter().map(|name| name.to_lowercase()).collect();
        Self { databases: fold(self.databases), tables: fold(self.tables) }
    }

    /// The condition on a view with `TABLE_SCHEMA` and `TABLE_NAME`, as SQL.
    pub(crate) fn condition(&self) -> String {
        let list = |names: &[&str]| names.iter().map(|name| literal(name)).collect::<Vec<_>>().join(", ");
        let mut parts = vec![format!("TABLE_SCHEMA NOT IN ({})", list(&SYSTEM_SCHEMAS))];
        if !self.databases.is_empty() {
            let names: Vec<&str> = self.databases.iter().map(String::as_str).collect();
            parts.push(format!("TABLE_SCHEMA IN ({})", list(&names)));
        }
        if !self.tables.is_empty() {
            let any: Vec<String> = self.tables.iter().flat_map(|name| Self::spellings(name)).collect();
            parts.push(format!("({})", any.join(" OR ")));
        }
        parts.join(" AND ")
    }

    /// A dot may part database from table or be part of the table's name: both readings are asked for.
    fn spellings(name: &str) -> Vec<String> {
        let mut all = vec![format!("TABLE_NAME = {}", literal(name))];
        for (at, _) in name.match_indices('.') {
            let (database, table) = (&name[..at], &name[at + 1..]);
            all.push(format!("(TABLE_SCHEMA = {} AND TABLE_NAME = {})", literal(database), literal(table)));
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dotted_name_is_read_both_ways() {
        let filter = Filter { databases: vec!["shop".into()], tables: vec!["shop.order's".into()] };
        let condition = filter.condition();
        assert!(condition.contains("TABLE_SCHEMA IN ('shop')"), "{condition}");
        assert!(condition.contains("TABLE_SCHEMA = 'shop' AND TABLE_NAME = _utf8mb4 X'"), "{condition}");
        assert!(!condition.contains("order's"), "{condition}");
    }
}
