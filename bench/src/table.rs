//! Prints results as a Markdown table, ready for `docs/benchmarks.md`.

/// Prints the machine, then the table.
pub fn print(title: &str, heads: &[&str], rows: &[Vec<String>]) {
    println!("\n### {title}\n\n{}\n", crate::machine::line());
    println!("| {} |", heads.join(" | "));
    println!("|{}", "---|".repeat(heads.len()));
    for row in rows {
        println!("| {} |", row.join(" | "));
    }
}

/// Bytes as MiB with one decimal.
#[allow(clippy::cast_precision_loss, reason = "a figure for people")]
pub fn mib(bytes: i64) -> String {
    format!("{:.1}", bytes as f64 / 1_048_576.0)
}
