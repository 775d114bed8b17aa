//! The fingerprint of a plan's work: what must be the same for a yes to hold. Pure.

use api::{Plan, TablePlan};
use sha2::{Digest, Sha256};
use std::fmt::Write;

/// Nodes, tables, ways and the statements that rebuild. Settings beside them, predictions and the order, which goes by them,
/// are left out: they move a little from one look to the next.
pub fn digest(plan: &Plan) -> String {
    let mut all = Sha256::new();
    let mut word = |text: &str| {
        all.update(text.as_bytes());
        all.update([0]);
    };
    word(&format!("{:?}", plan.mode));
    let mut tables: Vec<&TablePlan> = plan.work().collect();
    tables.sort_by_key(|table| (&table.node, &table.database, &table.table));
    for table in tables {
        for text in [&table.node, &table.database, &table.table] {
            word(text);
        }
        word(&format!("{:?} {:?}", table.strategy, table.lock));
        table.statements.iter().filter(|sql| !sql.starts_with("SET ")).for_each(|sql| word(&unmarked(sql)));
    }
    all.finalize().iter().take(16).fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Without the marker, which counts the tables.
fn unmarked(sql: &str) -> String {
    match (sql.find("/*"), sql.find("*/")) {
        (Some(from), Some(to)) if from < to => format!("{}{}", &sql[..from], &sql[to + 2..]),
        _ => sql.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use crate::plan::{draft, fixtures};

    #[test]
    fn a_yes_holds_while_predictions_move_and_not_when_the_work_changes() {
        let of = |tables: &[crate::estimate::TableFacts]| {
            let nodes = vec![fixtures::node("a", 1, true), fixtures::node("b", 2, false)];
            let topology = fixtures::topology(nodes, vec![fixtures::edge("a", "b")]);
            draft(&fixtures::fleet(topology, "a", tables), &fixtures::config()).expect("a plan").digest
        };
        let first = of(&[fixtures::table("s", 1000, 600), fixtures::table("t", 1000, 590)]);
        assert_eq!(first.len(), 32);
        // They change places, and so do their numbers.
        assert_eq!(first, of(&[fixtures::table("s", 1000, 585), fixtures::table("t", 1000, 590)]));
        assert_ne!(first, of(&[fixtures::table("s", 1000, 600)]));
    }
}
