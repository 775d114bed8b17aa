//! The reference of keys as `docs/mo-service.md` shows it, made from the schema so that neither can drift.

use crate::schema::{Key, LAUNCH, SERVICE, Schema};
use std::fmt::Write;

/// Two chapters of tables: `launch.toml`, and the file of a service.
pub fn reference() -> String {
    format!("## `launch.toml`\n\n{}## The file of a service\n\n{}", chapter(LAUNCH), chapter(SERVICE))
}

fn chapter(schema: Schema) -> String {
    let mut text = "| key | default | meaning | Drydock |\n|---|---|---|---|\n".to_owned();
    schema.all().for_each(|key| text.push_str(&row(key)));
    text.push_str("\nKnown, and not looked at:\n\n| key or table | why |\n|---|---|\n");
    for idle in schema.idle {
        let names: Vec<String> = idle.names.iter().map(|name| format!("`{name}`")).collect();
        let table = if idle.table.is_empty() { "top" } else { idle.table };
        let _ = writeln!(text, "| {table}: {} | {} |", names.join(" "), idle.why);
    }
    for (table, why) in schema.open {
        let _ = writeln!(text, "| all of `{table}` | {why} |");
    }
    text + "\n"
}

fn row(key: &Key) -> String {
    let default = if key.default.is_empty() { String::new() } else { format!("`{}`", key.default) };
    let fate = key.ignored.map_or_else(|| "used".to_owned(), |why| format!("ignored: {why}"));
    format!("| `{}` | {default} | {} | {fate} |\n", key.path, key.meaning)
}
