//! What the demonstration says while it goes on.

use std::io::IsTerminal;

/// A new part begins.
pub fn step(text: &str) {
    if std::io::stdout().is_terminal() {
        println!("\n\x1b[1m==> {text}\x1b[0m");
    } else {
        println!("\n==> {text}");
    }
}

/// A line within a part.
pub fn say(text: &str) {
    println!("    {text}");
}

/// `12.3 MiB`.
pub fn mib(bytes: i64) -> String {
    format!("{} MiB", bench::table::mib(bytes))
}
