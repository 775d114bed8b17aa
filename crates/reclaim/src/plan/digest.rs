//! The fingerprint of a plan's work: what must be the same for a yes to hold. Pure.

use api::Plan;
use sha2::{Digest, Sha256};
use std::fmt::Write;

/// Nodes, tables, ways and the statements that rebuild, in order. Settings beside them and predictions are left out: they
/// move a little from one look to the next.
pub fn digest(plan: &Plan) -> String {
    let mut all = Sha256::new();
    let mut word = |text: &str| {
        all.update(text.as_bytes());
        all.update([0]);
    };
    word(&format!("{:?}", plan.mode));
    for table in plan.work() {
        for text in [&table.node, &table.database, &table.table] {
            word(text);
        }
        word(&format!("{:?} {:?}", table.strategy, table.lock));
        table.statements.iter().filter(|sql| !sql.starts_with("SET ")).for_each(|sql| word(sql));
    }
    all.finalize().iter().take(16).fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
